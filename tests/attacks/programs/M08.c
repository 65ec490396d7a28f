/* 30 pipes of 1 MiB, all filled; then as many more as there may be. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char chunk[65536];

int main(void)
{
    unsigned long filled = 0;
    int p[2], grown = 0, more = 0;

    for (int i = 0; i < 30; i++) {
        if (pipe2(p, O_NONBLOCK) != 0)
            return 2;
        grown += fcntl(p[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20;
        for (ssize_t n; (n = write(p[1], chunk, sizeof(chunk))) > 0;)
            filled += (unsigned long)n;
    }
    printf("grown %d filled %lu\n", grown, filled);
    while (pipe2(p, O_NONBLOCK) == 0)
        more++;
    printf("more %d, then %s\n", more, strerror(errno));
}
