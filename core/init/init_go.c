/* init_go.c - a program that waits gets its job.
 *
 * Theory of operation.  It was executed within bounds, before its job was known: booted, and idle since.  The
 * jailer has put the job's limits on the cell by now, and sends a second order.  The job's files are
 * unpacked, the program's own resource limits lowered to what a cold program would have begun with, and then,
 * as the last thing, the frame GO is written into the socket whose other end the program reads.
 *
 * Until GO no code of a user's runs: a program that waits is ours, and has no children (threads are fine),
 * for prlimit(2) is of one process, and a child would keep the bounds.  Whatever fails before GO is
 * ERR_AGAIN: the job has not begun, and can in a cell of its own. */
#include "init.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CPU_SLACK_S 2 /* as init_exec.c's */

struct go {
    struct cell_order order;
    int fds[CELL_BUNDLES_MAX + 1];
    size_t fd_count;
};

static int take(struct go *g, struct err *reterr)
{
    ssize_t n = cell_message_recv(CELL_FD_CTL, &g->order, sizeof(g->order), g->fds, COUNT_OF(g->fds),
                                  &g->fd_count, 0);

    if (n == 0)
        _exit(1); /* the jailer is gone, and so is everything here */
    if (n < 0 || g->order.bundle_count > CELL_BUNDLES_MAX || g->fd_count != g->order.bundle_count + 1u)
        return err_set(reterr, ERR_AGAIN, "a waiting program got an order that makes no sense");
    return 0;
}

/* Of all its threads, so far. */
static int cpu_used(pid_t pid, uint64_t *ret_ns, struct err *reterr)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return err_set(reterr, ERR_AGAIN, "read what a waiting program has used");
    *ret_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return 0;
}

/* They can be lowered only, so bounds that are narrower than the job's limits would make a verdict that is
 * not the job's.  What the machine itself allows less of is less in a cold cell as well. */
static int lower(pid_t pid, int which, uint64_t value, uint64_t bound, struct err *reterr)
{
    struct rlimit r;

    if (value > bound)
        return err_set(reterr, ERR_AGAIN, "resource limit %d is to be %llu, of a program started with %llu",
                       which, (unsigned long long)value, (unsigned long long)bound);
    if (prlimit(pid, (__rlimit_resource_t)which, NULL, &r) == 0) {
        r.rlim_max = r.rlim_cur = MIN((rlim_t)value, r.rlim_max);
        if (prlimit(pid, (__rlimit_resource_t)which, &r, NULL) == 0)
            return 0;
    }
    err_sys(reterr, "lower resource limit %d", which);
    return reterr->code = ERR_AGAIN;
}

/* Those of init_exec.c that are a job's.  RLIMIT_CPU counts the boot, too. */
static int lower_limits(pid_t pid, const struct job_limits *l, const struct job_limits *bounds,
                        uint64_t cpu_ns, struct err *reterr)
{
    uint64_t cpu_s = cpu_ns / 1000000000u + 1 + l->cpu_ms / 1000 + CPU_SLACK_S;
    const struct {
        int which;
        bool on;
        uint64_t value, bound;
    } limits[] = {
        {RLIMIT_FSIZE, cell_defence("rlimit_fsize"), l->file_bytes, bounds->file_bytes},
        {RLIMIT_NOFILE, cell_defence("rlimit_nofile"), l->open_files, bounds->open_files},
        {RLIMIT_STACK, cell_defence("rlimit_stack"), l->stack_bytes, bounds->stack_bytes},
        {RLIMIT_CPU, cell_defence("rlimit_cpu"), cpu_s, bounds->cpu_ms / 1000 + CPU_SLACK_S},
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        int rc = limits[i].on ? lower(pid, limits[i].which, limits[i].value, limits[i].bound, reterr) : 0;

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The jailer learns first: what the program does from then on is the job's. */
static int tell(int socket, struct err *reterr)
{
    static const unsigned char frame[8] = {CELL_FRAME_GO};
    const struct cell_news begun = {.kind = CELL_NEWS_BEGUN};

    init_say(&begun, -1);
    if (send(socket, frame, sizeof(frame), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(frame))
        return err_set(reterr, ERR_AGAIN, "a waiting program cannot be told of its job: %s", strerror(errno));
    return 0;
}

int init_go(pid_t pid, const struct cell_order *bounds, int box, uint64_t *ret_begun_ns, uint64_t *ret_cpu_ns,
            struct err *reterr)
{
    struct go g = {.fd_count = 0};
    int rc = take(&g, reterr);

    for (uint32_t i = 0; rc == 0 && i < g.order.bundle_count; i++)
        if ((rc = init_unpack(box, g.fds[i], reterr)) != 0)
            rc = reterr->code = ERR_AGAIN;
    if (rc == 0 && (rc = cpu_used(pid, ret_cpu_ns, reterr)) == 0)
        rc = lower_limits(pid, &g.order.limits, &bounds->limits, *ret_cpu_ns, reterr);
    *ret_begun_ns = clock_mono_ns();
    if (rc == 0)
        rc = tell(g.fds[g.order.bundle_count], reterr);
    for (size_t i = 0; i < g.fd_count; i++)
        closep(&g.fds[i]);
    return rc;
}
