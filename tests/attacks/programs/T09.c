/* Burns 0.5 ms and sleeps 0.5 ms, over and over: whoever samples at ticks sees little of it. */
#include <stdio.h>
#include <time.h>

static long used_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void)
{
    puts("bursts");
    fflush(stdout);
    for (;;) {
        long end = used_ns() + 500000;

        while (used_ns() < end)
            ;
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
}
