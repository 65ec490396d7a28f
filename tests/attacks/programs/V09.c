/* Leaves what it can for the next test of the same job, and says what a test before left. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* New, and with something in it. */
static int made(const char *path, int fd)
{
    int ok = fd >= 0 && ftruncate(fd, 4096) == 0;

    if (!ok)
        printf("%s: %s\n", path, strerror(errno));
    return ok;
}

static int leave(const char *path)
{
    return made(path, open(path, O_RDWR | O_CREAT | O_EXCL, 0666));
}

int main(void)
{
    struct dirent *e;
    int processes = 0, kept = 0;
    DIR *proc = opendir("/proc");

    while (proc != NULL && (e = readdir(proc)) != NULL)
        processes += e->d_name[0] >= '0' && e->d_name[0] <= '9';
    kept += leave("/tmp/left") + leave("/box/left") + leave("/dev/shm/left") + leave("/tmp/.hidden");
    kept += made("shm", shm_open("/shared", O_RDWR | O_CREAT | O_EXCL, 0666));
    kept += mkfifo("/tmp/fifo", 0666) == 0;
    printf("left %d processes %d\n", kept, processes);
    fflush(stdout);
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            sleep(60);
    }
    usleep(20000);
    _exit(0);
}
