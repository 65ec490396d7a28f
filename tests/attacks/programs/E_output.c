/* Exactly as many bytes as the first argument says: to stdout, or with a second one to stderr. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    FILE *to = argc > 2 ? stderr : stdout;

    while (n-- > 0)
        putc('a' + (int)(n % 26), to);
}
