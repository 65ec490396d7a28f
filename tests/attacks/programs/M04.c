#include <stdio.h>

__attribute__((noinline)) static int deeper(volatile int *up)
{
    volatile int here[64];

    here[0] = *up + 1;
    if (here[0] < 0)
        return 0;
    return deeper(here) + here[0];
}

int main(void)
{
    volatile int zero = 0;

    puts("descending");
    fflush(stdout);
    return deeper(&zero);
}
