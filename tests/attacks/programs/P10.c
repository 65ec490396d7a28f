/* Every pid that there could be, by number and by descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    int killed = 0, absent = 0, other = 0, opened = 0, me = getpid();

    for (int p = 1; p <= 4194304; p++) {
        int rc = p == me ? 0 : kill(p, SIGKILL);

        if (p == me)
            continue;
        killed += rc == 0;
        absent += rc != 0 && errno == ESRCH;
        other += rc != 0 && errno != ESRCH;
    }
    for (int p = 2; p <= 100000; p++) {
        int fd = p == me ? -1 : (int)syscall(SYS_pidfd_open, p, 0);

        opened += fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    printf("killed %d absent %d other %d opened %d\n", killed, absent, other, opened);
}
