/* cell_syscalls_test.c - which system calls each profile reaches: at most 150, and the published tables are
 * current.
 *
 * A number is reachable if the filter allows it for any arguments: every path through the exported program is
 * walked, with the arguments unknown.  `cell_syscalls_test --write` makes docs/syscalls.md and the
 * golden file of the attack suite anew, which calls each number in real cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>

#include "base/base.h"
#include "cell_seccomp.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define ARCH "x86_64"
#else
#define NATIVE AUDIT_ARCH_AARCH64
#define ARCH "aarch64"
#endif
#define PAGE_PATH EXECD_SOURCE_DIR "/docs/syscalls.md"
#define GOLDEN_PATH EXECD_SOURCE_DIR "/tests/attacks/golden/syscalls-" ARCH ".tsv"
#define PROFILES 3
#define NUMBERS 1024
#define REACHABLE_MAX 150

static struct cell_filter filters[PROFILES + 1];

/* ---- every path through a filter ------------------------------------------------------------ */

enum {
    SEEN_ALLOW = 1,
    SEEN_EPERM = 2,
    SEEN_ENOSYS = 4,
    SEEN_EINVAL = 8,
    SEEN_EOPNOTSUPP = 16,
    SEEN_KILL = 32
};

struct walk {
    const struct cell_filter *f;
    uint32_t nr;
    bool zeros; /* arguments are 0; else unknown */
    unsigned seen;
};

static unsigned answer_bit(uint32_t code)
{
    switch (code) {
    case SECCOMP_RET_ALLOW:
        return SEEN_ALLOW;
    case SECCOMP_RET_ERRNO | EPERM:
    case SECCOMP_RET_ERRNO: /* "done", of locks: as little of the kernel is reached */
        return SEEN_EPERM;
    case SECCOMP_RET_ERRNO | ENOSYS:
        return SEEN_ENOSYS;
    case SECCOMP_RET_ERRNO | EINVAL:
        return SEEN_EINVAL;
    case SECCOMP_RET_ERRNO | EOPNOTSUPP:
        return SEEN_EOPNOTSUPP;
    case SECCOMP_RET_KILL_PROCESS:
        return SEEN_KILL;
    default:
        fail_msg("an answer that no list has: %#x", code);
        return 0;
    }
}

static bool jump_taken(const struct sock_filter *i, uint32_t a)
{
    switch (i->code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
        return a == i->k;
    case BPF_JMP | BPF_JGT | BPF_K:
        return a > i->k;
    case BPF_JMP | BPF_JGE | BPF_K:
        return a >= i->k;
    case BPF_JMP | BPF_JSET | BPF_K:
        return (a & i->k) != 0;
    default:
        fail_msg("instruction %#x", i->code);
        return false;
    }
}

static void walk(struct walk *w, unsigned pc, bool known, uint32_t a)
{
    for (;; pc++) {
        const struct sock_filter *i = &w->f->code[pc];

        assert_true(pc < w->f->len);
        if (i->code == (BPF_RET | BPF_K)) {
            w->seen |= answer_bit(i->k);
            return;
        }
        if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
            known = w->zeros || i->k < offsetof(struct seccomp_data, instruction_pointer);
            a = i->k == offsetof(struct seccomp_data, nr)     ? w->nr
                : i->k == offsetof(struct seccomp_data, arch) ? NATIVE
                                                              : 0;
        } else if (i->code == (BPF_ALU | BPF_AND | BPF_K)) {
            a &= i->k;
        } else if (i->code == (BPF_JMP | BPF_JA)) {
            pc += i->k;
        } else if (known) {
            pc += jump_taken(i, a) ? i->jt : i->jf;
        } else {
            walk(w, pc + 1 + i->jt, false, 0);
            pc += i->jf;
        }
    }
}

static unsigned answers(int profile, uint32_t nr, bool zeros)
{
    struct walk w = {.f = &filters[profile], .nr = nr, .zeros = zeros};

    walk(&w, 0, false, 0);
    return w.seen;
}

static const char *word(unsigned seen)
{
    switch (seen) {
    case SEEN_ALLOW:
        return "allow";
    case SEEN_EPERM:
        return "EPERM";
    case SEEN_ENOSYS:
        return "ENOSYS";
    case SEEN_EINVAL:
        return "EINVAL";
    case SEEN_EOPNOTSUPP:
        return "EOPNOTSUPP";
    case SEEN_KILL:
        return "kill";
    case SEEN_ALLOW | SEEN_EPERM:
        return "if";
    default:
        fail_msg("a mix of answers that no rule makes: %#x", seen);
        return "";
    }
}

/* ---- what is published ------------------------------------------------------------------------ */

/* Of each call that is allowed for some arguments: which. */
static const struct {
    const char *name, *when;
} conditions[] = {
    {"arch_prctl", "the thread's own FS and GS bases; whether CPUID faults and shadow stacks are on"},
    {"chmod", "without set-user-id and set-group-id bits"},
    {"clone", "without a new namespace"},
    {"fchmod", "without set-user-id and set-group-id bits"},
    {"fchmodat", "without set-user-id and set-group-id bits"},
    {"fcntl", "duplicates, flags, owner and signal, pipe sizes, seals; setting a record lock does nothing "
              "and succeeds"},
    {"ioctl", "TCGETS, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX"},
    {"mknod", "a FIFO"},
    {"mknodat", "a FIFO"},
    {"prctl", "names, timer slack, huge pages, death signal, no_new_privs; what only asks"},
    {"prlimit64", "of the caller itself, and the core size only asked for"},
    {"recvfrom", "without MSG_OOB"},
    {"recvmsg", "without MSG_OOB"},
    {"sendmsg", "without MSG_OOB"},
    {"sendto", "without MSG_OOB and without an address"},
    {"socketpair", "AF_UNIX, SOCK_STREAM or SOCK_SEQPACKET"},
};

static const char *condition_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(conditions); i++)
        if (strcmp(conditions[i].name, name) == 0)
            return conditions[i].when;
    fail_msg("%s is allowed for some arguments: say which in `conditions`", name);
    return NULL;
}

static char *name_of(uint32_t nr)
{
    return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)nr);
}

static unsigned reachable(int profile)
{
    unsigned n = 0;

    for (uint32_t nr = 0; nr < NUMBERS; nr++)
        n += (answers(profile, nr, false) & SEEN_ALLOW) != 0;
    return n;
}

static void page_row(struct buf *out, uint32_t nr, const char *name)
{
    bool conditional = false;

    buf_addf(out, "| %u | `%s` |", nr, name);
    for (int p = 1; p <= PROFILES; p++) {
        unsigned seen = answers(p, nr, false);

        conditional |= seen == (SEEN_ALLOW | SEEN_EPERM);
        buf_adds(out, (seen & SEEN_ALLOW) != 0 ? " yes |" : " |");
    }
    buf_addf(out, " %s |\n", conditional ? condition_of(name) : "");
}

static void page_others(struct buf *out, unsigned answer, const char *head)
{
    buf_adds(out, head);
    for (uint32_t nr = 0; nr < NUMBERS; nr++) {
        CLEAN_FREE char *name = name_of(nr);

        if (name != NULL && answers(CELL_PROFILE_STRICT, nr, false) == answer)
            buf_addf(out, " `%s`", name);
    }
    buf_adds(out, "\n");
}

static void page_make(struct buf *out)
{
    buf_addf(
        out,
        "# System calls of a cell (%s)\n\n"
        "Made by `cell_syscalls_test --write` from the filters themselves, and checked by it. Reachable is "
        "what a\nfilter allows for any arguments: strict %u, compiler %u, JIT %u; no profile may pass %d.\n\n"
        "| number | name | strict | compiler | JIT | only |\n|---|---|---|---|---|---|\n",
        ARCH, reachable(1), reachable(2), reachable(3), REACHABLE_MAX);
    for (uint32_t nr = 0; nr < NUMBERS; nr++) {
        CLEAN_FREE char *name = name_of(nr);

        if ((answers(CELL_PROFILE_JIT, nr, false) & SEEN_ALLOW) != 0)
            page_row(out, nr, name);
    }
    page_others(
        out, SEEN_ENOSYS,
        "\nWhat is answered with ENOSYS under the strict profile, so that libraries fall back on an older "
        "or a newer call:\n\n");
    page_others(out, SEEN_EOPNOTSUPP,
                "\nWith EOPNOTSUPP, as on a file system without extended attributes:\n\n");
    page_others(out, SEEN_EINVAL, "\nWith EINVAL, upon which callers read and write instead:\n\n");
    buf_adds(out,
             "\nEvery other number that has a name is answered with EPERM, numbers above the highest that "
             "libseccomp knew\nwith ENOSYS. Calls of another architecture (i386, x32, 32-bit ARM) end the "
             "process with SIGSYS.\n");
}

/* number, name, then per profile what its filter says, and "if:" what it says to arguments that are all 0 */
static void golden_make(struct buf *out)
{
    for (uint32_t nr = 0; nr < NUMBERS; nr++) {
        CLEAN_FREE char *name = name_of(nr);

        if (name == NULL)
            continue;
        buf_addf(out, "%u\t%s", nr, name);
        for (int p = 1; p <= PROFILES; p++) {
            const char *any = word(answers(p, nr, false));

            buf_addf(out, strcmp(any, "if") == 0 ? "\t%s:%s" : "\t%s", any, word(answers(p, nr, true)));
        }
        buf_adds(out, "\n");
    }
}

static void read_file(const char *path, struct buf *out)
{
    CLEAN(fclosep) FILE *f = fopen(path, "re");

    for (int ch; f != NULL && (ch = fgetc(f)) != EOF;)
        buf_add(out, &(char){(char)ch}, 1);
}

static int write_file(const char *path, const struct buf *b)
{
    CLEAN(fclosep) FILE *f = fopen(path, "we");

    return f != NULL && fwrite(b->data, 1, b->len, f) == b->len ? 0 : 1;
}

/* ---- tests --------------------------------------------------------------------------------------- */

static int build_all(void **state)
{
    struct err err = {0};

    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        if (cell_seccomp_build((enum cell_profile)p, &filters[p], &err) != 0) {
            print_error("profile %d: %s\n", p, err.text);
            return -1;
        }
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        cell_seccomp_done(&filters[p]);
    return 0;
}

static void test_profiles_are_small(void **state)
{
    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        if (reachable(p) > REACHABLE_MAX)
            fail_msg("profile %d reaches %u system calls; more than %d", p, reachable(p), REACHABLE_MAX);
    assert_true(reachable(CELL_PROFILE_STRICT) > 100); /* the walk sees what is allowed at all */
}

static void compare(const char *path, void (*make)(struct buf *))
{
    CLEAN_BUF struct buf have = {0};
    CLEAN_BUF struct buf want = {0};

    make(&want);
    read_file(path, &have);
    if (have.len != want.len || memcmp(have.data, want.data, want.len) != 0)
        fail_msg("%s is not what the filters say: look at the change, then run cell_syscalls_test --write",
                 path);
}

/* Names come from the libseccomp that is here: another version knows other numbers. */
static void test_published(void **state)
{
    const struct scmp_version *v = seccomp_version();

    (void)state;
    if (strcmp(ARCH, "x86_64") != 0 || v->major != 2 || v->minor != 5) {
        print_message("  the tables are of x86_64 and libseccomp 2.5, this is %s and %u.%u: not compared\n",
                      ARCH, v->major, v->minor);
        return;
    }
    compare(PAGE_PATH, page_make);
    compare(GOLDEN_PATH, golden_make);
}

static int write_all(void)
{
    CLEAN_BUF struct buf page = {0};
    CLEAN_BUF struct buf golden = {0};

    if (build_all(NULL) != 0)
        return 1;
    page_make(&page);
    golden_make(&golden);
    free_all(NULL);
    return write_file(PAGE_PATH, &page) | write_file(GOLDEN_PATH, &golden);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles_are_small),
        cmocka_unit_test(test_published),
    };

    if (argc == 2 && strcmp(argv[1], "--write") == 0)
        return write_all();
    return cmocka_run_group_tests(tests, build_all, free_all);
}
