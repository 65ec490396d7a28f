/* Reads files below /usr twice, until as many MiB as the argument says were read in each round. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long bytes, most;

static int visit(const char *path, const struct stat *st, int type, struct FTW *where)
{
    static char chunk[1 << 18];
    int fd;

    (void)st;
    (void)where;
    if (type != FTW_F || (fd = open(path, O_RDONLY)) < 0)
        return 0;
    for (ssize_t n; bytes < most && (n = read(fd, chunk, sizeof(chunk))) > 0;)
        bytes += (unsigned long)n;
    close(fd);
    return bytes >= most;
}

int main(int argc, char **argv)
{
    most = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
    for (int i = 0; i < 2; i++) {
        bytes = 0;
        nftw("/usr", visit, 16, FTW_PHYS);
        printf("read %d\n", bytes > 96UL << 20); /* more than the memory that it has */
    }
}
