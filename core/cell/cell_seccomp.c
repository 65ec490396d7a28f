/* cell_seccomp.c - the profiles' lists made into one BPF program each, and its loading.
 *
 * Reasons behind the lists, beyond "a job does not need it":
 * - what makes sockets is refused but socketpair(AF_UNIX) of the connected kinds: cells share one empty
 *   network namespace, and a datagram socket can get an abstract name without bind(2) (SO_PASSCRED), so
 *   datagram pairs, setsockopt(2) and destination addresses are refused too; MSG_OOB for its history;
 * - cells share the inodes of the read-only tree: flock, F_GETLK, leases, dnotify, inotify and
 *   FADV_DONTNEED on them would be a channel between two jobs;
 * - splice, tee and vmsplice reach the page cache of that tree (Dirty Pipe, Copy Fail);
 * - RLIMIT_CORE may be asked for and not changed: 1 is what keeps a piped core_pattern from starting;
 * - flags behind a pointer cannot be judged: clone3 is ENOSYS, libc then uses clone;
 * - comparisons look at 32 bits with the upper half ignored, as the kernel does for `int` and
 *   `unsigned` parameters (ioctl with 1 << 32 | TIOCSTI once got past a filter).
 * Numbers above the highest one that libseccomp knows by name are ENOSYS, so that a newer libc
 * falls back; another architecture's calls (i386, x32) end the process. */
#include "cell_seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell_seccomp_lists.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "cell_seccomp.c: this architecture's system calls have not been looked at"
#endif
#define X32_BIT 0x40000000U
#define NUMBERS_SEARCHED 1024

/* A name that this architecture lacks is a negative number for libseccomp. */
static int resolve(const char *name)
{
    return seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name);
}

static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names, struct err *reterr)
{
    for (; *names != NULL; names++) {
        int nr = resolve(*names), rc;

        if (nr < 0)
            continue;
        rc = seccomp_rule_add_array(ctx, action, nr, 0, NULL);
        if (rc < 0)
            return err_set(reterr, rc, "seccomp filter: rule for %s: %s", *names, strerror(-rc));
    }
    return 0;
}

static int add_rules(scmp_filter_ctx ctx, const struct cell_seccomp_rule *r, unsigned profile,
                     struct err *reterr)
{
    for (; r->name != NULL; r++) {
        struct scmp_arg_cmp cmp[CELL_SECCOMP_ARGS];
        unsigned n = 0;
        int nr = resolve(r->name), rc;

        if (nr < 0 || (r->profiles & profile) == 0)
            continue;
        for (unsigned i = 0; i < CELL_SECCOMP_ARGS && r->arg[i].mask != 0; i++)
            cmp[n++] = SCMP_CMP(r->arg[i].index, SCMP_CMP_MASKED_EQ, r->arg[i].mask, r->arg[i].value);
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, cmp);
        if (rc < 0)
            return err_set(reterr, rc, "seccomp filter: rule for %s: %s", r->name, strerror(-rc));
    }
    return 0;
}

static int fill(scmp_filter_ctx ctx, enum cell_profile profile, struct err *reterr)
{
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc < 0)
        return err_set(reterr, rc, "seccomp filter: libseccomp >= 2.5 is needed: %s", strerror(-rc));
    rc = add_names(ctx, SCMP_ACT_ALLOW, cell_seccomp_common, reterr);
    if (rc == 0 && profile != CELL_PROFILE_STRICT)
        rc = add_names(ctx, SCMP_ACT_ALLOW, cell_seccomp_runtime, reterr);
    if (rc == 0 && profile == CELL_PROFILE_JIT)
        rc = add_names(ctx, SCMP_ACT_ALLOW, cell_seccomp_jit, reterr);
    if (rc == 0)
        rc = add_names(ctx, SCMP_ACT_ERRNO(ENOSYS), cell_seccomp_absent, reterr);
    if (rc == 0)
        rc = add_rules(ctx, cell_seccomp_rules, 1U << profile, reterr);
    return rc;
}

/* The head is ours: what must hold for every call does not hang on libseccomp's code generator. */
static size_t write_head(struct sock_filter *p)
{
    int highest = NUMBERS_SEARCHED;
    size_t n = 0;

    for (char *name = NULL; highest > 0 && name == NULL; free(name))
        name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, --highest);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)highest, 0, 4);
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 1, 0); /* syscall(-1) */
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 1, 0);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    return n;
}
#define HEAD_LEN 9

static int read_program(int fd, struct cell_filter *ret, struct err *reterr)
{
    struct stat st;
    size_t count;

    if (fstat(fd, &st) < 0)
        return err_sys(reterr, "seccomp filter: fstat");
    count = (size_t)st.st_size / sizeof(struct sock_filter);
    if (count == 0 || count + HEAD_LEN > BPF_MAXINSNS)
        return err_set(reterr, ERR_INTERNAL, "seccomp filter: %zu instructions, the kernel takes 1 to %d",
                       count, BPF_MAXINSNS - HEAD_LEN);
    ret->code = mem_zero(count + HEAD_LEN, sizeof(struct sock_filter));
    ret->len = (unsigned short)(count + write_head(ret->code));
    if (pread(fd, ret->code + HEAD_LEN, (size_t)st.st_size, 0) != st.st_size) {
        cell_seccomp_done(ret);
        return err_set(reterr, ERR_INTERNAL, "seccomp filter: short read of the exported program");
    }
    return 0;
}

int cell_seccomp_build(enum cell_profile profile, struct cell_filter *ret, struct err *reterr)
{
    scmp_filter_ctx ctx;
    CLEAN_FD int fd = -1;
    int rc;

    if (profile < CELL_PROFILE_STRICT || profile > CELL_PROFILE_JIT)
        return err_set(reterr, ERR_INTERNAL, "seccomp filter: there is no profile %d", (int)profile);
    fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(reterr, "seccomp filter: memfd_create");
    ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (ctx == NULL)
        return err_set(reterr, ERR_INTERNAL, "seccomp filter: libseccomp cannot start");
    rc = fill(ctx, profile, reterr);
    if (rc == 0) {
        rc = seccomp_export_bpf(ctx, fd);
        if (rc < 0)
            err_set(reterr, rc, "seccomp filter: export: %s", strerror(-rc));
    }
    seccomp_release(ctx);
    return rc == 0 ? read_program(fd, ret, reterr) : rc;
}

void cell_seccomp_done(struct cell_filter *f)
{
    free(f->code);
    *f = (struct cell_filter){0};
}

int cell_seccomp_load(const struct cell_filter *f)
{
    struct sock_fprog program = {.len = f->len, .filter = f->code};

    if (f->code == NULL || f->len == 0)
        return -EINVAL;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
