#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <locale.h>
#include <wchar.h>
int main(void) { puts("äöü € 😀"); printf("%s %zu\n", setlocale(LC_ALL, ""), wcslen(L"äöü€")); return 0; }
