/* Looks for the words of its argument (which begin there with another letter) in all that it can read: files,
 * environments, command lines, descriptors, its own and init's memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char word[128];
static int files, found;

static void look(const char *path)
{
    static char chunk[1 << 20];
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    ssize_t n;
    int rounds = 0;

    if (fd < 0)
        return;
    files++;
    while (rounds++ < 8 && (n = read(fd, chunk, sizeof(chunk))) > 0)
        if (memmem(chunk, (size_t)n, word, strlen(word)) != NULL) {
            printf("found in %s\n", path);
            found++;
            break;
        }
    close(fd);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)where;
    if (type == FTW_F && strcmp(path, "/proc/kmsg") != 0)
        look(path);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const trees[] = {"/box",
                                        "/tmp",
                                        "/dev",
                                        "/etc",
                                        "/run",
                                        "/var",
                                        "/root",
                                        "/home",
                                        "/proc/self",
                                        "/proc/1",
                                        "/proc/sys/kernel",
                                        "/sys",
                                        "/srv",
                                        "/opt",
                                        "/mnt"};
    char path[64];

    snprintf(word, sizeof(word), "%s", argc > 1 ? argv[1] : "?");
    word[0]--; /* so that the word itself is not on the command line */
    for (unsigned i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
        nftw(trees[i], visit, 32, FTW_PHYS);
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        look(path);
        snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
        look(path);
    }
    for (int p = 1; p < 100; p++) {
        snprintf(path, sizeof(path), "/proc/%d/environ", p);
        look(path);
        snprintf(path, sizeof(path), "/proc/%d/cmdline", p);
        look(path);
    }
    printf("memory of init: %s\n", open("/proc/1/mem", O_RDONLY) >= 0 ? "open" : strerror(errno));
    printf("read %d found %d\n", files > 20, found);
}
