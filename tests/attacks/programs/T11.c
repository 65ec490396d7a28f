/* Uses as many milliseconds of cpu time as its argument says, by its own count. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long used_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    long end = argc == 2 ? strtol(argv[1], NULL, 10) * 1000 : 0;

    while (used_us() < end)
        ;
    puts("done");
}
