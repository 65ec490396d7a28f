/* cell.c - the host's side of a cell (theory of operation: cell.h). */
#include "cell_internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER_NS (UINT64_MAX / 4)
#define CHECK_MIN_NS (2 * UINT64_C(1000000))
#define CHECK_WAITING_NS (100 * UINT64_C(1000000)) /* a program that waits may do so close to its limit */
#define LIMIT_MAX (UINT64_C(1) << 42)              /* in ns, ms are still less than a century and a half */
#define INIT_PROCESSES 1                           /* PID 1 counts as one of the cgroup's processes */
#define TEARDOWN_NS (20 * UINT64_C(1000000000)) /* for the rest of a cell to die and its files to be kept */

struct cell {
    struct cell_host *host;
    struct cgroup *cgroup;
    enum cell_state state;
    unsigned slot;
    bool zygote, forked;
    int ctl, pidfd, fs, request; /* fs: the tmpfs' handle; request: where a zygote is asked for cells */
    uint64_t wall_end_ns, wall_limit_ns, cpu_limit_ns, cpu_base_ns;
    uint64_t wall_begun_ns, look_ns, memory_limit, forks_base;
    bool ready, started, exited; /* once; exited: init told how the program ended, */
    struct cgroup_usage at_exit; /* and this is what had been used by then */
    bool waits, begun;           /* for GO; the job is known to the program */
    bool keeps, kept;
    struct cell_result result;
};

/* ---- build ---------------------------------------------------------------------- */

/* On v2 it is born in its cgroup: nobody waits for a move. */
static pid_t clone_init(struct cell *c, struct cell_child *in)
{
    const int cgroup = cgroup_clone_fd(c->cgroup);
    struct clone_args args = {
        .flags = (cell_defence("pidns") ? CLONE_NEWPID : 0) | (cell_defence("mountns") ? CLONE_NEWNS : 0) |
                 (cell_defence("ipcns") ? CLONE_NEWIPC : 0) | (cell_defence("utsns") ? CLONE_NEWUTS : 0) |
                 (c->zygote ? CLONE_NEWUSER : 0) | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .cgroup = (uint64_t)MAX(cgroup, 0),
        .pidfd = (uint64_t)(uintptr_t)&c->pidfd,
        .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    if (pid != 0)
        return pid;
    in->joined = cgroup >= 0 ? 0 : cgroup_join(c->cgroup);
    close(c->ctl);
    cell_setup_main(in);
}

/* Its own, for whom slot 0's is `first`; 0: it has no other than ours. */
static uint32_t uid_of(const struct cell *c, uint32_t first)
{
    return !c->host->as_root ? 0 : first + (cell_defence("slot_uid") ? c->slot : 0);
}

/* As root: a zygote's root is nobody's uid, and may become each slot's as well, for the cells that it makes.
 */
static void map_ids(const struct cell *c, pid_t pid)
{
    static const char *const files[] = {"uid_map", "gid_map"};
    char map[96], path[64];
    int len = snprintf(map, sizeof(map), "0 %u 1\n%u %u %u\n", c->host->uid_base + CELL_SLOTS_MAX + c->slot,
                       CELL_UID_FIRST, c->host->uid_base, CELL_SLOTS_MAX);
    bool ok = true;

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        CLEAN_FD int fd = -1;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        ok = ok && fd >= 0 && write(fd, map, (size_t)len) == len;
    }
    if (!ok || cell_message_send(c->ctl, "", 1, NULL, 0, 0) != 0)
        shutdown(c->ctl, SHUT_WR); /* it says so, and ends */
}

static int build(struct cell *c, int end, struct err *reterr)
{
    struct cell_child in = {.zygote = c->zygote,
                            .uid = uid_of(c, c->host->uid_base),
                            .ctl = end,
                            .init_fd = c->host->init_fd,
                            .above_proc = c->host->first_userns && !c->zygote};
    pid_t pid = clone_init(c, &in);

    if (pid < 0)
        return err_sys(reterr, "clone a cell");
    if (c->zygote && c->host->as_root)
        map_ids(c, pid);
    return 0;
}

/* A zygote that has fallen behind with its forks is asked for no more. */
static int ask(struct cell *c, const struct cell *z, int end, struct err *reterr)
{
    const struct cell_request m = {.uid = uid_of(c, CELL_UID_FIRST)};
    int fds[2 + CG_COUNT] = {end, c->host->init_fd};
    size_t n = 2 + cgroup_join_fds(c->cgroup, fds + 2);
    int rc = cell_message_send(z->request, &m, sizeof(m), fds, n, MSG_DONTWAIT);

    return rc == 0 ? 0 : err_set(reterr, ERR_AGAIN, "ask a zygote for a cell: %s", strerror(-rc));
}

int cell_new(struct cell_host *h, unsigned slot, bool zygote, const struct cell *z, struct cell **ret,
             struct err *reterr)
{
    struct cell *c = NEW(struct cell);
    int rc, ends[2];

    c->host = h;
    c->slot = slot;
    c->zygote = zygote;
    c->forked = z != NULL;
    c->ctl = c->pidfd = c->fs = c->request = c->result.kept_fd = -1;
    c->result.measure.exit_code = -1;
    rc = cgroup_new(&h->cgroups, &c->cgroup, reterr);
    if (rc == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        rc = err_sys(reterr, "socketpair for a cell");
    else if (rc == 0) {
        c->ctl = ends[0];
        rc = z != NULL ? ask(c, z, ends[1], reterr) : build(c, ends[1], reterr);
        close(ends[1]);
    }
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

bool cell_serves(const struct cell *c)
{
    return c->state == CELL_RUNNING && c->request >= 0;
}

bool cell_was_ready(const struct cell *c)
{
    return c->ready;
}

void cell_polls(const struct cell *c, struct pollfd ret[CELL_POLLS])
{
    short events;
    int oom = cgroup_oom_fd(c->cgroup, &events);

    ret[0] = (struct pollfd){.fd = c->ctl, .events = POLLIN};
    ret[1] = (struct pollfd){.fd = c->pidfd, .events = POLLIN};
    ret[2] = (struct pollfd){.fd = c->state == CELL_RUNNING ? oom : -1, .events = events};
}

/* ---- start ------------------------------------------------------------------------ */

/* fsconfig(2) on the handle that init picked: sizes the tmpfs without a path. */
static int size_box(const struct cell *c, const struct job_limits *l, struct err *reterr)
{
    char size[32], inodes[32];

    snprintf(size, sizeof(size), "%llu",
             (unsigned long long)(cell_defence("box_bytes") ? l->box_bytes : UINT64_C(1) << 40));
    snprintf(inodes, sizeof(inodes), "%llu",
             (unsigned long long)(cell_defence("box_inodes") ? l->box_inodes : 1000000));
    if (syscall(SYS_fsconfig, c->fs, FSCONFIG_SET_STRING, "size", size, 0) != 0 ||
        syscall(SYS_fsconfig, c->fs, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) != 0 ||
        syscall(SYS_fsconfig, c->fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) != 0)
        return err_sys(reterr, "size the box");
    return 0;
}

/* A worker is heard out, not trusted: 0 is "no limit" to the kernel, and a large number may become 0, or a
 * time that is over, where something is added to it or it is counted in smaller units. */
static int check_limits(const struct job_limits *l, struct err *reterr)
{
    const struct {
        const char *name;
        uint64_t value, least;
    } limits[] = {{"wall_ms", l->wall_ms, 1},           {"cpu_ms", l->cpu_ms, 1},
                  {"memory_bytes", l->memory_bytes, 1}, {"cpu_millis", l->cpu_millis, 0},
                  {"processes", l->processes, 1},       {"box_bytes", l->box_bytes, 1},
                  {"box_inodes", l->box_inodes, 1}};

    for (size_t i = 0; i < COUNT_OF(limits); i++)
        if (limits[i].value < limits[i].least || limits[i].value > LIMIT_MAX)
            return err_set(reterr, ERR_INTERNAL, "a step with %s of %llu; possible are %llu to %llu",
                           limits[i].name, (unsigned long long)limits[i].value,
                           (unsigned long long)limits[i].least, (unsigned long long)LIMIT_MAX);
    return 0;
}

/* From here on they hold, and what is used counts. */
static int put_limits(struct cell *c, const struct cell_order *o, struct err *reterr)
{
    const struct job_limits *l = &o->limits;
    const struct cgroup_limits limits = {.memory_bytes = l->memory_bytes,
                                         .cpu_millis = l->cpu_millis,
                                         .processes = l->processes + o->extra_processes + INIT_PROCESSES};
    struct cgroup_usage usage;
    int rc;

    if ((rc = size_box(c, l, reterr)) != 0 || (rc = cgroup_limit(c->cgroup, &limits, reterr)) != 0 ||
        (rc = cgroup_usage(c->cgroup, &usage, reterr)) != 0)
        return rc;
    if (usage.ooms > 0) /* v1 refuses such a limit, v2 kills for it */
        return err_set(reterr, ERR_AGAIN, "the limit of memory is below what is used already");
    c->cpu_base_ns = usage.cpu_ns; /* what building the cell, or booting in it, cost is not the program's */
    c->cpu_limit_ns = cell_defence("cpu_deadline") ? l->cpu_ms * 1000000u : NEVER_NS;
    c->forks_base = usage.forks_refused;
    c->memory_limit = l->memory_bytes;
    c->wall_begun_ns = clock_mono_ns();
    c->look_ns = c->wall_begun_ns + c->cpu_limit_ns / c->host->cores;
    c->wall_limit_ns =
        cell_defence("wall_deadline") && !c->waits && !c->zygote ? l->wall_ms * 1000000u : NEVER_NS;
    c->wall_end_ns = c->wall_begun_ns + c->wall_limit_ns;
    return 0;
}

static int send_order(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count,
                      struct err *reterr)
{
    int rc = cell_message_send(c->ctl, o, sizeof(*o), fds, fd_count, MSG_DONTWAIT);

    if (!c->waits)
        closep(&c->fs);
    return rc == 0 ? 0 : err_set(reterr, ERR_AGAIN, "send an order to a cell: %s", strerror(-rc));
}

int cell_start(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count,
               struct err *reterr)
{
    int rc;

    if (o->bundle_count > CELL_BUNDLES_MAX || o->profile < 1 || o->profile > CELL_PROFILES ||
        ((o->flags & CELL_ZYGOTE) != 0) != c->zygote) /* who makes cells has no filter */
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles and profile %u", o->bundle_count,
                       o->profile);
    c->waits = (o->flags & CELL_WAITS) != 0;
    c->begun = !c->waits;
    c->keeps = o->keep_bytes > 0;
    if ((rc = check_limits(&o->limits, reterr)) != 0 || (rc = put_limits(c, o, reterr)) != 0 ||
        (rc = send_order(c, o, fds, fd_count, reterr)) != 0)
        return rc;
    c->started = true;
    c->state = CELL_RUNNING;
    return 0;
}

void cell_go(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count)
{
    struct err *err = &c->result.err;
    int rc;

    if (!c->waits || c->state != CELL_RUNNING || c->exited)
        return;
    c->waits = false;
    if (o->bundle_count > CELL_BUNDLES_MAX || fd_count != o->bundle_count + 1u)
        rc = err_set(err, ERR_INTERNAL, "a GO with %u bundles, %zu descriptors", o->bundle_count, fd_count);
    else if ((rc = check_limits(&o->limits, err)) == 0 &&
             ((rc = put_limits(c, o, err)) != 0 || (rc = send_order(c, o, fds, fd_count, err)) != 0))
        err->code = ERR_AGAIN; /* a fresh cell may have room where this one has none */
    if (rc != 0)
        cell_kill(c, JOB_HIT_NONE);
}

/* ---- while it runs -------------------------------------------------------------------- */

void cell_kill(struct cell *c, enum job_limit_hit why)
{
    if (c->state == CELL_DEAD)
        return;
    /* A program that ended by itself first has its result. */
    if (!c->exited && c->result.measure.hit == JOB_HIT_NONE)
        c->result.measure.hit = why;
    if (cell_defence("kill_init")) /* PID 1 takes its namespace with it */
        syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0u);
    if (cell_defence("kill_cgroup"))
        cgroup_kill(c->cgroup);
    c->state = CELL_ENDING;
}

/* Cpu time.  A limit that cannot be watched any more ends the cell, by our fault; so does, by its own, a kill
 * for want of memory, of which nobody hears again who looked. */
static uint64_t look(struct cell *c)
{
    struct cgroup_usage usage;

    if (cgroup_usage(c->cgroup, &usage, &c->result.err) != 0) {
        cell_kill(c, JOB_HIT_NONE);
        return 0;
    }
    if (usage.ooms > 0 && cell_defence("oom_kill"))
        cell_kill(c, JOB_HIT_MEMORY);
    return usage.cpu_ns < c->cpu_base_ns ? 0 : usage.cpu_ns - c->cpu_base_ns;
}

/* The cpu limit cannot be passed before all cores worked for what is left of it, so this looks
 * again at that time: a few looks a job, each closer to the limit, the first when it can have passed. */
uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns)
{
    uint64_t used = 0;

    if (c->state != CELL_RUNNING)
        return UINT64_MAX;
    if (now_ns >= c->wall_end_ns)
        cell_kill(c, JOB_HIT_WALL);
    else if (now_ns >= c->look_ns && (used = look(c)) >= c->cpu_limit_ns)
        cell_kill(c, JOB_HIT_CPU);
    else if (now_ns >= c->look_ns)
        c->look_ns = now_ns + MAX((c->cpu_limit_ns - used) / c->host->cores,
                                  c->waits ? CHECK_WAITING_NS : CHECK_MIN_NS);
    return c->state == CELL_RUNNING ? MIN(c->wall_end_ns, c->look_ns) : UINT64_MAX;
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
    m->box_hit = news->box_full != 0;
    c->exited = true;
    if (cgroup_usage(c->cgroup, &c->at_exit, &c->result.err) != 0)
        c->at_exit = (struct cgroup_usage){0};
    cgroup_unthrottle(c->cgroup);
    c->wall_end_ns = clock_mono_ns() + TEARDOWN_NS;
    c->look_ns = UINT64_MAX; /* its cpu time is known */
}

/* A fork that is to die already could not be killed before; one without a pidfd is no zygote's of ours. */
static void on_ready_news(struct cell *c, int fds[2])
{
    if (c->forked && c->pidfd < 0 && (c->pidfd = steal_fd(&fds[1])) < 0)
        shutdown(c->ctl, SHUT_RDWR);
    else if (c->state == CELL_ENDING)
        cell_kill(c, JOB_HIT_NONE);
    else if (c->state == CELL_BUILDING) {
        c->state = CELL_READY;
        c->ready = true;
        c->fs = steal_fd(&fds[0]);
    }
}

/* False where nothing is to be heard, and at the end, which closes `ctl`. */
static bool hear_news(struct cell *c)
{
    struct cell_news news;
    int fds[2] = {-1, -1}, *fd = &fds[0];
    size_t count;
    ssize_t n = cell_message_recv(c->ctl, &news, sizeof(news), fds, COUNT_OF(fds), &count, MSG_DONTWAIT);

    if (n <= 0) {
        if (n != -EAGAIN)
            closep(&c->ctl);
        return false;
    }
    switch (news.kind) {
    case CELL_NEWS_READY:
        on_ready_news(c, fds);
        break;
    case CELL_NEWS_SERVES:
        closep(&c->request);
        c->request = c->zygote ? steal_fd(fd) : -1;
        break;
    case CELL_NEWS_BEGUN:
        c->begun = c->begun || (c->started && !c->waits);
        break;
    case CELL_NEWS_EXIT: /* of a program that was started, once: the result is fixed by then */
        if (c->started && !c->exited)
            on_exit_news(c, &news);
        break;
    case CELL_NEWS_KEPT:
        closep(&c->result.kept_fd);
        c->result.kept_fd = steal_fd(fd);
        c->kept = true;
        break;
    default:
        news.err.text[sizeof(news.err.text) - 1] = '\0';
        c->result.err = news.err;
        if (news.err.code >= 0)
            c->result.err.code = ERR_INTERNAL;
        break;
    }
    closep(&fds[0]);
    closep(&fds[1]);
    return true;
}

/* Counters of the whole cell; the program's own where there is no cgroup. */
static void measure(struct cell *c)
{
    struct job_measure *m = &c->result.measure;
    struct cgroup_usage usage = c->at_exit;

    if ((c->exited || cgroup_usage(c->cgroup, &usage, NULL) == 0) && usage.cpu_ns > 0) {
        m->cpu_ns = usage.cpu_ns > c->cpu_base_ns ? usage.cpu_ns - c->cpu_base_ns : 0;
        if (usage.memory_peak > 0) /* a boot may have had more than its job may */
            m->memory_bytes = MIN(usage.memory_peak, c->memory_limit);
        m->oom = usage.ooms > 0;
        c->result.forks_refused = usage.forks_refused - c->forks_base;
    }
    if (m->oom && c->memory_limit != 0)
        m->memory_bytes = MIN(MAX(m->memory_bytes, usage.memory_peak), c->memory_limit);
    if (c->exited && m->hit == JOB_HIT_NONE) /* it ended by itself between two looks at its limits */
        m->hit = m->cpu_ns > c->cpu_limit_ns     ? JOB_HIT_CPU
                 : m->wall_ns > c->wall_limit_ns ? JOB_HIT_WALL
                                                 : JOB_HIT_NONE;
    if (!c->exited) { /* killed: by us, or by the kernel */
        m->wall_ns = clock_mono_ns() - c->wall_begun_ns;
        m->ran = m->hit != JOB_HIT_NONE || m->oom;
        m->signal = SIGKILL;
        m->exit_code = -1;
    }
}

/* By the kernel, though it was within its limit: nothing that a program can be blamed for. */
static bool killed_from_outside(const struct cell *c)
{
    const struct job_measure *m = &c->result.measure;

    return c->exited && c->at_exit.ooms_outside > 0 && m->signal == SIGKILL && !m->oom &&
           m->hit == JOB_HIT_NONE;
}

static void on_pid(struct cell *c)
{
    siginfo_t info = {0};

    if (c->pidfd >= 0 && /* a fork is its zygote's child: ECHILD, and no more news than that it ended */
        (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0 ? errno != ECHILD : info.si_pid == 0))
        return;
    while (c->ctl >= 0 && hear_news(c)) /* what it said before it ended */
        ;
    if (c->started)
        measure(c);
    if (c->started && !c->begun && c->result.err.code == 0)
        err_set(&c->result.err, ERR_AGAIN, "a waiting program ended before its job (exit code %d, signal %d)",
                c->result.measure.exit_code, c->result.measure.signal);
    if (killed_from_outside(c) && c->result.err.code == 0)
        err_set(&c->result.err, ERR_AGAIN, "the program was killed for the machine's want of memory");
    if (c->started && !c->result.measure.ran && c->result.err.code == 0)
        err_set(&c->result.err, ERR_AGAIN, "the cell ended without an answer");
    else if (c->exited && c->result.measure.exit_code == 0 && c->keeps && !c->kept &&
             c->result.err.code == 0 && c->result.measure.hit == JOB_HIT_NONE)
        err_set(&c->result.err, ERR_AGAIN, "the cell ended before its files were kept");
    else if (!c->started && c->result.err.code == 0)
        err_set(&c->result.err, ERR_INTERNAL, "the cell ended before it was used");
    c->state = CELL_DEAD;
}

void cell_on_polls(struct cell *c, const struct pollfd polls[CELL_POLLS])
{
    /* The end comes by the pidfd, unless it was a fork that never sent one. */
    bool ended = polls[0].revents != 0 && !hear_news(c) && c->ctl < 0 && c->pidfd < 0;

    if (ended || polls[1].revents != 0)
        on_pid(c);
    if (polls[2].revents != 0 && c->state == CELL_RUNNING) {
        cgroup_oom_ack(c->cgroup);
        look(c);
    }
}

void cell_result_take(struct cell *c, struct cell_result *ret)
{
    *ret = c->result;
    c->result.kept_fd = -1;
}

bool cell_free(struct cell *c)
{
    if (c->cgroup != NULL) {
        if (!cgroup_free(c->cgroup))
            return false;
        c->cgroup = NULL;
    }
    closep(&c->ctl);
    closep(&c->pidfd);
    closep(&c->fs);
    closep(&c->request);
    closep(&c->result.kept_fd);
    free(c);
    return true;
}
