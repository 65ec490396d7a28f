/* shield_lists.c - which system calls execd makes, by name.
 *
 * Beyond the event loop, sockets and memory there are few: reading files (certificates, resolv.conf, hosts),
 * memfds for the jailer, signals to children.  Left out on purpose, though harmless to an honest execd:
 * splice and vmsplice (the page cache), ptrace and process_vm_* (what runs as the same user), keyctl, bpf,
 * perf_event_open, io_uring, userfaultfd, namespaces, mounts, ids and capabilities, clocks, modules, and
 * whatever makes or changes the mode of a file. */
#include "shield_lists.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* clang-format off */
const char *const shield_common[] = {
    /* descriptors and files, read only: open and openat have rules */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close", "close_range", "lseek",
    "dup", "dup2", "dup3", "fcntl", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "fadvise64", "sendfile",
    "memfd_create", "ftruncate", "fallocate", "pipe", "pipe2",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "epoll_pwait2", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    /* memory: mmap and mprotect have rules */
    "munmap", "mremap", "brk", "madvise", "msync", "mincore", "membarrier",
    /* processes and threads */
    "exit", "exit_group", "wait4", "waitid", "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid",
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "capget",
    "set_tid_address", "set_robust_list", "rseq", "futex", "sched_yield", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "getpriority", "getrlimit", "getrusage", "getcpu", "pidfd_open", "pidfd_send_signal",
    /* signals */
    "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "rt_sigsuspend", "sigaltstack", "pause", "restart_syscall",
    /* time and the machine */
    "time", "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "times", "alarm",
    "getitimer", "setitimer", "uname", "sysinfo", "getrandom",
    /* sockets: socket and socketpair have rules; bind is a resolver's too */
    "connect", "bind", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom",
    "sendmsg", "recvmsg", "sendmmsg", "recvmmsg",
    NULL,
};

const char *const shield_listening[] = {"listen", "accept", "accept4", NULL};

/* Its start by us, and what redis-server itself does. */
const char *const shield_redis[] = {
    "fork", "vfork", "execve", "setpgid", "setsid", "umask", "chdir", "fchdir", "flock",
    "open", "openat", "creat", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "truncate", "fsync", "fdatasync", "sync_file_range", "setrlimit", "sched_setaffinity", "setpriority",
    NULL,
};

/* Compiled output, and results that wait for Redis; the making of their files has a rule. */
const char *const shield_caching[] = {"renameat", "renameat2", "unlinkat", "fsync", NULL};

const char *const shield_sanitizer[] = {"ptrace", "prctl", "getdents", "clone", "open", "openat", "mkdir", "unlink", NULL};

const char *const shield_absent[] = {
    "clone3", "openat2", "futex_waitv", "preadv2", "pwritev2", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", NULL,
};

#define EXACT 0xffffffffU
#define IS(name, index, value) {name, SHIELD_ALL, {{index, EXACT, value}}}
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
                    CLONE_NEWPID | CLONE_NEWNET)
#define SOCKET_KIND 0xfU /* the rest of `type` is SOCK_CLOEXEC and SOCK_NONBLOCK */
#define SOCKET(family, kind) {"socket", SHIELD_ALL, {{0, EXACT, family}, {1, SOCKET_KIND, kind}}}
#define FOR_READING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND) /* O_RDONLY is 0 */
#define PRCTL_SET_VMA 0x53564d41

const struct shield_rule shield_rules[] = {
    {"open", SHIELD_NO_REDIS, {{1, FOR_READING, 0}}},
    {"openat", SHIELD_NO_REDIS, {{2, FOR_READING, 0}}},
    {"openat", SHIELD_CACHES, {{2, O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC, O_WRONLY | O_CREAT | O_EXCL}}},
    {"utimensat", SHIELD_CACHES, {{1, UINT64_MAX, 0}, {3, EXACT, 0}}}, /* of a descriptor */
    /* no memory that is both written and run */
    {"mmap", SHIELD_ALL, {{2, PROT_EXEC, 0}}},
    {"mmap", SHIELD_ALL, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}}}, /* a library that is loaded late */
    {"mprotect", SHIELD_ALL, {{2, PROT_EXEC, 0}}},
    /* threads; processes for those who start a server */
    {"clone", SHIELD_NO_REDIS, {{0, NAMESPACES | CLONE_THREAD, CLONE_THREAD}}},
    {"clone", SHIELD_STARTS_REDIS, {{0, NAMESPACES, 0}}},
    /* TCP, names (UDP, and what getaddrinfo(3) asks of the kernel), an external Redis or nscd on a unix socket */
    SOCKET(AF_INET, SOCK_STREAM), SOCKET(AF_INET, SOCK_DGRAM), SOCKET(AF_INET6, SOCK_STREAM),
    SOCKET(AF_INET6, SOCK_DGRAM), SOCKET(AF_UNIX, SOCK_STREAM), SOCKET(AF_UNIX, SOCK_DGRAM),
    {"socket", SHIELD_ALL, {{0, EXACT, AF_NETLINK}, {2, EXACT, NETLINK_ROUTE}}},
    IS("socketpair", 0, AF_UNIX),
    IS("ioctl", 1, FIONREAD), IS("ioctl", 1, FIONBIO), IS("ioctl", 1, FIOCLEX), IS("ioctl", 1, TCGETS),
    IS("ioctl", 1, TIOCGWINSZ),
    IS("prctl", 0, PR_SET_NAME), IS("prctl", 0, PR_GET_NAME), IS("prctl", 0, PR_SET_PDEATHSIG),
    IS("prctl", 0, PR_GET_DUMPABLE), IS("prctl", 0, PRCTL_SET_VMA), IS("prctl", 0, PR_SET_THP_DISABLE),
    IS("prctl", 0, PR_CAPBSET_READ), IS("prctl", 0, PR_GET_SECCOMP),
    {"prlimit64", SHIELD_ALL, {{0, EXACT, 0}, {2, UINT64_MAX, 0}}}, /* only asked for */
    {"prlimit64", SHIELD_STARTS_REDIS, {{0, EXACT, 0}}},
    {"fchmod", SHIELD_ALL, {{1, EXACT, 0222}}}, /* a pipe that a job may open anew (run_step.c) */
    {"chmod", SHIELD_STARTS_REDIS, {{1, S_ISUID | S_ISGID, 0}}},  /* of its socket */
    {"fchmod", SHIELD_STARTS_REDIS, {{1, S_ISUID | S_ISGID, 0}}},
    {"arch_prctl", SHIELD_STARTS_REDIS, {{0, EXACT, 0x1002}}}, /* ARCH_SET_FS, by a program's start */
    {0},
};
/* clang-format on */
