/* mem.c - memory of small, fixed sizes: there, or the process ends. */
#include "base.h"

#include <unistd.h>

static void out_of_memory(void)
{
    static const char text[] = "execd: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)ignored;
    abort();
}

void *mem_zero(size_t count, size_t size)
{
    void *p = calloc(MAX(count, (size_t)1), MAX(size, (size_t)1));

    if (p == NULL)
        out_of_memory();
    return p;
}

char *mem_dup(const char *s)
{
    char *copy;

    if (s == NULL)
        return NULL;
    copy = strdup(s);
    if (copy == NULL)
        out_of_memory();
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    char *text;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    return text;
}
