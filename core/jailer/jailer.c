/* jailer.c - the loop. */
#include "jailer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSING_MAX_NS (2 * UINT64_C(1000000000))

enum watch { WATCH_CTL, WATCH_PID, WATCH_OOM };
struct polls {
    struct pollfd fds[1 + 3 * JAIL_CELLS_MAX];
    struct {
        unsigned slot;
        enum watch what;
    } of[1 + 3 * JAIL_CELLS_MAX];
    nfds_t count;
};

int jailer_send(struct jailer *j, const struct jail_message *m, int fd)
{
    return cell_message_send(j->socket, m, sizeof(*m), &fd, fd >= 0 ? 1 : 0, MSG_DONTWAIT);
}

/* ---- the worker ------------------------------------------------------------------- */

static void take_message(struct jailer *j, const struct jail_message *m, int *fds, size_t count)
{
    switch (m->type) {
    case JAIL_START:
        jailer_start_take(j, m, fds, count);
        return; /* the descriptors are the run's now */
    case JAIL_KILL:
        jailer_kill(j, m->id, (enum job_limit_hit)m->u.why);
        break;
    default: /* not of our protocol: whoever that is, it gets no cells */
        j->closing = true;
        break;
    }
    for (size_t i = 0; i < count; i++)
        closep(&fds[i]);
}

static void read_worker(struct jailer *j)
{
    for (int i = 0; i < 64; i++) { /* bounded, so that the cells are heard */
        struct jail_message m;
        int fds[JAILER_FDS_MAX];
        size_t count;
        ssize_t n = cell_message_recv(j->socket, &m, sizeof(m), fds, COUNT_OF(fds), &count, MSG_DONTWAIT);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            j->closing = true;
            return;
        }
        take_message(j, &m, fds, count);
    }
}

/* ---- poll ---------------------------------------------------------------------------- */

static void add(struct polls *p, int fd, short events, unsigned slot, enum watch what)
{
    if (fd < 0)
        return;
    p->fds[p->count] = (struct pollfd){.fd = fd, .events = events};
    p->of[p->count].slot = slot;
    p->of[p->count].what = what;
    p->count++;
}

static void collect(struct jailer *j, struct polls *p)
{
    p->count = 0;
    add(p, j->closing ? -1 : j->socket, POLLIN, 0, WATCH_CTL);
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++) {
        struct cell *c = j->slots[i];
        short events;
        int oom;

        if (c == NULL || cell_state(c) == CELL_DEAD)
            continue;
        oom = cell_oom_fd(c, &events);
        add(p, cell_ctl_fd(c), POLLIN, i, WATCH_CTL);
        add(p, cell_pid_fd(c), POLLIN, i, WATCH_PID);
        if (cell_state(c) == CELL_RUNNING)
            add(p, oom, events, i, WATCH_OOM);
    }
}

static void hear(struct jailer *j, const struct polls *p)
{
    for (nfds_t i = 0; i < p->count; i++) {
        struct cell *c = j->slots[p->of[i].slot];

        if (p->fds[i].revents == 0)
            continue;
        if (p->fds[i].fd == j->socket) {
            read_worker(j);
            continue;
        }
        if (c == NULL || cell_state(c) == CELL_DEAD)
            continue;
        if (p->of[i].what == WATCH_CTL)
            cell_on_ctl(c);
        else if (p->of[i].what == WATCH_PID)
            cell_on_pid(c);
        else if (cell_state(c) == CELL_RUNNING)
            cell_on_oom(c);
    }
}

/* Milliseconds until then, rounded up: a deadline is never early. */
static int timeout_until(uint64_t then_ns, uint64_t now_ns)
{
    if (then_ns == UINT64_MAX)
        return -1;
    return then_ns <= now_ns ? 0 : (int)MIN((then_ns - now_ns + 999999) / 1000000, (uint64_t)60000);
}

static void serve(struct jailer *j)
{
    static struct polls p;
    uint64_t closing_ns = 0;

    for (;;) {
        uint64_t now = clock_mono_ns(), next;

        if (j->closing && closing_ns == 0) {
            closing_ns = now;
            jailer_kill_all(j);
        }
        next = jailer_turn(j, now);
        if (j->closing && (jailer_living(j) == 0 || now - closing_ns > CLOSING_MAX_NS))
            return;
        collect(j, &p);
        if (poll(p.fds, p.count, timeout_until(next, now)) < 0 && errno != EINTR)
            return;
        hear(j, &p);
    }
}

int main(void)
{
    struct jailer *j = NEW(struct jailer);
    struct jail_message refused = {.type = JAIL_REFUSED};
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C is for the worker, whose end is ours */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    j->socket = JAIL_SOCKET_FD;
    if (fcntl(j->socket, F_SETFD, FD_CLOEXEC) != 0) {
        static const char text[] = "execd-jailer: started by execd only (descriptor 3 is its socket)\n";
        ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

        (void)ignored;
        return 2;
    }
    if (jailer_open(j, &err) != 0) {
        refused.u.err = err;
        jailer_send(j, &refused, -1);
        jailer_kill_all(j);
        cell_host_free(j->host);
        _exit(1);
    }
    serve(j);
    cell_host_free(j->host);
    _exit(0); /* no exit handlers: nothing of ours is worth one */
}
