/* Half a second by the clock that nobody can set. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    puts("begin");
    fflush(stdout);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 500000000}, NULL);
    puts("end");
}
