/* System calls that no program has a use for, made without any library as soon as this is loaded; what each said is a
 * line on the standard output.  As a program (-DPROGRAM) or as a library that an interpreter loads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void attempt(const char *name, long number, long a, long b, long c, long d)
{
    char line[100];
    long r = syscall(number, a, b, c, d, 0L, 0L);
    int n = snprintf(line, sizeof(line), "%s %s\n", name, r >= 0 ? "yes" : strerrorname_np(errno));

    if (write(1, line, (size_t)n) < 0)
        _exit(9);
}

__attribute__((constructor)) static void calls(void)
{
    static char zeros[256];

    attempt("getpid", SYS_getpid, 0, 0, 0, 0); /* the way that the others go does work */
    attempt("socket_inet", SYS_socket, AF_INET, SOCK_STREAM, 0, 0);
    attempt("socket_unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0);
    attempt("socket_alg", SYS_socket, AF_ALG, SOCK_SEQPACKET, 0, 0);
    attempt("socket_netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0);
    attempt("unshare_user", SYS_unshare, 0x10000000, 0, 0, 0);
    attempt("unshare_net", SYS_unshare, 0x40000000, 0, 0, 0);
    attempt("mount", SYS_mount, (long)"none", (long)"/tmp", (long)"tmpfs", 0);
    attempt("umount2", SYS_umount2, (long)"/box", 2, 0, 0);
    attempt("pivot_root", SYS_pivot_root, (long)"/tmp", (long)"/tmp", 0, 0);
    attempt("chroot", SYS_chroot, (long)"/tmp", 0, 0, 0);
    attempt("setns", SYS_setns, 0, 0, 0, 0);
    attempt("ptrace", SYS_ptrace, 16, 1, 0, 0);
    attempt("bpf", SYS_bpf, 0, (long)zeros, 72, 0);
    attempt("perf_event_open", SYS_perf_event_open, (long)zeros, 0, -1, -1);
    attempt("userfaultfd", SYS_userfaultfd, 0, 0, 0, 0);
    attempt("io_uring_setup", SYS_io_uring_setup, 8, (long)zeros, 0, 0);
    attempt("keyctl", SYS_keyctl, 0, -3, 1, 0);
    attempt("add_key", SYS_add_key, (long)"user", (long)"k", (long)"v", 1);
    attempt("init_module", SYS_init_module, (long)zeros, 0, (long)"", 0);
    attempt("kexec_load", SYS_kexec_load, 0, 0, 0, 0);
    attempt("open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, (long)zeros, 0, 0);
    attempt("name_to_handle_at", SYS_name_to_handle_at, AT_FDCWD, (long)"/", (long)zeros, (long)(zeros + 128));
    attempt("process_vm_readv", SYS_process_vm_readv, 1, (long)zeros, 0, (long)zeros);
    attempt("reboot", SYS_reboot, 0, 0, 0, 0);
    attempt("swapon", SYS_swapon, (long)"/box", 0, 0, 0);
    attempt("acct", SYS_acct, 0, 0, 0, 0);
    attempt("settimeofday", SYS_settimeofday, (long)zeros, 0, 0, 0);
    attempt("sethostname", SYS_sethostname, (long)"x", 1, 0, 0);
    attempt("quotactl", SYS_quotactl, 0, 0, 0, 0);
    attempt("fsopen", SYS_fsopen, (long)"tmpfs", 0, 0, 0);
    attempt("move_mount", SYS_move_mount, 0, (long)"", 0, (long)"");
}

#ifdef PROGRAM
int main(void)
{
    return 0;
}
#endif
