#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { puts("before"); fflush(stdout); *(volatile int *)0 = 1; return 0; }
