/* Files that have no name: memory itself is not to be had as one, and of files of the box that were unlinked, each as
 * large as any may be, there are no more than the box has room for. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char chunk[1 << 20];

static int unlinked(void)
{
    int fd = open("none", O_RDWR | O_CREAT | O_EXCL, 0600);

    return fd >= 0 && unlink("none") == 0 ? fd : -1;
}

int main(void)
{
    size_t written = 0;
    int fd = memfd_create("none", 0), files = 0;

    printf("memfd_create: %s\n", fd < 0 ? strerror(errno) : "made");
    signal(SIGXFSZ, SIG_IGN);
    memset(chunk, 'x', sizeof(chunk));
    do {
        ssize_t n;

        if ((fd = unlinked()) < 0)
            break;
        while ((n = write(fd, chunk, sizeof(chunk))) > 0)
            written += (size_t)n;
        printf("file %d: %zu MiB in all, %s\n", ++files, written >> 20, strerror(errno));
    } while (errno == EFBIG && written < (size_t)1 << 30);
}
