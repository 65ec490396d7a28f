/* Every second page another protection: a mapping for each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    const size_t pages = 200000;
    char *p = mmap(NULL, pages * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t n = 0;

    if (p == MAP_FAILED)
        return 2;
    while (2 * n < pages && mprotect(p + 2 * n * 4096, 4096, PROT_READ) == 0)
        n++;
    printf("maps %zu: %s\n", n, 2 * n < pages ? strerror(errno) : "no end");
}
