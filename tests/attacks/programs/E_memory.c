/* Touches as many KiB as its argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) << 10 : 0;
    char *p = malloc(size);

    if (p == NULL)
        return 1;
    memset(p, 1, size);
    __asm__ volatile("" : : "r"(p) : "memory");
    puts("done");
}
