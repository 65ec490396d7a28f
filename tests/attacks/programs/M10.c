/* Half of its memory, kept until somebody looked; then without end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void take(void)
{
    char *p = malloc(1 << 20);

    if (p != NULL)
        memset(p, 1, 1 << 20);
    __asm__ volatile("" : : "r"(p) : "memory");
}

int main(void)
{
    puts("allocating");
    fflush(stdout);
    for (int i = 0; i < 64; i++)
        take();
    sleep(1);
    for (;;)
        take();
}
