/* Stops its own group, or all that it may. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int all = argc > 1 && argv[1][0] == 'a';
    pid_t child = fork();

    if (child == 0) {
        setsid();
        usleep(50000);
        kill(all ? -1 : getppid(), SIGSTOP); /* -1 spares the caller */
        for (;;)
            pause();
    }
    puts("stopping");
    fflush(stdout);
    if (!all)
        kill(0, SIGSTOP);
    for (;;)
        pause();
}
