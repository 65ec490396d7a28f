/* The child spins, the parent only waits: its own rusage stays near nothing. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t pid = fork();

    if (pid == 0)
        for (volatile unsigned i = 0;; i++)
            ;
    printf("child %d\n", pid > 0);
    fflush(stdout);
    while (waitpid(pid, NULL, 0) != pid)
        ;
    puts("reaped");
}
