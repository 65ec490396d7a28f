/* cell_exec.c - the last steps before the program: session, descriptors, limits, filter, exec. */
#include "cell_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const struct cell_exec *x, const struct err *err) __attribute__((noreturn));
static void fail(const struct cell_exec *x, const struct err *err)
{
    ssize_t ignored = write(x->error_fd, err, sizeof(*err));

    (void)ignored;
    _exit(127);
}

static int limit(int which, uint64_t value, struct err *reterr)
{
    struct rlimit r;

    if (getrlimit((__rlimit_resource_t)which, &r) != 0)
        return err_sys(reterr, "read resource limit %d", which);
    r.rlim_max = r.rlim_cur = MIN((rlim_t)value, r.rlim_max);
    return setrlimit((__rlimit_resource_t)which, &r) == 0 ? 0
                                                          : err_sys(reterr, "set resource limit %d", which);
}

static int set_limits(const struct job_limits *l, struct err *reterr)
{
    const struct {
        int which;
        uint64_t value;
    } limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_FSIZE, l->file_bytes},
        {RLIMIT_NOFILE, l->open_files},
        {RLIMIT_STACK, l->stack_bytes},
        {RLIMIT_CPU, l->cpu_ms / 1000 + 2}, /* behind the cgroup's measure, should the jailer be late */
        {RLIMIT_MEMLOCK, 64 * 1024},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_NICE, 0},
        {RLIMIT_RTPRIO, 0},
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        int rc = limit(limits[i].which, limits[i].value, reterr);

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Of a cell's processes the kernel should kill the program's first, never PID 1. */
static int prefer_in_oom(struct err *reterr)
{
    CLEAN_FD int fd = -1;

    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) /* /proc/self is not ours otherwise; exec does it anyway */
        return err_sys(reterr, "own /proc/self");
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1000", 4) != 4)
        return err_sys(reterr, "write oom_score_adj");
    return 0;
}

/* error_fd ends up as 3, close-on-exec; everything above is closed. */
static int set_descriptors(struct cell_exec *x, struct err *reterr)
{
    if (dup2(x->stdin_fd, 0) < 0 || dup2(x->stdout_fd, 1) < 0 || dup2(x->stderr_fd, 2) < 0)
        return err_sys(reterr, "place the standard descriptors");
    if (x->error_fd != 3 && dup3(x->error_fd, 3, O_CLOEXEC) < 0)
        return err_sys(reterr, "place the error pipe");
    x->error_fd = 3;
    return close_range(4, ~0u, 0) == 0 ? 0 : err_sys(reterr, "close other descriptors");
}

static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void cell_exec_main(const struct cell_exec *given)
{
    struct cell_exec x = *given;
    struct err err = {0};
    int rc;

    reset_signals();
    umask(022);
    if (setsid() < 0) {
        err_sys(&err, "make a session");
        fail(&x, &err);
    }
    if (prefer_in_oom(&err) != 0 || set_descriptors(&x, &err) != 0 || set_limits(&x.order->limits, &err) != 0)
        fail(&x, &err);
    if ((rc = cell_seccomp_load(x.filter)) != 0) {
        err_set(&err, rc, "load the seccomp filter: %s", strerror(-rc));
        fail(&x, &err);
    }
    if (x.order->check) {
        if (cell_check(&err) != 0)
            fail(&x, &err);
        _exit(0);
    }
    if (x.argv[0] == NULL)
        err_set(&err, ERR_INTERNAL, "a step without a program");
    else if (execve(x.argv[0], x.argv, x.env) != 0)
        err_sys(&err, "execute `%s`", x.argv[0]);
    fail(&x, &err);
}
