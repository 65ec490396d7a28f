/* 1 GiB in files that have no name; one may be as large as any file. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char chunk[1 << 20];

int main(void)
{
    size_t written = 0;
    int files = 0;

    signal(SIGXFSZ, SIG_IGN);
    memset(chunk, 'x', sizeof(chunk));
    while (written < (size_t)1 << 30) {
        int fd = memfd_create("none", 0);
        ssize_t n;

        if (fd < 0) {
            printf("memfd_create: %s\n", strerror(errno));
            return 1;
        }
        while ((n = write(fd, chunk, sizeof(chunk))) > 0)
            written += (size_t)n;
        printf("file %d: %zu MiB in all, %s\n", ++files, written >> 20, strerror(errno));
        fflush(stdout);
    }
    puts("1 GiB");
}
