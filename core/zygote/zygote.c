/* zygote.c - forks that become cells (execd/zygote.h).
 *
 * Theory of operation.  This program's cell is a user namespace of its own (core/cell/cell_setup.h), and it
 * is asked for forks by the jailer, over descriptor 3.  A vfork closes a cell around itself by the very steps
 * of the jailer's children, and is then PID 1 of it.  It forks the process that will be the job, and executes
 * execd-init, as the jailer's children do.  When the job comes, execd-init hands it over to the process that
 * waits for it, which takes the last steps before a program's exec, the filter among them, and goes on
 * instead.
 *
 * So nothing but time is saved: the job has the walls of a cold one.  What differs is that no exec clears its
 * memory, so everything that this program holds is meant to be seen.
 *
 * The fork has to be glibc's, or a language's runtime would not know its own thread; so the pid namespace is
 * made before, by unshare(2), and left again for the sake of the next. */
#include "execd/zygote.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/cell_setup.h"
#include "cgroup/cgroup.h"
#include "init.h"

enum { REQUEST_CTL, REQUEST_INIT, REQUEST_JOIN }; /* descriptors of a request, in order */

/* ---- in a fork ------------------------------------------------------------------------ */

static void end(const struct err *err) __attribute__((noreturn));
static void end(const struct err *err)
{
    const struct cell_news failed = {.kind = CELL_NEWS_FAILED, .err = *err};

    cell_message_send(CELL_FD_CTL, &failed, sizeof(failed), NULL, 0, 0);
    _exit(1);
}

static void end_for_errno(const char *what) __attribute__((noreturn));
static void end_for_errno(const char *what)
{
    struct err err = {0};

    err_sys(&err, "%s", what);
    end(&err);
}

static int join(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (write(fds[i], "0", 1) != 1)
            return -errno;
    return 0;
}

static void become_cell(const struct cell_request *m, const int *fds, size_t count)
{
    const struct cell_child in = {.uid = m->uid,
                                  .ctl = CELL_FD_CTL,
                                  .init_fd = fds[REQUEST_INIT],
                                  .joined = join(fds + REQUEST_JOIN, count - REQUEST_JOIN),
                                  .above_proc = true};
    struct err err = {0};

    if (dup2(fds[REQUEST_CTL], CELL_FD_CTL) < 0)
        _exit(1);
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) != 0) /* else it has all of the zygote's */
        end_for_errno("make a fork's namespaces");
    if (cell_setup(&in, &err) != 0)
        end(&err);
}

/* Returns as the job. */
static void wait_for_job(int socket, struct execd_zygote_job *ret)
{
    struct cell_order order;
    struct err err = {0};
    struct bytes args;
    int fds[INIT_FORK_FDS];
    size_t count;
    ssize_t n = cell_message_recv(socket, &order, sizeof(order), fds, COUNT_OF(fds), &count, 0);

    if (n == 0)
        _exit(0); /* its init has ended */
    if (n < 0 || count != COUNT_OF(fds)) {
        err_set(&err, ERR_INTERNAL, "a zygote's fork got no job that makes sense");
        init_exec_fail(socket, &err);
    }
    if (cell_bundle_map(fds[0], &args, &err) != 0 ||
        (ret->argv = init_words(args, CELL_ENTRY_ARG, &err)) == NULL ||
        (ret->env = init_words(args, CELL_ENTRY_ENV, &err)) == NULL)
        init_exec_fail(socket, &err);
    init_exec_main(&(struct init_exec){.order = &order,
                                       .filter = init_filter(order.profile),
                                       .argv = ret->argv,
                                       .env = ret->env,
                                       .stdin_fd = fds[1],
                                       .stdout_fd = fds[2],
                                       .stderr_fd = fds[3],
                                       .error_fd = socket,
                                       .warm_fd = -1,
                                       .goes_on = (order.flags & CELL_EXECUTES) == 0});
    cell_bundle_unmap(&args);
    for (ret->argc = 0; ret->argv[ret->argc] != NULL; ret->argc++)
        ;
    environ = ret->env;
}

/* To the kernel a vfork has no restartable sequences (rseq(2)), nor has its fork; glibc has not heard of
 * that, and would say for ever that it runs where the zygote did. */
static void register_rseq(void)
{
    if (__rseq_size != 0)
        syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
                __rseq_size < sizeof(struct rseq) ? sizeof(struct rseq) : __rseq_size, 0, RSEQ_SIG);
}

/* In the cell's PID 1; returns as the job, in its child. */
static void fork_job(struct execd_zygote_job *ret)
{
    char name[] = "execd-init", *const argv[] = {name, NULL};
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || (pid = fork()) < 0)
        end_for_errno("fork a zygote's job");
    if (pid == 0) { /* without the socket to the jailer, which is not for jobs */
        if (dup3(ends[1], CELL_FD_CTL, O_CLOEXEC) < 0 || close_range(CELL_FD_CTL + 1, ~0u, 0) != 0)
            _exit(1);
        register_rseq();
        wait_for_job(CELL_FD_CTL, ret);
        return;
    }
    if (dup2(ends[0], INIT_FD_FORK) < 0 || close_range(INIT_FD_FORK + 1, ~0u, 0) != 0)
        end_for_errno("place a zygote's job");
    syscall(SYS_execveat, CELL_FD_INIT, "", argv, &argv[1], AT_EMPTY_PATH);
    end_for_errno("execute execd-init");
}

/* ---- in the zygote --------------------------------------------------------------------- */

/* What is to be forked is complete by now, and a fork sees none of our files: to take them from each by
 * itself would be a grace period of RCU for each mount of each job. */
static int hide_files(void)
{
    static const char *const ours[] = {"/dev/shm", "/tmp", "/box"};

    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (umount2(ours[i], MNT_DETACH) != 0)
            return -errno;
    return 0;
}

/* The cell's PID 1 has our memory, and we wait, until it executes: a copy would be made to be thrown away. So
 * it changes nothing that is ours, and does not return from here; the job that it forks does, in its own
 * memory. `chld`: what a job is to do about SIGCHLD.  Returns its pid, or -errno. */
static pid_t fork_cell(const struct cell_request *m, const int *fds, size_t count,
                       const struct sigaction *chld, struct execd_zygote_job *ret, bool *ret_is_job)
{
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), rc;
    pid_t pid = -1;

    /* NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork): see above */
    if (own >= 0 && unshare(CLONE_NEWPID) == 0 && (pid = vfork()) == 0) {
        sigaction(SIGCHLD, chld, NULL);
        become_cell(m, fds, count);
        fork_job(ret);
        *ret_is_job = true;
        return 0;
    }
    /* NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */
    rc = pid < 0 ? -errno : pid;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) !=
        0) /* where the cell was not built to its end it was left at 1 */
        rc = -errno;
    if (own >= 0 && setns(own, CLONE_NEWPID) != 0) /* or the next would be in this one's namespace */
        rc = -errno;
    closep(&own);
    return rc;
}

static int serve_one(struct execd_zygote_job *ret, const struct sigaction *chld, bool *ret_is_job)
{
    struct cell_request m;
    int fds[REQUEST_JOIN + CG_COUNT];
    size_t count;
    ssize_t n = cell_message_recv(EXECD_ZYGOTE_FD, &m, sizeof(m), fds, COUNT_OF(fds), &count, 0);
    pid_t pid = -EPROTO;

    if (n <= 0)
        return n == 0 ? -ECANCELED : (int)n;
    if (count >= REQUEST_JOIN)
        pid = fork_cell(&m, fds, count, chld, ret, ret_is_job);
    if (*ret_is_job)
        return 0;
    for (size_t i = 0; i < count; i++)
        closep(&fds[i]);
    return pid < 0 ? (int)pid : 0;
}

int execd_zygote_serve(struct execd_zygote_job *job)
{
    const struct sigaction no_zombies = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    struct sigaction chld;
    bool is_job = false;
    int rc;

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || fcntl(EXECD_ZYGOTE_FD, F_SETFD, FD_CLOEXEC) != 0 ||
        sigaction(SIGCHLD, &no_zombies, &chld) != 0)
        return -errno;
    for (rc = hide_files(); rc == 0 && !is_job;)
        rc = serve_one(job, &chld, &is_job);
    return rc;
}
