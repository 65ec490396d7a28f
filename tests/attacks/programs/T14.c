/* Timers of a microsecond, as many as there may be, for half a second. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t count;

static void on_signal(int signo)
{
    (void)signo;
    count++;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    const struct itimerval tick = {{0, 1}, {0, 1}};
    const struct itimerspec often = {{0, 1000}, {0, 1000}};
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int made = 0, set = 0;
    double end = now() + 0.5;
    timer_t t;

    signal(SIGPROF, on_signal);
    signal(SIGALRM, on_signal);
    signal(SIGVTALRM, on_signal);
    signal(SIGUSR1, on_signal);
    set += setitimer(ITIMER_PROF, &tick, NULL) == 0;
    set += setitimer(ITIMER_REAL, &tick, NULL) == 0;
    set += setitimer(ITIMER_VIRTUAL, &tick, NULL) == 0;
    while (made < 64 && timer_create(CLOCK_MONOTONIC, &e, &t) == 0 && timer_settime(t, 0, &often, NULL) == 0)
        made++;
    while (now() < end)
        ;
    printf("set %d made %d signals %d\n", set, made, count > 100);
}
