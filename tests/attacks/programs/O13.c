/* Gives pages to the pipe and changes them afterwards. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    char *page = aligned_alloc(4096, 4096);
    struct iovec v = {page, 4096};
    ssize_t n;

    memset(page, 'a', 4096);
    n = vmsplice(1, &v, 1, SPLICE_F_GIFT);
    fprintf(stderr, "vmsplice: %s\n", n == 4096 ? "done" : strerror(errno));
    if (n != 4096 && write(1, page, 4096) != 4096)
        return 2;
    for (int i = 0; i < 1000; i++)
        memset(page, 'b' + i % 2, 4096);
}
