/* cell_seccomp_lists.c - which system calls are allowed, by name; docs/syscalls.md shows what comes of it.
 *
 * At most 150 per profile.  An old call has its place where glibc or musl still makes it (glibc: creat,
 * epoll_wait, alarm, pause, time in static programs; musl: open, stat, select, fork, tkill); one that both
 * have left for a newer one has not. */
#include "cell_seccomp_lists.h"
#include "cell_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/prctl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* clang-format off */
const char *const cell_seccomp_common[] = {
    /* files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev",
    "open", "openat", "creat", "close", "lseek", "dup", "dup2", "dup3",
    "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat",
    "readlink", "readlinkat", "getdents64", "getcwd", "chdir", "fchdir", "umask",
    "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat",
    "link", "linkat", "symlink", "symlinkat", "truncate", "ftruncate", "fallocate", "fsync", "fdatasync", "utimensat",
    /* waiting */
    "pipe", "pipe2", "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime",
    /* memory */
    "mmap", "munmap", "mprotect", "mremap", "brk", "madvise", "msync",
    /* processes and threads */
    "fork", "vfork", "execve", "exit", "exit_group", "wait4", "waitid", "getpid", "getppid", "gettid",
    "getpgid", "setpgid", "getpgrp", "getsid", "setsid", "getuid", "geteuid", "getgid", "getegid", "getgroups",
    "set_tid_address", "set_robust_list", "rseq", "futex", "sched_yield", "sched_getaffinity",
    "getpriority", "setpriority", "getrusage",
    /* signals */
    "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigsuspend", "rt_sigqueueinfo", "sigaltstack", "pause", "restart_syscall",
    /* time and the machine */
    "time", "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "times", "alarm",
    "setitimer", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
    "uname", "sysinfo", "getrandom",
    /* on what socketpair made */
    "shutdown", "getsockopt", "getsockname",
    NULL,
};

const char *const cell_seccomp_jit[] = {"membarrier", NULL};

/* What callers take as "not here" and have a way round: a libc or a runtime then uses an older call, a newer
 * one, or does without. */
#define ABSENT(name) {name, ENOSYS}
/* As on a file system without extended attributes: to programs that copy files any other answer is an error. */
#define NO_XATTR(name) {name, EOPNOTSUPP}
const struct cell_seccomp_answer cell_seccomp_answers[] = {
    ABSENT("clone3"), ABSENT("io_uring_setup"), ABSENT("io_uring_enter"), ABSENT("io_uring_register"),
    ABSENT("landlock_create_ruleset"), ABSENT("landlock_add_rule"), ABSENT("landlock_restrict_self"),
    ABSENT("preadv2"), ABSENT("pwritev2"), ABSENT("openat2"), ABSENT("faccessat2"), ABSENT("getdents"),
    ABSENT("renameat2"), ABSENT("close_range"), ABSENT("utime"), ABSENT("utimes"), ABSENT("futimesat"),
    ABSENT("copy_file_range"), ABSENT("sync_file_range"), ABSENT("fadvise64"), ABSENT("epoll_pwait2"),
    ABSENT("eventfd"), ABSENT("signalfd"), ABSENT("memfd_create"), ABSENT("execveat"),
    ABSENT("futex_waitv"), ABSENT("getcpu"), ABSENT("pidfd_open"), ABSENT("pidfd_send_signal"),
    ABSENT("getrlimit"), ABSENT("setrlimit"), ABSENT("rt_tgsigqueueinfo"), ABSENT("membarrier"),
    ABSENT("get_mempolicy"), ABSENT("pkey_alloc"), ABSENT("pkey_free"), ABSENT("pkey_mprotect"),
    {"sendfile", EINVAL}, /* "not between these two": programs read and write instead */
    NO_XATTR("getxattr"), NO_XATTR("lgetxattr"), NO_XATTR("fgetxattr"),
    NO_XATTR("listxattr"), NO_XATTR("llistxattr"), NO_XATTR("flistxattr"),
    {NULL, 0},
};

#define ALL ((1U << CELL_PROFILE_STRICT) | (1U << CELL_PROFILE_COMPILER) | (1U << CELL_PROFILE_JIT))
#define EXACT 0xffffffffU
#define IS(name, index, value) {name, ALL, {{index, EXACT, value}}}
#define NONE_OF(name, index, bits) {name, ALL, {{index, bits, 0}}}
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
                    CLONE_NEWPID | CLONE_NEWNET)
#define SOCKET_KIND 0xfU /* the rest of `type` is SOCK_CLOEXEC and SOCK_NONBLOCK */
/* Every resource but RLIMIT_CORE, which is 4, and of oneself alone: init has the same uid. */
#define PRLIMIT(bits, value) {"prlimit64", ALL, {{0, EXACT, 0}, {1, bits, value}}}

/* Not in every header this is built with. */
#define FCNTL_DUPFD_QUERY 1027
#define PRCTL_SET_VMA 0x53564d41
#define PRCTL_GET_AUXV 0x41555856
#define ARCH_SET_GS_ 0x1001
#define ARCH_GET_GS_ 0x1004
#define ARCH_GET_CPUID_ 0x1011
#define ARCH_CET_STATUS_ 0x3001

const struct cell_seccomp_rule cell_seccomp_rules[] = {
    NONE_OF("clone", 0, NAMESPACES),
    {"socketpair", ALL, {{0, EXACT, AF_UNIX}, {1, SOCKET_KIND, SOCK_STREAM}}},
    {"socketpair", ALL, {{0, EXACT, AF_UNIX}, {1, SOCKET_KIND, SOCK_SEQPACKET}}},
    NONE_OF("sendmsg", 2, MSG_OOB), NONE_OF("recvmsg", 2, MSG_OOB), NONE_OF("recvfrom", 3, MSG_OOB),
    {"sendto", ALL, {{3, MSG_OOB, 0}, {5, EXACT, 0}}}, /* no destination: its length is 0 */
    /* no set-user-id and set-group-id bits */
    NONE_OF("chmod", 1, S_ISUID | S_ISGID), NONE_OF("fchmod", 1, S_ISUID | S_ISGID),
    NONE_OF("fchmodat", 2, S_ISUID | S_ISGID),
    {"mknod", ALL, {{1, S_IFMT, S_IFIFO}}}, {"mknodat", ALL, {{2, S_IFMT, S_IFIFO}}},

    IS("ioctl", 1, TCGETS), IS("ioctl", 1, TIOCGWINSZ), IS("ioctl", 1, TIOCGPGRP), IS("ioctl", 1, FIONREAD),
    IS("ioctl", 1, FIONBIO), IS("ioctl", 1, FIOCLEX), IS("ioctl", 1, FIONCLEX),

    IS("fcntl", 1, F_DUPFD), IS("fcntl", 1, F_GETFD), IS("fcntl", 1, F_SETFD), IS("fcntl", 1, F_GETFL),
    IS("fcntl", 1, F_SETFL), IS("fcntl", 1, F_SETOWN),
    IS("fcntl", 1, F_GETOWN), IS("fcntl", 1, F_SETSIG), IS("fcntl", 1, F_GETSIG), 
    IS("fcntl", 1, FCNTL_DUPFD_QUERY), IS("fcntl", 1, F_DUPFD_CLOEXEC),
    IS("fcntl", 1, F_SETPIPE_SZ), IS("fcntl", 1, F_GETPIPE_SZ), IS("fcntl", 1, F_ADD_SEALS),
    IS("fcntl", 1, F_GET_SEALS),

    IS("prctl", 0, PR_SET_NAME), IS("prctl", 0, PR_GET_NAME), IS("prctl", 0, PR_SET_PDEATHSIG),
    IS("prctl", 0, PR_GET_PDEATHSIG), IS("prctl", 0, PR_GET_DUMPABLE), IS("prctl", 0, PR_GET_KEEPCAPS),
    IS("prctl", 0, PR_GET_SECCOMP), IS("prctl", 0, PR_GET_SECUREBITS), IS("prctl", 0, PR_CAPBSET_READ),
    IS("prctl", 0, PR_SET_NO_NEW_PRIVS), IS("prctl", 0, PR_GET_NO_NEW_PRIVS), IS("prctl", 0, PR_SET_TIMERSLACK),
    IS("prctl", 0, PR_GET_TIMERSLACK), IS("prctl", 0, PR_SET_THP_DISABLE), IS("prctl", 0, PR_GET_THP_DISABLE),
    IS("prctl", 0, PR_GET_SPECULATION_CTRL), IS("prctl", 0, PRCTL_SET_VMA), IS("prctl", 0, PRCTL_GET_AUXV),
    IS("arch_prctl", 0, ARCH_SET_GS_), IS("arch_prctl", 0, 0x1002 /* SET_FS */),
    IS("arch_prctl", 0, 0x1003 /* GET_FS */), IS("arch_prctl", 0, ARCH_GET_GS_),
    IS("arch_prctl", 0, ARCH_GET_CPUID_), IS("arch_prctl", 0, ARCH_CET_STATUS_),

    PRLIMIT(~3U, 0), PRLIMIT(EXACT, 5), PRLIMIT(~1U, 6), PRLIMIT(~7U, 8),
    {"prlimit64", ALL, {{0, EXACT, 0}, {1, EXACT, RLIMIT_CORE}, {2, UINT64_MAX, 0}}}, /* only asked for */
    {0},
};
/* clang-format on */
