/* Ignores what may be ignored, blocks the rest, and spins. */
#include <signal.h>
#include <stdio.h>

int main(void)
{
    static const int ignored[] = {SIGTERM, SIGXCPU, SIGALRM, SIGHUP, SIGINT, SIGQUIT};
    sigset_t all, now;
    int blocked = 0;

    for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (signal(ignored[i], SIG_IGN) == SIG_ERR)
            return 1;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigprocmask(SIG_SETMASK, NULL, &now);
    for (int i = 1; i < 32; i++)
        blocked += sigismember(&now, i) == 1;
    printf("blocked %d\n", blocked);
    fflush(stdout);
    for (volatile unsigned i = 0;; i++)
        ;
}
