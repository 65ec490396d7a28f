/* jailer.c - the loop. */
#include "jailer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSING_MAX_NS (2 * UINT64_C(1000000000))

struct polls { /* the worker's, and those of each living cell */
    struct pollfd fds[1 + CELL_POLLS * JAIL_CELLS_MAX];
    struct cell *of[JAIL_CELLS_MAX];
    unsigned cells;
};

int jailer_send(struct jailer *j, const struct jail_message *m, const int *fds, size_t count)
{
    return cell_message_send(j->socket, m, sizeof(*m), fds, count, MSG_DONTWAIT);
}

/* ---- the worker ------------------------------------------------------------------- */

static void answer_ping(struct jailer *j)
{
    const struct jail_message m = {.type = JAIL_PONG};

    if (jailer_send(j, &m, NULL, 0) != 0)
        j->closing = true;
}

static void take_message(struct jailer *j, const struct jail_message *m, int *fds, size_t count)
{
    switch (m->type) {
    case JAIL_START:
        jailer_start_take(j, m, fds, count);
        return; /* the descriptors are the run's now */
    case JAIL_GO:
        jailer_go(j, m, fds, count);
        break;
    case JAIL_KILL:
        if (m->u.why > JOB_HIT_OUTPUT)
            j->closing = true;
        else
            jailer_kill(j, m->id, (enum job_limit_hit)m->u.why);
        break;
    case JAIL_PING:
        answer_ping(j);
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

static void collect(struct jailer *j, struct polls *p)
{
    p->cells = 0;
    p->fds[0] = (struct pollfd){.fd = j->closing ? -1 : j->socket, .events = POLLIN};
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++) {
        if (j->slots[i] == NULL || cell_state(j->slots[i]) == CELL_DEAD)
            continue;
        cell_polls(j->slots[i], p->fds + 1 + CELL_POLLS * p->cells);
        p->of[p->cells++] = j->slots[i];
    }
}

static void hear(struct jailer *j, const struct polls *p)
{
    if (p->fds[0].revents != 0)
        read_worker(j);
    for (unsigned i = 0; i < p->cells; i++)
        cell_on_polls(p->of[i], p->fds + 1 + CELL_POLLS * i);
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
            if (cell_defence("worker_end"))
                jailer_kill_all(j);
        }
        next = jailer_turn(j, now);
        if (j->closing && (j->living == 0 || (closing_ns != 0 && now - closing_ns > CLOSING_MAX_NS)))
            return;
        if (j->closing)
            next = MIN(next, closing_ns + CLOSING_MAX_NS + 1);
        collect(j, &p);
        if (poll(p.fds, 1 + CELL_POLLS * p.cells, timeout_until(next, now)) < 0 && errno != EINTR)
            return;
        hear(j, &p);
    }
}

int main(int argc, char **argv)
{
    static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP}; /* a Ctrl-C is for the worker */
    struct jailer *j = NEW(struct jailer);
    struct jail_message refused = {.type = JAIL_REFUSED};
    struct err err = {0};

#ifdef EXECD_MUTATE
    cell_defence_take(argc, argv);
#else
    (void)argc;
    (void)argv;
#endif
    if (cell_defence("rlimit_core"))
        setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}); /* for the cells, as execd-probe checks */
    signal(SIGCHLD, SIG_DFL); /* ignored by whoever started execd, it would leave nothing to wait for */
    for (size_t i = 0; i < COUNT_OF(ignored); i++)
        signal(ignored[i], SIG_IGN);
    j->socket = JAIL_SOCKET_FD;
    if (fcntl(j->socket, F_SETFD, FD_CLOEXEC) != 0) {
        dprintf(STDERR_FILENO, "execd-jailer: started by execd only (descriptor 3 is its socket)\n");
        return 2;
    }
    if (jailer_open(j, &err) != 0) {
        refused.u.err = err;
        jailer_send(j, &refused, NULL, 0);
        jailer_kill_all(j);
        cell_host_free(j->host);
        _exit(1);
    }
    serve(j);
    cell_host_free(j->host);
    _exit(0); /* no exit handlers: nothing of ours is worth one */
}
