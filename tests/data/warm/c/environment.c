#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
int main(void) { for (char **e = environ; *e; e++) puts(*e); char d[99]; puts(getcwd(d, sizeof d)); return 0; }
