/* init.c - PID 1 of a cell: says ready, takes one order, watches the program, ends (theory of operation:
 * init.h).
 *
 * A program that waits gets a second order, its job (init_go.c). */
#include "init.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    struct cell_order order;
    int fds[CELL_FDS_MAX];
    size_t fd_count;
    struct bytes args;
    char **argv, **env, **keep;
    int box, sigfd, stdin_fd;
    bool waits, forked;             /* for its job; from a zygote */
    uint64_t begun_ns, cpu_base_ns; /* of its job: what came before is not the job's */
};

static void say_with(const struct cell_news *news, const int *fds, size_t count)
{
    cell_message_send(CELL_FD_CTL, news, sizeof(*news), fds, count, 0);
}

void init_say(const struct cell_news *news, int fd)
{
    say_with(news, &fd, fd >= 0 ? 1 : 0);
}

static void fail(const struct err *err) __attribute__((noreturn));
static void fail(const struct err *err)
{
    struct cell_news news = {.kind = CELL_NEWS_FAILED, .err = *err};

    init_say(&news, -1);
    _exit(1);
}

/* ---- the order ------------------------------------------------------------------- */

static void take_order(struct run *r)
{
    struct err err = {0};
    ssize_t n =
        cell_message_recv(CELL_FD_CTL, &r->order, sizeof(r->order), r->fds, CELL_FDS_MAX, &r->fd_count, 0);
    size_t want = 1 + (size_t)r->order.bundle_count + r->order.has_stdin + 2 + r->order.has_warm;

    if (n == 0)
        _exit(0); /* the jailer has no use for this cell any more */
    if (n < 0 || r->order.bundle_count > CELL_BUNDLES_MAX || r->fd_count != want || r->order.profile < 1 ||
        r->order.profile > CELL_PROFILES || ((r->order.flags & CELL_ZYGOTE) != 0 && r->order.has_warm)) {
        err_set(&err, ERR_INTERNAL, "a cell got an order that makes no sense");
        fail(&err);
    }
}

static void prepare(struct run *r)
{
    struct err err = {0};

    if (cell_bundle_map(r->fds[0], &r->args, &err) != 0)
        fail(&err);
    r->waits = (r->order.flags & CELL_WAITS) != 0;
    if ((r->argv = init_words(r->args, CELL_ENTRY_ARG, &err)) == NULL ||
        (r->env = init_words(r->args, CELL_ENTRY_ENV, &err)) == NULL ||
        (r->keep = init_words(r->args, CELL_ENTRY_KEEP, &err)) == NULL)
        fail(&err);
    r->box = open("/box", O_RDONLY | O_DIRECTORY | (cell_defence("descriptors") ? O_CLOEXEC : 0));
    for (uint32_t i = 0; i < r->order.bundle_count; i++)
        if (init_unpack(r->box, r->fds[1 + i], &err) != 0)
            fail(&err);
    if (r->order.has_stdin)
        r->stdin_fd = r->fds[1 + r->order.bundle_count];
    else
        r->stdin_fd = cell_defence("stdin_null") ? open("/dev/null", O_RDONLY | O_CLOEXEC) : dup(r->fds[0]);
}

/* ---- the program ------------------------------------------------------------------- */

/* Its process is there already, and waits. */
static pid_t hand_over(const struct run *r, int *ret_report)
{
    const int *outputs = r->fds + 1 + r->order.bundle_count + r->order.has_stdin;
    const int fds[INIT_FORK_FDS] = {r->fds[0], r->stdin_fd, outputs[0], outputs[1]};
    struct err err = {0};
    int rc = cell_message_send(INIT_FD_FORK, &r->order, sizeof(r->order), fds, COUNT_OF(fds), 0);

    if (rc != 0) {
        err_set(&err, ERR_AGAIN, "hand a job to a zygote's fork: %s", strerror(-rc));
        fail(&err);
    }
    *ret_report = INIT_FD_FORK;
    return INIT_FORK_PID;
}

/* A zygote's own descriptor is where it is asked for cells, by the jailer. */
static int open_requests(void)
{
    const struct cell_news serves = {.kind = CELL_NEWS_SERVES};
    struct err err = {0};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        err_sys(&err, "socketpair for a zygote");
        fail(&err);
    }
    init_say(&serves, ends[0]);
    close(ends[0]);
    return ends[1];
}

static int be_program(void *arg)
{
    init_exec_main(arg);
    _exit(127);
}

/* Its process borrows our memory until it executes: a copy would be made to be thrown away. */
static pid_t start_process(struct run *r, int *ret_report)
{
    static char stack[65536] __attribute__((aligned(16)));
    const int *outputs = r->fds + 1 + r->order.bundle_count + r->order.has_stdin;
    struct init_exec x = {.order = &r->order,
                          .filter = init_filter(r->order.profile),
                          .argv = r->argv,
                          .env = r->env,
                          .stdin_fd = r->stdin_fd};
    struct err err = {0};
    int report[2];
    pid_t pid;

    if ((r->order.flags & CELL_ZYGOTE) != 0) {
        r->order.has_warm = true;
        r->fds[r->fd_count++] = open_requests();
    }
    if (pipe2(report, O_CLOEXEC) != 0) {
        err_sys(&err, "make a pipe for the program's process");
        fail(&err);
    }
    x.stdout_fd = outputs[0];
    x.stderr_fd = outputs[1];
    x.error_fd = report[1];
    x.warm_fd = r->order.has_warm ? outputs[2] : -1;
    if ((pid = clone(be_program, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &x)) < 0) {
        err_sys(&err, "start the program's process");
        fail(&err);
    }
    close(report[1]);
    *ret_report = report[0];
    return pid;
}

/* Starts it and waits until it was exec'd, or goes on by itself; its failure to is ours. */
static pid_t start(struct run *r)
{
    struct err err = {0};
    int report;
    ssize_t n;
    pid_t pid;

    r->begun_ns = clock_mono_ns(); /* before: by the time that we go on it may have ended */
    pid = r->forked ? hand_over(r, &report) : start_process(r, &report);
    closep(&r->stdin_fd);
    for (size_t i = 0; i < r->fd_count; i++) /* the pipes end when the program's ends are closed */
        if (r->fds[i] >= 0)
            close(r->fds[i]);
    while ((n = read(report, &err, sizeof(err))) < 0 && errno == EINTR)
        ;
    close(report);
    if (n == sizeof(err))
        fail(&err);
    return pid;
}

/* Reaps whatever ended, orphans included; true once `pid` did. */
static bool reap(pid_t pid, int *status, struct rusage *usage)
{
    bool over = false;
    struct rusage u;
    int s;
    pid_t p;

    while ((p = wait4(-1, &s, WNOHANG, &u)) > 0) {
        if (p != pid)
            continue;
        over = true;
        *status = s;
        *usage = u;
    }
    return over;
}

static void hear_jailer(struct run *r, pid_t pid)
{
    struct err err = {0};

    if (!r->waits)
        _exit(1); /* the jailer is gone, and so is everything here */
    r->waits = false;
    if (init_go(pid, &r->order, r->box, &r->begun_ns, &r->cpu_base_ns, &err) != 0)
        fail(&err);
}

static void watch(struct run *r, pid_t pid, int *status, struct rusage *usage)
{
    struct pollfd p[] = {{.fd = r->sigfd, .events = POLLIN}, {.fd = CELL_FD_CTL, .events = POLLIN}};

    while (!reap(pid, status, usage)) {
        struct signalfd_siginfo info;

        if (poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents != 0)
            hear_jailer(r, pid);
        if ((p[0].revents & POLLIN) != 0 && read(r->sigfd, &info, sizeof(info)) < 0)
            continue;
    }
}

static uint64_t rusage_cpu_ns(const struct rusage *u)
{
    return ((uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)u->ru_utime.tv_usec + (uint64_t)u->ru_stime.tv_usec) * 1000u;
}

static bool box_full(int box)
{
    struct statfs s;

    return fstatfs(box, &s) == 0 && (s.f_bavail == 0 || s.f_ffree == 0);
}

/* Whoever lost its parent is our child, so without children we are alone: the search that kill(2) makes for
 * others goes through every process of the machine. */
static void kill_rest(void)
{
    if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
        return;
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
        ;
}

/* The result stands when the program ends; then the rest of the cell dies, then files are kept. */
static void finish(struct run *r, int status, const struct rusage *usage) __attribute__((noreturn));
static void finish(struct run *r, int status, const struct rusage *usage)
{
    uint64_t wall_ns = clock_mono_ns() - r->begun_ns, cpu_ns = rusage_cpu_ns(usage);
    struct cell_news news = {.kind = CELL_NEWS_EXIT,
                             .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                             .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                             .wall_ns = wall_ns,
                             .cpu_ns = cpu_ns - MIN(cpu_ns, r->cpu_base_ns),
                             .rss_bytes = (uint64_t)usage->ru_maxrss * 1024u,
                             .box_full = box_full(r->box)};
    struct cell_news kept = {.kind = CELL_NEWS_KEPT};
    int fd = -1;

    init_say(&news, -1); /* the result is fixed */
    if (cell_defence("kill_rest"))
        kill_rest();
    if (news.exit_code != 0 || (r->keep[0] == NULL && r->order.keep_bytes == 0))
        _exit(0);
    if (init_keep(r->box, r->keep, r->order.keep_bytes, &fd, &kept.err) != 0)
        kept.kind = CELL_NEWS_FAILED;
    init_say(&kept, fd);
    _exit(0);
}

/* In a zygote's cell we are nobody's child that the host could wait for, so it gets a descriptor of us. */
static void say_ready(bool forked)
{
    const struct cell_news ready = {.kind = CELL_NEWS_READY};
    int fds[2] = {CELL_FD_BOX, -1};
    struct err err = {0};

    if (forked && (fds[1] = (int)syscall(SYS_pidfd_open, getpid(), 0)) < 0) {
        err_sys(&err, "open a pidfd of the cell's init");
        fail(&err);
    }
    say_with(&ready, fds, forked ? 2 : 1);
    closep(&fds[0]);
    closep(&fds[1]);
}

int main(int argc, char **argv)
{
    struct run r = {.fd_count = 0};
    struct err err = {0};
    struct rusage usage = {0};
    sigset_t chld;
    int status = 0;
    pid_t pid;

#ifdef EXECD_MUTATE
    cell_defence_take(argc, argv);
#else
    (void)argv;
#endif
    if (argc < 1 || (getpid() != 1 && cell_defence("pidns")))
        return 2; /* not for people */
    if ((cell_defence("init_dumpable") && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) ||
        fcntl(CELL_FD_CTL, F_SETFD, FD_CLOEXEC) != 0) {
        err_sys(&err, "close the cell's init");
        fail(&err);
    }
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    r.sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    if (r.sigfd < 0 || sigprocmask(SIG_BLOCK, &chld, NULL) != 0) {
        err_sys(&err, "watch the program");
        fail(&err);
    }
    r.forked = fcntl(INIT_FD_FORK, F_SETFD, FD_CLOEXEC) == 0;
    say_ready(r.forked);
    take_order(&r);
    prepare(&r);
    pid = start(&r);
    watch(&r, pid, &status, &usage);
    finish(&r, status, &usage);
}
