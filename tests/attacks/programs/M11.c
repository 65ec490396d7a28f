#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    const size_t size = (size_t)1 << 30;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

    printf("MAP_HUGETLB: %s\n", p == MAP_FAILED ? strerror(errno) : "mapped");
    if (p != MAP_FAILED)
        munmap(p, size);
    printf("mlockall: %s\n", mlockall(MCL_CURRENT | MCL_FUTURE) != 0 ? strerror(errno) : "locked");
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    printf("mlock: %s\n", p != MAP_FAILED && mlock(p, size) == 0 ? "locked" : strerror(errno));
    printf("MADV_HUGEPAGE: %d\n", p != MAP_FAILED && madvise(p, size, MADV_HUGEPAGE) == 0);
    fflush(stdout);
    for (size_t at = 0; p != MAP_FAILED && at < size; at += 4096)
        p[at] = 1;
    puts("touched");
}
