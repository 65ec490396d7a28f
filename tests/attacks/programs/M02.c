/* Half a gigabyte that is there and never touched; with an argument, touched. */
#include <stdio.h>

static volatile char a[512 << 20];

int main(int argc, char **argv)
{
    printf("%zu\n", sizeof(a) >> 20);
    fflush(stdout);
    if (argc > 1 && argv[1][0] == 't')
        for (size_t i = 0; i < sizeof(a); i += 4096)
            a[i] = 1;
    return a[argc];
}
