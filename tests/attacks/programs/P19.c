/* Dies by the signal that its argument names, of a real cause. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    volatile int zero = argc - 2, some = argc + 40;

    printf("%s\n", argc == 2 ? argv[1] : "");
    fflush(stdout);
    switch (argv[argc - 1][0]) {
    case 'A':
        abort();
    case 'F':
        return some / zero;
    case 'I':
        __builtin_trap();
    case 'S':
        return *(volatile int *)(8L * zero + 8);
    default:
        return 0;
    }
}
