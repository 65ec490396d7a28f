/* Pids come and go as fast as they can. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    long n = 0;

    puts("churning");
    fflush(stdout);
    for (;; n++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
}
