/* init_exec.c - the last steps before the program: session, descriptors, limits, filter, exec. */
#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void init_exec_fail(int error_fd, const struct err *err)
{
    ssize_t ignored = write(error_fd, err, sizeof(*err));

    (void)ignored;
    _exit(127);
}

/* What a submission was compiled to is its own fault, and ends as a shell would end it. */
static void not_executable(const char *path) __attribute__((noreturn));
static void not_executable(const char *path)
{
    dprintf(STDERR_FILENO, "%s: cannot be executed: %s\n", path, strerror(errno));
    _exit(126);
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
        bool on;
        uint64_t value;
    } limits[] = {
        /* 0 would not keep a piped core_pattern from starting, 1 does (core(5)) */
        {RLIMIT_CORE, cell_defence("rlimit_core"), 1},
        {RLIMIT_FSIZE, cell_defence("rlimit_fsize"), l->file_bytes},
        {RLIMIT_NOFILE, cell_defence("rlimit_nofile"), l->open_files},
        {RLIMIT_STACK, cell_defence("rlimit_stack"), l->stack_bytes},
        /* behind the cgroup's measure, should the jailer be late */
        {RLIMIT_CPU, cell_defence("rlimit_cpu"), l->cpu_ms / 1000 + 2},
        {RLIMIT_MEMLOCK, cell_defence("rlimit_memlock"), 64 * 1024},
        {RLIMIT_MSGQUEUE, cell_defence("rlimit_msgqueue"), 0},
        {RLIMIT_NICE, cell_defence("rlimit_nice"), 0},
        {RLIMIT_RTPRIO, cell_defence("rlimit_rtprio"), 0},
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        int rc = limits[i].on ? limit(limits[i].which, limits[i].value, reterr) : 0;

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Of a cell's processes the kernel should kill the program's first, never PID 1.  One that executes has its
 * memory from PID 1 until then. */
static int prefer_in_oom(bool goes_on, struct err *reterr)
{
    CLEAN_FD int fd = -1;

    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) /* /proc/self is not ours otherwise; exec does it anyway */
        return err_sys(reterr, "own /proc/self");
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (cell_defence("oom_score") && (fd < 0 || write(fd, "1000", 4) != 4))
        return err_sys(reterr, "write oom_score_adj");
    return goes_on || !cell_defence("init_dumpable") || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
               ? 0
               : err_sys(reterr, "close the cell's init again");
}

/* Above the standard ones come the socket of one that is to be warm, and error_fd, close-on-exec; everything
 * above is closed.  Neither is 3 before: that is init's own socket. */
static int set_descriptors(struct init_exec *x, struct err *reterr)
{
    const int last = x->warm_fd >= 0 ? CELL_FD_WARM + 1 : CELL_FD_WARM;

    if (dup2(x->stdin_fd, 0) < 0 || dup2(x->stdout_fd, 1) < 0 || dup2(x->stderr_fd, 2) < 0)
        return err_sys(reterr, "place the standard descriptors");
    if (x->warm_fd >= 0 && dup2(x->warm_fd, CELL_FD_WARM) < 0)
        return err_sys(reterr, "place the socket");
    if (x->error_fd != last && dup3(x->error_fd, last, O_CLOEXEC) < 0)
        return err_sys(reterr, "place the error pipe");
    x->error_fd = last;
    return !cell_defence("descriptors") || syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0) == 0
               ? 0
               : err_sys(reterr, "close other descriptors");
}

static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void reset_signals(void)
{
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    unblock_signals();
}

void init_exec_main(const struct init_exec *given)
{
    struct init_exec x = *given;
    bool zygote = (x.order->flags & CELL_ZYGOTE) != 0;
    struct err err = {0};
    int rc;

    if (x.goes_on) /* as its program has them */
        unblock_signals();
    else
        reset_signals();
    umask(022);
    if (cell_defence("session") && setsid() < 0) {
        err_sys(&err, "make a session");
        init_exec_fail(x.error_fd, &err);
    }
    /* what a zygote forks inherits what it has, and begins as a cell does */
    if (set_descriptors(&x, &err) != 0 ||
        (!zygote && (prefer_in_oom(x.goes_on, &err) != 0 || set_limits(&x.order->limits, &err) != 0)))
        init_exec_fail(x.error_fd, &err);
    if (!zygote && cell_defence("seccomp") && (rc = cell_seccomp_load(x.filter)) != 0) {
        err_set(&err, rc, "load the seccomp filter: %s", strerror(-rc));
        init_exec_fail(x.error_fd, &err);
    }
    if (x.goes_on) {
        closep(&x.error_fd);
        return;
    }
    if (x.argv[0] == NULL)
        err_set(&err, ERR_INTERNAL, "a step without a program");
    else if (execve(x.argv[0], x.argv, cell_defence("environment") ? x.env : environ) != 0 &&
             strncmp(x.argv[0], "/box/", 5) == 0 && errno != ENOMEM && errno != EAGAIN && errno != EIO &&
             errno != ENFILE && errno != EMFILE)
        not_executable(x.argv[0]);
    else
        err_sys(&err, "execute `%s`", x.argv[0]);
    init_exec_fail(x.error_fd, &err);
}
