/* Asks for SIGXCPU and, when it comes, leaves with 0 as soon as its limit of a second is used up. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static long used_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void leave(int signo)
{
    (void)signo;
    if (write(1, "SIGXCPU\n", 8) != 8)
        _exit(1);
    while (used_us() < 1000100) /* the kernel counts for the signal in ticks */
        ;
    _exit(0);
}

int main(void)
{
    struct rlimit r;

    getrlimit(RLIMIT_CPU, &r);
    r.rlim_cur = 1;
    if (signal(SIGXCPU, leave) == SIG_ERR || setrlimit(RLIMIT_CPU, &r) != 0)
        return 2;
    for (volatile unsigned i = 0;; i++)
        ;
}
