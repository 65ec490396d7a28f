/* eventfds in epolls, as many as each of many processes may have. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int fill(void)
{
    int made = 0, watched = 0;

    for (;;) {
        int e = epoll_create1(0), v = eventfd(0, 0);
        struct epoll_event event = {.events = EPOLLIN};

        made += (e >= 0) + (v >= 0);
        watched += e >= 0 && v >= 0 && epoll_ctl(e, EPOLL_CTL_ADD, v, &event) == 0;
        if (e < 0 || v < 0)
            return errno == EMFILE && made > 100 && watched > 50 ? 0 : 1;
    }
}

int main(void)
{
    int hold[2], bad = 0, status, children = 0;

    if (pipe(hold) != 0)
        return 2;
    for (int i = 0; i < 30; i++) {
        char c;

        if (fork() == 0) {
            int rc = fill();

            close(hold[1]);
            if (rc == 0 && read(hold[0], &c, 1) != 0) /* keeps them until all have theirs */
                rc = 1;
            _exit(rc);
        }
        children++;
    }
    close(hold[1]);
    while (wait(&status) > 0)
        bad += status != 0;
    printf("children %d, not EMFILE %d\n", children, bad);
}
