#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { for (int i = 0; i < 20000; i++) printf("line %d of some output\n", i); return 0; }
