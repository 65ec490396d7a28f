/* cell_seccomp_test.c - the compiled filters, judged call by call in a small BPF machine. */
#include "cell_filters.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define FOREIGN AUDIT_ARCH_I386
#else
#define NATIVE AUDIT_ARCH_AARCH64
#define FOREIGN AUDIT_ARCH_ARM
#endif

/* ---- a BPF machine, as much of it as filters use --------------------------------------- */

static uint32_t run_bpf(const struct cell_filter *f, const struct seccomp_data *d)
{
    uint32_t a = 0, word;

    for (unsigned pc = 0; pc < f->len; pc++) {
        const struct sock_filter *i = &f->code[pc];
        bool yes;

        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(i->k + 4 <= sizeof(*d));
            memcpy(&word, (const char *)d + i->k, 4);
            a = word;
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            continue;
        case BPF_RET | BPF_K:
            return i->k;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            yes = a == i->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            yes = a > i->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            yes = a >= i->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            yes = (a & i->k) != 0;
            break;
        default:
            fail_msg("instruction %u: code %#x", pc, i->code);
            return 0;
        }
        pc += yes ? i->jt : i->jf;
    }
    fail_msg("the program has no end");
    return 0;
}

#define ALLOW SECCOMP_RET_ALLOW
#define PERM (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define KILL SECCOMP_RET_KILL_PROCESS

static uint32_t ask(const struct cell_filter *f, uint32_t arch, long nr, const uint64_t *args)
{
    struct seccomp_data d = {.nr = (int)nr, .arch = arch};

    if (args != NULL)
        memcpy(d.args, args, sizeof(d.args));
    return run_bpf(f, &d);
}
/* Under every profile: want == answer. */
#define judge(want, nr, ...) judge_at(__LINE__, want, nr, (const uint64_t[6]){__VA_ARGS__})
static void judge_at(int line, uint32_t want, long nr, const uint64_t *args)
{
    for (int p = 1; p <= PROFILES; p++) {
        uint32_t got = ask(&filters[p], NATIVE, nr, args);

        if (got != want)
            fail_msg("line %d, profile %d: call %ld gives %#x instead of %#x", line, p, nr, got, want);
    }
}

static void test_foreign_calls_kill(void **state)
{
    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        for (long nr = 0; nr < 600; nr++) {
            assert_int_equal(ask(&filters[p], FOREIGN, nr, NULL), KILL);
#if defined(__x86_64__)
            assert_int_equal(ask(&filters[p], NATIVE, nr | 0x40000000, NULL), KILL);
#endif
        }
}

static void test_newer_calls_are_absent(void **state)
{
    (void)state;
    judge(NOSYS, 900, 0);
    judge(NOSYS, 0x3fffffff, 0);
    judge(NOSYS, -1, 0);
    judge(NOSYS, SYS_clone3, 0);
    judge(NOSYS, SYS_io_uring_setup, 0);
    judge(NOSYS, SYS_io_uring_enter, 0);
    judge(NOSYS, SYS_io_uring_register, 0);
}

/* Libraries take these errors as "use something else". */
static void test_fallbacks(void **state)
{
    static const long absent[] = {SYS_openat2,      SYS_faccessat2,     SYS_renameat2,  SYS_close_range,
                                  SYS_memfd_create, SYS_execveat,       SYS_pidfd_open, SYS_preadv2,
                                  SYS_fadvise64,    SYS_copy_file_range};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        judge(NOSYS, absent[i], 0);
    judge(SECCOMP_RET_ERRNO | EINVAL, SYS_sendfile, 1, 0, 0, 100);
    judge(SECCOMP_RET_ERRNO | EOPNOTSUPP, SYS_listxattr, 0);
    judge(PERM, SYS_setxattr, 0);
}

static void test_dangerous_calls_are_refused(void **state)
{
    static const long refused[] = {
        SYS_socket,
        SYS_connect,
        SYS_bind,
        SYS_listen,
        SYS_accept,
        SYS_accept4,
        SYS_setsockopt,
        SYS_sendmmsg,
        SYS_recvmmsg,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_fsopen,
        SYS_fsconfig,
        SYS_fsmount,
        SYS_fspick,
        SYS_move_mount,
        SYS_open_tree,
        SYS_mount_setattr,
        SYS_unshare,
        SYS_setns,
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_process_madvise,
        SYS_kcmp,
        SYS_pidfd_getfd,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_keyctl,
        SYS_add_key,
        SYS_request_key,
        SYS_kexec_load,
        SYS_init_module,
        SYS_finit_module,
        SYS_delete_module,
        SYS_reboot,
        SYS_swapon,
        SYS_swapoff,
        SYS_quotactl,
        SYS_acct,
        SYS_syslog,
        SYS_settimeofday,
        SYS_clock_settime,
        SYS_clock_adjtime,
        SYS_adjtimex,
        SYS_vhangup,
        SYS_sethostname,
        SYS_setdomainname,
        SYS_open_by_handle_at,
        SYS_name_to_handle_at,
        SYS_fanotify_init,
        SYS_fanotify_mark,
        SYS_inotify_init1,
        SYS_inotify_add_watch,
        SYS_shmget,
        SYS_shmat,
        SYS_shmctl,
        SYS_msgget,
        SYS_msgsnd,
        SYS_semget,
        SYS_semop,
        SYS_mq_open,
        SYS_memfd_secret,
        SYS_seccomp,
        SYS_capset,
        SYS_setuid,
        SYS_setgroups,
        SYS_chown,
        SYS_fchown,
        SYS_fchownat,
        SYS_sched_setattr,
        SYS_ioprio_set,
        SYS_mlockall,
        SYS_move_pages,
        SYS_migrate_pages,
        SYS_splice,
        SYS_tee,
        SYS_vmsplice,
        SYS_flock,
        SYS_sync,
        SYS_syncfs,
        SYS_io_setup,
        SYS_remap_file_pages,
#if defined(__x86_64__)
        SYS_iopl,
        SYS_ioperm,
        SYS_modify_ldt,
        SYS_uselib,
        SYS_ustat,
        SYS_sysfs,
        SYS__sysctl,
#endif
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        judge(PERM, refused[i], 0);
}

static void test_ordinary_calls_pass(void **state)
{
    static const long allowed[] = {
        SYS_read,   SYS_write,           SYS_openat, SYS_mmap,   SYS_mprotect,     SYS_futex,
        SYS_execve, SYS_exit_group,      SYS_wait4,  SYS_kill,   SYS_rt_sigaction, SYS_getrandom,
        SYS_rseq,   SYS_set_robust_list, SYS_statx,  SYS_madvise};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        judge(ALLOW, allowed[i], 0);
}

static void test_clone_without_namespaces(void **state)
{
    static const uint64_t bits[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                    CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                      CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

    (void)state;
    judge(ALLOW, SYS_clone, thread);
    judge(ALLOW, SYS_clone, SIGCHLD | CLONE_CHILD_SETTID);
    judge(ALLOW, SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK);
    for (size_t i = 0; i < COUNT_OF(bits); i++) {
        judge(PERM, SYS_clone, bits[i] | SIGCHLD);
        judge(PERM, SYS_clone, bits[i] | HIGH);
        judge(PERM, SYS_clone, bits[i] | thread);
    }
}

static void test_sockets_are_connected_pairs(void **state)
{
    (void)state;
    for (uint64_t family = 0; family < 64; family++)
        for (uint64_t kind = 0; kind < 16; kind++) {
            bool ok = family == AF_UNIX && (kind == SOCK_STREAM || kind == SOCK_SEQPACKET);

            judge(PERM, SYS_socket, family, kind);
            judge(ok ? ALLOW : PERM, SYS_socketpair, family, kind);
            judge(ok ? ALLOW : PERM, SYS_socketpair, family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK);
        }
    judge(ALLOW, SYS_sendmsg, 3, 0, MSG_NOSIGNAL);
    judge(PERM, SYS_sendmsg, 3, 0, MSG_OOB | HIGH);
    judge(PERM, SYS_recvmsg, 3, 0, MSG_OOB);
    judge(ALLOW, SYS_sendto, 3, 0, 1, MSG_NOSIGNAL, 0, 0);
    judge(PERM, SYS_sendto, 3, 0, 1, MSG_OOB, 0, 0);
    judge(PERM, SYS_sendto, 3, 0, 1, 0, 0x1000, 16);
    judge(PERM, SYS_recvfrom, 3, 0, 1, MSG_OOB);
}

static void test_arguments(void **state)
{
    static const uint64_t lock_channels[] = {F_GETLK,    F_OFD_SETLK, F_OFD_GETLK,
                                             F_SETLEASE, F_GETLEASE,  F_NOTIFY};
    static const uint64_t prctls[] = {
        PR_SET_SECCOMP, PR_SET_MM,       PR_SET_DUMPABLE, PR_SET_SECUREBITS,      PR_SET_PTRACER,
        PR_CAP_AMBIENT, PR_CAPBSET_DROP, PR_SET_TSC,      PR_SET_CHILD_SUBREAPER, 9999};

    (void)state;
    judge(ALLOW, SYS_ioctl, 0, TCGETS);
    judge(PERM, SYS_ioctl, 0, TIOCSTI);
    judge(PERM, SYS_ioctl, 0, TIOCSTI | HIGH);
    judge(PERM, SYS_ioctl, 0, TIOCLINUX);
    judge(PERM, SYS_ioctl, 0, TIOCSCTTY);
    judge(ALLOW, SYS_fcntl, 0, F_SETFL);
    judge(SECCOMP_RET_ERRNO, SYS_fcntl, 0, F_SETLK); /* "done", by the filter alone */
    judge(SECCOMP_RET_ERRNO, SYS_fcntl, 0, F_SETLKW);
    for (size_t i = 0; i < COUNT_OF(lock_channels); i++)
        judge(PERM, SYS_fcntl, 0, lock_channels[i]);
    judge(ALLOW, SYS_prctl, PR_SET_NAME);
    for (size_t i = 0; i < COUNT_OF(prctls); i++)
        judge(PERM, SYS_prctl, prctls[i]);
    judge(PERM, SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
    judge(PERM, SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */);
    for (uint64_t r = 0; r < 16; r++) {
        judge(r == RLIMIT_CORE ? PERM : ALLOW, SYS_prlimit64, 0, r, 0x1000);
        judge(r == RLIMIT_CORE ? PERM : ALLOW, SYS_prlimit64, 0, r | HIGH, 7 * HIGH);
        judge(ALLOW, SYS_prlimit64, 0, r, 0, 0x1000);
        judge(PERM, SYS_prlimit64, 1, r, 0x1000);
    }
    judge(PERM, SYS_prlimit64, 0, 16, 0);
    judge(PERM, SYS_sched_setscheduler, 0, 0);
    judge(PERM, SYS_sched_setscheduler, 0, 1 /* FIFO */);
    judge(PERM, SYS_sched_setscheduler, 0, 6 /* DEADLINE */);
    judge(ALLOW, SYS_fchmodat, 0, 0, 0755);
    judge(PERM, SYS_fchmodat, 0, 0, 04755);
    judge(PERM, SYS_fchmod, 0, 02755);
    judge(ALLOW, SYS_mknodat, 0, 0, S_IFIFO | 0600);
    judge(PERM, SYS_mknodat, 0, 0, S_IFBLK | 0600);
    judge(PERM, SYS_mknodat, 0, 0, S_IFCHR | 0600);
}

static void test_profiles_grow(void **state)
{
    const struct cell_filter *compiler = &filters[CELL_PROFILE_COMPILER], *jit = &filters[CELL_PROFILE_JIT];
    uint64_t none[6] = {0};

    (void)state;
    for (long nr = 0; nr < 460; nr++) { /* what a smaller profile allows, a larger one does */
        if (ask(strict, NATIVE, nr, none) == ALLOW)
            assert_int_equal(ask(compiler, NATIVE, nr, none), ALLOW);
        if (ask(compiler, NATIVE, nr, none) == ALLOW)
            assert_int_equal(ask(jit, NATIVE, nr, none), ALLOW);
    }
    assert_int_equal(ask(strict, NATIVE, SYS_membarrier, none), NOSYS);
    assert_int_equal(ask(compiler, NATIVE, SYS_membarrier, none), NOSYS);
    assert_int_equal(ask(jit, NATIVE, SYS_membarrier, none), ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_calls_kill),
        cmocka_unit_test(test_newer_calls_are_absent),
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_dangerous_calls_are_refused),
        cmocka_unit_test(test_ordinary_calls_pass),
        cmocka_unit_test(test_clone_without_namespaces),
        cmocka_unit_test(test_sockets_are_connected_pairs),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_profiles_grow),
    };

    return cmocka_run_group_tests(tests, build_all, free_all);
}
