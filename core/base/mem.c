/* mem.c - memory of small, fixed sizes: there, or the process ends. */
#include "core.h"

#include <unistd.h>

void *mem_zero(size_t count, size_t size)
{
    void *p = calloc(MAX(count, (size_t)1), MAX(size, (size_t)1));

    if (p == NULL) {
        dprintf(STDERR_FILENO, "execd: out of memory\n");
        abort();
    }
    return p;
}
