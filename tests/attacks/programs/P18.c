/* Dies by abort() with 100 MiB, having first tried what its argument says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
    struct rlimit none = {0, 0}, r = {9, 9};
    char *p = malloc(100 << 20);

    if (p == NULL)
        return 2;
    memset(p, 1, 100 << 20);
    __asm__ volatile("" : : "r"(p) : "memory");
    if (argc > 1)
        printf("setrlimit: %s\n", setrlimit(RLIMIT_CORE, &none) == 0 ? "set" : strerror(errno));
    getrlimit(RLIMIT_CORE, &r);
    printf("core %d %d\n", (int)r.rlim_cur, (int)r.rlim_max);
    fflush(stdout);
    abort();
}
