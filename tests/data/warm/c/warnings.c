#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { int unused; char *s = 65; printf("%s\n", 5L); return 0; }
