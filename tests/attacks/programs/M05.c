/* Fills what may be written, place after place, with files of 1 MiB; says how much fitted and why no more
 * did. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char chunk[65536];

int main(void)
{
    static const char *const places[] = {"/tmp", ".", "/dev/shm"};

    memset(chunk, 'x', sizeof(chunk));
    for (int i = 0; i < 3; i++) {
        unsigned long total = 0;
        int full = 0;

        for (int n = 0; !full; n++) {
            char name[64];
            int fd;

            snprintf(name, sizeof(name), "%s/fill-%d", places[i], n);
            fd = open(name, O_WRONLY | O_CREAT, 0600);
            for (int k = 0; k < 16 && !full; k++) {
                ssize_t w = fd < 0 ? -1 : write(fd, chunk, sizeof(chunk));

                full = w < 0;
                total += w < 0 ? 0 : (unsigned long)w;
            }
            if (full)
                printf("%s %lu MiB, %s\n", places[i], total >> 20, strerror(errno));
            if (fd >= 0)
                close(fd);
        }
        fflush(stdout);
    }
    return 1;
}
