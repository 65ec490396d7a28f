/* clean.c - what the cleanup attributes call. */
#include "core.h"

#include <unistd.h>

void freep(void *pp)
{
    void *p;

    memcpy(&p, pp, sizeof(p)); /* pp points to a pointer of any type */
    free(p);
}

void closep(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

void fclosep(FILE **f)
{
    int saved = errno;

    if (*f != NULL)
        fclose(*f);
    *f = NULL;
    errno = saved;
}
