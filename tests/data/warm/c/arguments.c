#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int c, char **v) { for (int i = 0; i < c; i++) printf("[%s]\n", v[i]); return c; }
