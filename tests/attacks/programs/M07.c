/* Reads one byte in each 2 MiB of 16 TiB: the page is the kernel's zero page, but each read takes a page
 * table. */
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    const size_t size = (size_t)16 << 40, step = 2 << 20;
    volatile char *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    puts(p == MAP_FAILED ? "refused" : "mapped");
    fflush(stdout);
    if (p == MAP_FAILED)
        return 1;
    for (size_t at = 0; at < size; at += step)
        (void)p[at];
    puts("read all");
}
