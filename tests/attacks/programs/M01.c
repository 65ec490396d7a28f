#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    puts("allocating");
    fflush(stdout);
    for (;;) {
        char *p = malloc(1 << 20);

        if (p != NULL)
            memset(p, 1, 1 << 20);
        __asm__ volatile("" : : "r"(p) : "memory");
    }
}
