#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
int main(void) { fflush(stdout); if (fork() == 0) { execl("/bin/sh", "sh", "-c", "echo child; exit 3", (char *)0); } int s; wait(&s); printf("%d %d %d\n", WEXITSTATUS(s), getpid(), getppid()); return 0; }
