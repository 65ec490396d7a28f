/* Ends when its limit does: by the clock, or by the cpu time that it used. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    long wait = argc > 1 ? strtol(argv[1], NULL, 10) * 1000 : 0;
    clockid_t id = argc > 2 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    long begin = argc > 2 ? 0 : us(id);

    puts("begin");
    fflush(stdout);
    if (argc <= 2 && wait > 3000) {
        struct timespec t = {wait / 1000000, wait % 1000000 * 1000};

        nanosleep(&t, NULL);
    }
    while (us(id) - begin < wait)
        ;
    puts("end");
}
