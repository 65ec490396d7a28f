/* cell.c - the host's side of a cell (theory of operation: cell.h). */
#include "cell_internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_MIN_NS (2 * UINT64_C(1000000))
#define INIT_PROCESSES 1 /* PID 1 counts as one of the cgroup's processes */

struct cell {
    struct cell_host *host;
    struct cell_cgroup *cgroup;
    enum cell_state state;
    uint32_t uid;
    int ctl, pidfd, fs; /* fs: the tmpfs' handle */
    uint64_t wall_end_ns, cpu_limit_ns, cpu_base_ns;
    uint64_t wall_begun_ns, memory_limit;
    bool started, exited; /* exited: init told how the program ended */
    struct cell_result result;
};

/* ---- build ---------------------------------------------------------------------- */

static pid_t clone_init(struct cell *c)
{
    struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)&c->pidfd,
                              .exit_signal = SIGCHLD};
    int cgroup = cell_cgroup_clone_fd(c->cgroup);

    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int build(struct cell *c, struct err *reterr)
{
    int rc = cell_cgroup_new(c->host->cgroups, &c->cgroup, reterr), ends[2];
    pid_t pid;

    if (rc != 0)
        return rc;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(reterr, "socketpair for a cell");
    pid = clone_init(c);
    if (pid == 0) {
        const struct cell_init in = {.host = c->host, .cgroup = c->cgroup, .ctl = ends[1], .uid = c->uid};

        close(ends[0]);
        cell_init_main(&in);
    }
    rc = pid < 0 ? err_sys(reterr, "clone a cell") : 0;
    close(ends[1]);
    c->ctl = ends[0];
    return rc;
}

int cell_new(struct cell_host *h, unsigned slot, struct cell **ret, struct err *reterr)
{
    struct cell *c = NEW(struct cell);
    int rc;

    c->host = h;
    c->uid = h->uid_base + slot;
    c->ctl = c->pidfd = c->fs = c->result.kept_fd = -1;
    c->result.measure.exit_code = -1;
    rc = build(c, reterr);
    if (rc != 0) {
        c->state = CELL_DEAD;
        cell_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

enum cell_state cell_state(const struct cell *c)
{
    return c->state;
}

int cell_ctl_fd(const struct cell *c)
{
    return c->ctl;
}

int cell_pid_fd(const struct cell *c)
{
    return c->pidfd;
}

int cell_oom_fd(const struct cell *c, short *events)
{
    return cell_cgroup_oom_fd(c->cgroup, events);
}

/* ---- start ------------------------------------------------------------------------ */

/* fsconfig(2) on the handle that init picked: sizes the tmpfs without a path. */
static int size_box(const struct cell *c, const struct job_limits *l, struct err *reterr)
{
    char size[32], inodes[32];

    snprintf(size, sizeof(size), "%llu", (unsigned long long)l->box_bytes);
    snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)l->box_inodes);
    if (syscall(SYS_fsconfig, c->fs, FSCONFIG_SET_STRING, "size", size, 0) != 0 ||
        syscall(SYS_fsconfig, c->fs, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) != 0 ||
        syscall(SYS_fsconfig, c->fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) != 0)
        return err_sys(reterr, "size the box");
    return 0;
}

static int send_order(const struct cell *c, const struct cell_start *s, struct err *reterr)
{
    struct cell_order order = {.limits = s->limits,
                               .keep_bytes = s->keep_bytes,
                               .profile = s->profile,
                               .bundle_count = s->bundle_count,
                               .has_stdin = s->stdin_fd >= 0,
                               .check = s->check};
    int fds[CELL_FDS_MAX];
    size_t n = 0;
    int rc;

    fds[n++] = s->args_fd;
    for (unsigned i = 0; i < s->bundle_count; i++)
        fds[n++] = s->bundles[i];
    if (order.has_stdin)
        fds[n++] = s->stdin_fd;
    fds[n++] = s->stdout_fd;
    fds[n++] = s->stderr_fd;
    rc = cell_message_send(c->ctl, &order, sizeof(order), fds, n, 0);
    return rc == 0 ? 0 : err_set(reterr, rc, "send an order to a cell: %s", strerror(-rc));
}

int cell_start(struct cell *c, const struct cell_start *s, struct err *reterr)
{
    const struct cell_cgroup_limits limits = {.memory_bytes = s->limits.memory_bytes,
                                              .cpu_millis = s->limits.cpu_millis,
                                              .processes =
                                                  s->limits.processes + s->extra_processes + INIT_PROCESSES};
    struct cell_cgroup_usage usage;
    int rc;

    if (s->bundle_count > CELL_BUNDLES_MAX || s->profile < 1 || s->profile > CELL_PROFILES)
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles and profile %u", s->bundle_count,
                       s->profile);
    if ((rc = size_box(c, &s->limits, reterr)) != 0 ||
        (rc = cell_cgroup_limit(c->cgroup, &limits, reterr)) != 0 ||
        (rc = cell_cgroup_usage(c->cgroup, &usage, reterr)) != 0)
        return rc;
    closep(&c->fs);
    c->cpu_base_ns = usage.cpu_ns; /* what building the cell cost is not the program's */
    c->cpu_limit_ns = s->limits.cpu_ms * 1000000u;
    c->memory_limit = s->limits.memory_bytes;
    c->wall_begun_ns = clock_mono_ns();
    c->wall_end_ns = c->wall_begun_ns + s->limits.wall_ms * 1000000u;
    if ((rc = send_order(c, s, reterr)) != 0)
        return rc;
    c->started = true;
    c->state = CELL_RUNNING;
    return 0;
}

/* ---- while it runs -------------------------------------------------------------------- */

void cell_kill(struct cell *c, enum job_limit_hit why)
{
    if (c->state == CELL_DEAD)
        return;
    /* A program that ended by itself first has its result. */
    if (!c->exited && c->result.measure.hit == JOB_HIT_NONE)
        c->result.measure.hit = why;
    syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0u); /* PID 1 takes its namespace with it */
    cell_cgroup_kill(c->cgroup);
    c->state = CELL_ENDING;
}

static uint64_t cpu_used(const struct cell *c)
{
    struct cell_cgroup_usage usage;

    if (cell_cgroup_usage(c->cgroup, &usage, NULL) != 0 || usage.cpu_ns < c->cpu_base_ns)
        return 0;
    return usage.cpu_ns - c->cpu_base_ns;
}

/* The cpu limit cannot be passed before all cores worked for what is left of it, so this looks
 * again at that time: a few looks a job, each closer to the limit. */
uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns)
{
    uint64_t used, left;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (c->state != CELL_RUNNING || c->exited)
        return UINT64_MAX;
    if (now_ns >= c->wall_end_ns) {
        cell_kill(c, JOB_HIT_WALL);
        return UINT64_MAX;
    }
    used = cpu_used(c);
    if (used >= c->cpu_limit_ns) {
        cell_kill(c, JOB_HIT_CPU);
        return UINT64_MAX;
    }
    left = (c->cpu_limit_ns - used) / (uint64_t)MAX(cores, 1L);
    return MIN(c->wall_end_ns, now_ns + MAX(left, CHECK_MIN_NS));
}

static void on_exit_news(struct cell *c, const struct cell_news *news)
{
    struct job_measure *m = &c->result.measure;

    m->ran = true;
    m->exit_code = news->exit_code;
    m->signal = news->signal;
    m->wall_ns = news->wall_ns;
    m->cpu_ns = news->cpu_ns;
    m->memory_bytes = news->rss_bytes;
    c->exited = true;
}

void cell_on_ctl(struct cell *c)
{
    struct cell_news news;
    int fd = -1;
    size_t count;
    ssize_t n = cell_message_recv(c->ctl, &news, sizeof(news), &fd, 1, &count, MSG_DONTWAIT);

    if (n == -EAGAIN)
        return;
    if (n <= 0) { /* its end comes by the pidfd */
        closep(&c->ctl);
        return;
    }
    switch (news.kind) {
    case CELL_NEWS_READY:
        if (c->state == CELL_BUILDING) {
            c->state = CELL_READY;
            c->fs = steal_fd(&fd);
        }
        break;
    case CELL_NEWS_EXIT:
        on_exit_news(c, &news);
        c->result.kept_fd = steal_fd(&fd);
        break;
    default:
        news.err.text[sizeof(news.err.text) - 1] = '\0';
        c->result.err = news.err;
        break;
    }
    closep(&fd);
}

void cell_on_oom(struct cell *c)
{
    struct cell_cgroup_usage usage;

    cell_cgroup_oom_ack(c->cgroup);
    if (cell_cgroup_usage(c->cgroup, &usage, NULL) == 0 && usage.ooms > 0)
        cell_kill(c, JOB_HIT_MEMORY);
}

/* Counters of the whole cell; the program's own where there is no cgroup. */
static void measure(struct cell *c)
{
    struct job_measure *m = &c->result.measure;
    struct cell_cgroup_usage usage;

    if (cell_cgroup_usage(c->cgroup, &usage, NULL) == 0 && usage.cpu_ns > 0) {
        m->cpu_ns = usage.cpu_ns > c->cpu_base_ns ? usage.cpu_ns - c->cpu_base_ns : 0;
        m->memory_bytes = usage.memory_peak > 0 ? usage.memory_peak : m->memory_bytes;
        m->oom = usage.ooms > 0;
        c->result.forks_refused = usage.forks_refused;
    }
    if (m->oom && c->memory_limit != 0)
        m->memory_bytes = MIN(MAX(m->memory_bytes, usage.memory_peak), c->memory_limit);
    if (!c->exited) { /* killed: by us, or by the kernel */
        m->wall_ns = clock_mono_ns() - c->wall_begun_ns;
        m->ran = m->hit != JOB_HIT_NONE || m->oom;
        m->signal = SIGKILL;
        m->exit_code = -1;
    }
}

void cell_on_pid(struct cell *c)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return;
    while (c->ctl >= 0) { /* what it said before it ended */
        int before = c->ctl;
        struct pollfd p = {.fd = c->ctl, .events = POLLIN};

        if (poll(&p, 1, 0) <= 0)
            break;
        cell_on_ctl(c);
        if (c->ctl != before)
            break;
    }
    if (c->started)
        measure(c);
    if (c->started && !c->result.measure.ran && c->result.err.code == 0)
        err_set(&c->result.err, ERR_AGAIN, "the cell ended without an answer");
    else if (!c->started && c->result.err.code == 0)
        err_set(&c->result.err, ERR_INTERNAL, "the cell ended before it was used");
    c->state = CELL_DEAD;
}

void cell_result_take(struct cell *c, struct cell_result *ret)
{
    *ret = c->result;
    c->result.kept_fd = -1;
}

bool cell_free(struct cell *c)
{
    if (c->cgroup != NULL) {
        if (!cell_cgroup_free(c->cgroup))
            return false;
        c->cgroup = NULL;
    }
    closep(&c->ctl);
    closep(&c->pidfd);
    closep(&c->fs);
    closep(&c->result.kept_fd);
    free(c);
    return true;
}
