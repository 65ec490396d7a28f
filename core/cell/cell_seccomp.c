/* cell_seccomp.c - the profiles' lists made into one BPF program each, and its loading.
 *
 * Reasons behind the lists, beyond "a job does not need it":
 * - what makes sockets is refused but socketpair(AF_UNIX) of the connected kinds: cells share one empty
 *   network namespace, and a datagram socket can get an abstract name without bind(2) (SO_PASSCRED), so
 *   datagram pairs, setsockopt(2) and destination addresses are refused too; MSG_OOB for its history;
 * - cells share the inodes of the read-only tree, and of the devices, which can be opened for writing: locks
 * of every kind, leases, dnotify, inotify and fadvise on them would be a channel between two jobs, and to
 * programs of the machine.  No filter sees which file it is, so a program has no locks in its own box either;
 * - splice, tee, vmsplice, sendfile and copy_file_range put pages of that tree's page cache into pipes (Dirty
 *   Pipe, Copy Fail); mincore and RWF_NOWAIT tell which are there;
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

static int add_name(scmp_filter_ctx ctx, uint32_t action, const char *name, struct err *reterr)
{
    int nr = resolve(name), rc;

    if (nr < 0 || cell_seccomp_allowed(name))
        return 0;
    rc = seccomp_rule_add_array(ctx, action, nr, 0, NULL);
    return rc < 0 ? err_set(reterr, rc, "seccomp filter: rule for %s: %s", name, strerror(-rc)) : 0;
}

static int add_names(scmp_filter_ctx ctx, const char *const *names, struct err *reterr)
{
    int rc = 0;

    for (; rc == 0 && *names != NULL; names++)
        rc = add_name(ctx, SCMP_ACT_ALLOW, *names, reterr);
    return rc;
}

static bool listed(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int add_answers(scmp_filter_ctx ctx, enum cell_profile profile, struct err *reterr)
{
    int rc = 0;

    for (const struct cell_seccomp_answer *a = cell_seccomp_answers; rc == 0 && a->name != NULL; a++)
        if (profile != CELL_PROFILE_JIT || !listed(cell_seccomp_jit, a->name))
            rc = add_name(ctx, SCMP_ACT_ERRNO(a->error), a->name, reterr);
    return rc;
}

static int add_rules(scmp_filter_ctx ctx, const struct cell_seccomp_rule *r, unsigned profile,
                     struct err *reterr)
{
    for (; r->name != NULL; r++) {
        struct scmp_arg_cmp cmp[CELL_SECCOMP_ARGS];
        unsigned n = 0;
        int nr = resolve(r->name), rc;

        if (nr < 0 || (r->profiles & profile) == 0 || cell_seccomp_allowed(r->name))
            continue;
        for (unsigned i = 0; i < CELL_SECCOMP_ARGS && r->arg[i].mask != 0; i++)
            cmp[n++] = SCMP_CMP(r->arg[i].index, SCMP_CMP_MASKED_EQ, r->arg[i].mask, r->arg[i].value);
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, cmp);
        if (rc < 0)
            return err_set(reterr, rc, "seccomp filter: rule for %s: %s", r->name, strerror(-rc));
    }
    return 0;
}

/* Setting a record lock succeeds and does nothing: to the libraries that insist on one (SQLite's) their box
 * is theirs alone, which it is, and the kernel's locks stay out of reach. */
static int add_locks(scmp_filter_ctx ctx, struct err *reterr)
{
    static const uint64_t commands[] = {F_SETLK, F_SETLKW};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT_OF(commands) && !cell_seccomp_allowed("fcntl"); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(fcntl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, commands[i]));
    return rc == 0 ? 0 : err_set(reterr, rc, "seccomp filter: rule for locks: %s", strerror(-rc));
}

static int fill(scmp_filter_ctx ctx, enum cell_profile profile, struct err *reterr)
{
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc < 0)
        return err_set(reterr, rc, "seccomp filter: libseccomp >= 2.5 is needed: %s", strerror(-rc));
    rc = add_names(ctx, cell_seccomp_common, reterr);
    if (rc == 0 && profile == CELL_PROFILE_JIT)
        rc = add_names(ctx, cell_seccomp_jit, reterr);
    if (rc == 0)
        rc = add_answers(ctx, profile, reterr);
    if (rc == 0)
        rc = add_rules(ctx, cell_seccomp_rules, 1U << profile, reterr);
    if (rc == 0)
        rc = add_locks(ctx, reterr);
    return rc == 0 ? cell_seccomp_allow(ctx) : rc;
}

/* The head is ours: what must hold for every call does not hang on libseccomp's code generator. */
static size_t write_head(struct sock_filter *p)
{
    int highest = NUMBERS_SEARCHED;
    const uint32_t kill = SECCOMP_RET_KILL_PROCESS, absent = SECCOMP_RET_ERRNO | ENOSYS,
                   allow = SECCOMP_RET_ALLOW;
    size_t n = 0;

    for (char *name = NULL; highest > 0 && name == NULL; free(name))
        name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, --highest);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, cell_defence("seccomp_arch") ? kill : allow);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)highest, 0, 4);
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 1, 0); /* syscall(-1) */
    p[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 1, 0);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, cell_defence("seccomp_unknown") ? absent : allow);
    p[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, cell_defence("seccomp_x32") ? kill : allow);
    return n;
}
#define HEAD_LEN 9

static int read_program(int fd, struct cell_filter *ret, struct err *reterr)
{
    struct sock_filter *code;
    struct stat st;
    size_t count;

    if (fstat(fd, &st) < 0)
        return err_sys(reterr, "seccomp filter: fstat");
    count = (size_t)st.st_size / sizeof(struct sock_filter);
    if (count == 0 || count + HEAD_LEN > BPF_MAXINSNS)
        return err_set(reterr, ERR_INTERNAL, "seccomp filter: %zu instructions, the kernel takes 1 to %d",
                       count, BPF_MAXINSNS - HEAD_LEN);
    code = mem_zero(count + HEAD_LEN, sizeof(struct sock_filter));
    ret->code = code;
    ret->len = (unsigned short)(count + write_head(code));
    if (pread(fd, code + HEAD_LEN, (size_t)st.st_size, 0) != st.st_size) {
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
    ctx = seccomp_init(cell_defence("seccomp_default") ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_LOG);
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
    freep(&f->code);
    *f = (struct cell_filter){0};
}
