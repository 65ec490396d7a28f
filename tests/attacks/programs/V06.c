/* The right answer, and then the end that its argument names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    puts("42");
    fflush(stdout);
    switch (argv[argc - 1][0]) {
    case 'h':
        pause();
        break;
    case 's':
        for (volatile unsigned i = 0;; i++)
            ;
    case 'c':
        return *(volatile int *)(argc * 4L);
    case 'm':
        for (;;) {
            char *p = malloc(1 << 20);

            if (p != NULL)
                memset(p, 1, 1 << 20);
            __asm__ volatile("" : : "r"(p) : "memory");
        }
    case 'e':
        return 1;
    case 'w':
        puts("43");
        break;
    }
    return 0;
}
