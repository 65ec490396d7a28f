/* Two lines of processes, each process alive for a moment: it forks its successor and dies, so that whoever
 * lists them and kills what is listed comes late. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            for (;;) {
                setsid();
                if (fork() != 0)
                    _exit(0);
            }
    puts("racing");
    fflush(stdout);
    for (;;)
        pause();
}
