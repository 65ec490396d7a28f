/* loop_child.c - own children, watched and killed by pidfd (pidfd_open(2)), so that a pid that
 * was given away again is never meant. */
#include "loop_internal.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct loop_child {
    pid_t pid;
    int pidfd;
    struct event *event;
    loop_child_fn fn;
    void *arg;
};

static void on_exit_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_child *c = arg;
    int status = 0;

    (void)fd;
    (void)what;
    if (waitpid(c->pid, &status, WNOHANG) == 0)
        return; /* stopped or traced: not over */
    event_del(c->event);
    closep(&c->pidfd);
    c->fn(c->arg, status);
}

int loop_child_new(struct loop *loop, pid_t pid, loop_child_fn fn, void *arg, struct loop_child **ret,
                   struct err *reterr)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    struct loop_child *c;

    if (pidfd < 0)
        return err_sys(reterr, "watch process %d", (int)pid);
    c = NEW(struct loop_child);
    c->pid = pid;
    c->pidfd = pidfd;
    c->fn = fn;
    c->arg = arg;
    c->event = loop_event_new(loop, pidfd, EV_READ | EV_PERSIST, on_exit_event, c);
    event_add(c->event, NULL);
    *ret = c;
    return 0;
}

int loop_child_kill(struct loop_child *c, int signo)
{
    if (c->pidfd < 0)
        return -ESRCH;
    return syscall(SYS_pidfd_send_signal, c->pidfd, signo, NULL, 0u) == 0 ? 0 : -errno;
}

void loop_child_free(struct loop_child *c)
{
    if (c == NULL)
        return;
    event_free(c->event);
    closep(&c->pidfd);
    free(c);
}
