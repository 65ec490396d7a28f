/* cell_init.c - PID 1 of a cell: says ready, takes one order, watches the program, ends. */
#include "cell_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 4096

struct run {
    const struct cell_init *in;
    struct cell_order order;
    int fds[CELL_FDS_MAX];
    size_t fd_count;
    struct bytes args;
    char **argv, **env, **keep;
    int box, sigfd, stdin_fd;
};

static void say(const struct run *r, const struct cell_news *news, int fd)
{
    cell_message_send(r->in->ctl, news, sizeof(*news), &fd, fd >= 0 ? 1 : 0, 0);
}

static void fail(const struct run *r, const struct err *err) __attribute__((noreturn));
static void fail(const struct run *r, const struct err *err)
{
    struct cell_news news = {.kind = CELL_NEWS_FAILED, .err = *err};

    say(r, &news, -1);
    _exit(1);
}

/* ---- the order ------------------------------------------------------------------- */

static void take_order(struct run *r)
{
    struct err err = {0};
    ssize_t n =
        cell_message_recv(r->in->ctl, &r->order, sizeof(r->order), r->fds, CELL_FDS_MAX, &r->fd_count, 0);
    size_t want = 1 + r->order.bundle_count + (r->order.has_stdin ? 1u : 0u) + 2;

    if (n == 0)
        _exit(0); /* the jailer has no use for this cell any more */
    if (n < 0 || r->order.bundle_count > CELL_BUNDLES_MAX || r->fd_count != want || r->order.profile < 1 ||
        r->order.profile > CELL_PROFILES) {
        err_set(&err, ERR_INTERNAL, "a cell got an order that makes no sense");
        fail(r, &err);
    }
}

/* The words of one kind, as an argument vector. */
static char **words(struct run *r, uint32_t kind)
{
    struct cell_entry_view e;
    struct err err = {0};
    size_t at = 0, count = 0;
    char **list = mem_zero(WORDS_MAX + 1, sizeof(*list));
    int rc;

    while ((rc = cell_entry_next(r->args, &at, &e)) == 1) {
        if (e.head.kind != kind)
            continue;
        if (count == WORDS_MAX)
            rc = -E2BIG;
        else
            list[count++] = strndup(e.body, (size_t)e.head.body_len);
        if (rc < 0)
            break;
    }
    if (rc < 0) {
        err_set(&err, ERR_INTERNAL, "the arguments of a cell are malformed or more than %d", WORDS_MAX);
        fail(r, &err);
    }
    return list;
}

static void prepare(struct run *r)
{
    struct err err = {0};

    if (cell_bundle_map(r->fds[0], &r->args, &err) != 0)
        fail(r, &err);
    r->argv = words(r, CELL_ENTRY_ARG);
    r->env = words(r, CELL_ENTRY_ENV);
    r->keep = words(r, CELL_ENTRY_KEEP);
    r->box = open("/box", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (uint32_t i = 0; i < r->order.bundle_count; i++)
        if (cell_unpack(r->box, r->fds[1 + i], &err) != 0)
            fail(r, &err);
    r->stdin_fd = r->order.has_stdin ? r->fds[r->fd_count - 3] : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* ---- the program ------------------------------------------------------------------- */

/* Starts it and waits until it was exec'd; its failure to is ours. */
static pid_t start(struct run *r, uint64_t *ret_begun_ns)
{
    struct err err = {0};
    int report[2];
    ssize_t n;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        err_sys(&err, "start the program's process");
        fail(r, &err);
    }
    if (pid == 0) {
        const struct cell_exec x = {.order = &r->order,
                                    .filter = &r->in->host->filters[r->order.profile - 1],
                                    .argv = r->argv,
                                    .env = r->env,
                                    .stdin_fd = r->stdin_fd,
                                    .stdout_fd = r->fds[r->fd_count - 2],
                                    .stderr_fd = r->fds[r->fd_count - 1],
                                    .error_fd = report[1]};

        cell_exec_main(&x);
    }
    close(report[1]);
    closep(&r->stdin_fd);
    for (size_t i = 0; i < r->fd_count; i++) /* the pipes end when the program's ends are closed */
        if (r->fds[i] >= 0)
            close(r->fds[i]);
    while ((n = read(report[0], &err, sizeof(err))) < 0 && errno == EINTR)
        ;
    close(report[0]);
    *ret_begun_ns = clock_mono_ns();
    if (n == sizeof(err))
        fail(r, &err);
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

static void watch(struct run *r, pid_t pid, int *status, struct rusage *usage)
{
    struct pollfd p[] = {{.fd = r->sigfd, .events = POLLIN}, {.fd = r->in->ctl, .events = POLLIN}};

    while (!reap(pid, status, usage)) {
        struct signalfd_siginfo info;

        if (poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents != 0)
            _exit(1); /* the jailer is gone, and so is everything here */
        if ((p[0].revents & POLLIN) != 0 && read(r->sigfd, &info, sizeof(info)) < 0)
            continue;
    }
}

static uint64_t rusage_cpu_ns(const struct rusage *u)
{
    return ((uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)u->ru_utime.tv_usec + (uint64_t)u->ru_stime.tv_usec) * 1000u;
}

/* The result stands when the program ends; then the rest of the cell dies, then files are kept. */
static void finish(struct run *r, int status, const struct rusage *usage, uint64_t wall_ns)
    __attribute__((noreturn));
static void finish(struct run *r, int status, const struct rusage *usage, uint64_t wall_ns)
{
    struct cell_news news = {.kind = CELL_NEWS_EXIT,
                             .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                             .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                             .wall_ns = wall_ns,
                             .cpu_ns = rusage_cpu_ns(usage),
                             .rss_bytes = (uint64_t)usage->ru_maxrss * 1024u};
    int kept = -1;

    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    if (news.exit_code == 0 && r->keep[0] != NULL &&
        cell_keep(r->box, r->keep, r->order.keep_bytes, &kept, &news.err) != 0)
        news.kind = CELL_NEWS_FAILED;
    say(r, &news, kept);
    _exit(0);
}

void cell_init_main(const struct cell_init *in)
{
    struct run r = {.in = in};
    struct cell_news ready = {.kind = CELL_NEWS_READY};
    struct err err = {0};
    struct rusage usage = {0};
    sigset_t chld;
    uint64_t begun = 0;
    int fs = -1, status = 0;
    pid_t pid;

    if (cell_setup(in, &fs, &err) != 0)
        fail(&r, &err);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    r.sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    say(&r, &ready, fs);
    close(fs);
    take_order(&r);
    prepare(&r);
    pid = start(&r, &begun);
    watch(&r, pid, &status, &usage);
    finish(&r, status, &usage, clock_mono_ns() - begun);
}
