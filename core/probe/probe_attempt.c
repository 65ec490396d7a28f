/* probe_attempt.c - what a program in a cell must not be able to do, tried.
 *
 * Most arguments are nonsense on purpose: the filter refuses by number, before the kernel would look at
 * them, so any other answer than the filter's means that the kernel was reached. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32_BIT 0x40000000
#define FORKS_TRIED 4096

/* The filter's answers; arguments that are none would get others from the kernel itself. */
static bool refused(long rc)
{
    return rc < 0 && (errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP);
}

/* ---- system calls that are refused whatever they are asked ------------------------------- */

struct call {
    long nr;
    const char *what;
};

static const char *try_all(const struct call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!refused(syscall(calls[i].nr, -1L, -1L, -1L, -1L, -1L, -1L)))
            return probe_text("could reach %s", calls[i].what);
    return NULL;
}
#define CALL(name)                                                                                           \
    {                                                                                                        \
        SYS_##name, #name                                                                                    \
    }

static const char *try_kernel_surface(const struct probe_order *o)
{
    static const struct call calls[] = {CALL(io_uring_setup),
                                        CALL(io_uring_enter),
                                        CALL(io_uring_register),
                                        CALL(bpf),
                                        CALL(perf_event_open),
                                        CALL(userfaultfd),
                                        CALL(keyctl),
                                        CALL(add_key),
                                        CALL(request_key),
                                        CALL(init_module),
                                        CALL(finit_module),
                                        CALL(delete_module),
                                        CALL(kexec_load),
                                        CALL(syslog),
                                        CALL(acct),
                                        CALL(swapon),
                                        CALL(reboot),
                                        CALL(quotactl),
                                        CALL(nfsservctl),
                                        CALL(lookup_dcookie),
                                        CALL(name_to_handle_at),
                                        CALL(open_by_handle_at),
                                        CALL(vmsplice),
                                        CALL(splice),
                                        CALL(tee),
                                        CALL(fanotify_init),
                                        CALL(inotify_init1),
                                        CALL(io_setup),
                                        CALL(io_submit),
                                        CALL(modify_ldt),
                                        CALL(iopl),
                                        CALL(ioperm),
                                        CALL(settimeofday),
                                        CALL(clock_settime),
                                        CALL(adjtimex),
                                        CALL(sethostname),
                                        CALL(setdomainname),
                                        CALL(move_pages),
                                        CALL(migrate_pages),
                                        CALL(kcmp),
                                        CALL(remap_file_pages),
                                        CALL(setxattr),
                                        CALL(flock)};

    (void)o;
    return try_all(calls, COUNT_OF(calls));
}

static const char *try_mount_api(const struct probe_order *o)
{
    static const struct call calls[] = {CALL(mount),     CALL(umount2),    CALL(pivot_root),   CALL(chroot),
                                        CALL(open_tree), CALL(move_mount), CALL(fsopen),       CALL(fsconfig),
                                        CALL(fsmount),   CALL(fspick),     CALL(mount_setattr)};

    (void)o;
    return try_all(calls, COUNT_OF(calls));
}

static const char *try_tracing(const struct probe_order *o)
{
    static const struct call calls[] = {CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
                                        CALL(process_madvise), CALL(pidfd_getfd)};

    (void)o;
    return try_all(calls, COUNT_OF(calls));
}

static const char *try_ipc(const struct probe_order *o)
{
    static const struct call calls[] = {CALL(shmget), CALL(shmat),  CALL(semget),  CALL(semop),
                                        CALL(msgget), CALL(msgsnd), CALL(mq_open), CALL(mq_unlink)};

    (void)o;
    return try_all(calls, COUNT_OF(calls));
}

static const char *try_privileges(const struct probe_order *o)
{
    static const struct call calls[] = {CALL(setuid),    CALL(setgid),  CALL(setgroups), CALL(setresuid),
                                        CALL(setresgid), CALL(capset),  CALL(setfsuid),  CALL(chown),
                                        CALL(fchown),    CALL(fchownat)};

    (void)o;
    return try_all(calls, COUNT_OF(calls));
}

/* ---- namespaces ------------------------------------------------------------------------------- */

static const struct {
    unsigned long flag;
    const char *name;
} namespaces[] = {{CLONE_NEWNS, "mount"},     {CLONE_NEWUSER, "user"}, {CLONE_NEWPID, "pid"},
                  {CLONE_NEWNET, "network"},  {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
                  {CLONE_NEWCGROUP, "cgroup"}};

static const char *try_namespaces(const struct probe_order *o)
{
    (void)o;
    for (size_t i = 0; i < COUNT_OF(namespaces); i++) {
        long pid = syscall(SYS_clone, namespaces[i].flag | SIGCHLD, 0L, 0L, 0L, 0L);

        if (pid == 0)
            _exit(0);
        if (!refused(pid))
            return probe_text("could clone into a %s namespace", namespaces[i].name);
        if (!refused(syscall(SYS_unshare, namespaces[i].flag)))
            return probe_text("could make a %s namespace", namespaces[i].name);
        if (!refused(syscall(SYS_setns, -1, namespaces[i].flag)))
            return probe_text("could enter a %s namespace", namespaces[i].name);
    }
    /* Its flags lie behind a pointer, where no filter sees them. */
    return syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS ? NULL : "could reach clone3";
}

/* ---- sockets --------------------------------------------------------------------------------------- */

static const char *try_sockets(const struct probe_order *o)
{
    static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    int pair[2];

    (void)o;
    for (int family = 0; family < 46; family++)
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            if (!refused(socket(family, kinds[k], 0)))
                return probe_text("could reach sockets of family %d", family);
    for (int family = 2; family < 46; family++)
        if (!refused(socketpair(family, SOCK_STREAM, 0, pair)))
            return probe_text("could reach socket pairs of family %d", family);
    if (!refused(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)))
        return "could make a datagram pair, which can be given a name that others see";
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return "cannot make a pair of connected sockets";
    if (!refused(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int))))
        return "could set options of sockets";
    close(pair[0]);
    close(pair[1]);
    if (!refused(bind(-1, NULL, 0)) || !refused(connect(-1, NULL, 0)) || !refused(listen(-1, 1)) ||
        !refused(accept(-1, NULL, NULL)))
        return "could bind, connect, listen or accept";
    return NULL;
}

/* ---- arguments that are judged ------------------------------------------------------------------------ */

static const char *try_terminal(const struct probe_order *o)
{
    static const unsigned long requests[] = {0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */,
                                             0x100005412UL /* the same for the kernel's `unsigned` */};

    (void)o;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        if (!refused(syscall(SYS_ioctl, 0L, requests[i], "x")))
            return probe_text("could reach ioctl 0x%lx", requests[i]);
    return NULL;
}

static const char *try_arguments(const struct probe_order *o)
{
    struct rlimit r = {0};

    (void)o;
    if (!refused(personality(ADDR_NO_RANDOMIZE)) || !refused(personality(READ_IMPLIES_EXEC)))
        return "could change its personality";
    if (!refused(syscall(SYS_prlimit64, 1L, (long)RLIMIT_NOFILE, NULL, &r)))
        return "could reach its init's limits";
    if (!refused(syscall(SYS_prlimit64, 0L, (long)RLIMIT_CORE, &r, NULL)))
        return "could change its limit of core size";
    if (!refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) || !refused(prctl(PR_SET_SECCOMP, 0, 0, 0, 0)) ||
        !refused(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0)) ||
        !refused(prctl(PR_SET_MM, 0, 0, 0, 0)))
        return "could make calls of prctl that nobody needs";
    if (!refused(chmod("/box", 04755)) || !refused(syscall(SYS_mknod, "/tmp/.probe-d", 0020600L, 0x103L)))
        return "could make a set-user-ID file or a device";
    if (!refused(fcntl(0, F_SETLEASE, F_RDLCK)) || !refused(fcntl(0, F_NOTIFY, 0)) ||
        !refused(fcntl(0, F_GETLK, NULL)) || fcntl(0, F_SETLK, NULL) != 0 ||
        fcntl(0, F_SETLKW, NULL) != 0) /* these two end in the filter, as if all were well */
        return "could reach leases or locks of shared files";
    return NULL;
}

/* ---- other ways into the kernel
 * ---------------------------------------------------------------------------- */

#ifdef __x86_64__
static void by_int80(void)
{
    long result = 20; /* getpid of i386 */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
}

static void by_x32(void)
{
    syscall(X32_BIT + SYS_getpid);
}

/* SIGSEGV where the kernel has no such entry at all. */
static bool dies(void (*how)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        how();
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
           (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
}

static const char *try_foreign(const struct probe_order *o)
{
    (void)o;
    if (!dies(by_int80))
        return "could make system calls of i386";
    return dies(by_x32) ? NULL : "could make system calls of x32";
}
#endif

static const char *try_signals(const struct probe_order *o)
{
    (void)o;
    /* Init is of the same uid: what protects it is that it is PID 1.  SIGKILL from inside is ignored. */
    kill(1, SIGKILL);
    return getppid() == 1 ? NULL : "could kill its init";
}

static const char *try_processes(const struct probe_order *o)
{
    static pid_t children[FORKS_TRIED];
    uint64_t made = 0;

    if (o->processes == 0)
        return NULL;
    while (made < FORKS_TRIED && made <= o->processes && (children[made] = fork()) >= 0) {
        if (children[made] == 0)
            for (;;)
                pause();
        made++;
    }
    for (uint64_t i = 0; i < made; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    return made < o->processes ? NULL : probe_text("could have %llu processes", (unsigned long long)made + 1);
}

const struct probe_try probe_attempts[] = {{"kernel_surface", try_kernel_surface},
                                           {"mount_api", try_mount_api},
                                           {"tracing", try_tracing},
                                           {"ipcns", try_ipc},
                                           {"ids", try_privileges},
                                           {"namespaces", try_namespaces},
                                           {"sockets", try_sockets},
                                           {"arguments", try_terminal},
                                           {"arguments", try_arguments},
#ifdef __x86_64__
                                           {"foreign_calls", try_foreign},
#endif
                                           {"init", try_signals},
                                           {"cgroup_pids", try_processes},
                                           {NULL, NULL}};
