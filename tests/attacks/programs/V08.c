/* A child uses more memory than there is; the parent sees it die and ends well. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        for (;;) {
            char *p = malloc(1 << 20);

            if (p != NULL)
                memset(p, 1, 1 << 20);
            __asm__ volatile("" : : "r"(p) : "memory");
        }
    waitpid(pid, &status, 0);
    _exit(0); /* at once: whether its own killer or this is faster must not matter */
}
