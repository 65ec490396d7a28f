#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int f(int n) { volatile char b[512]; b[0] = (char)n; return n == 0 ? b[0] : 1 + f(n - 1); }
int main(void) { printf("%d\n", f(10000)); return 0; }
