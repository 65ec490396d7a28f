#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { char l[99]; int n = 0; while (fgets(l, sizeof l, stdin)) printf("%d %zu %s", ++n, strlen(l), l); return 0; }
