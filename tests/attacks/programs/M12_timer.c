#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int main(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t t;
    int n = 0;

    while (n < 4000000 && timer_create(CLOCK_MONOTONIC, &e, &t) == 0)
        n++;
    printf("timers %d: %s\n", n, n < 4000000 ? strerror(errno) : "no end");
}
