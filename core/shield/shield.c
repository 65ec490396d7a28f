/* shield.c - the lists made into a filter, and its loading (theory of operation: shield.h). */
#include "shield.h"

#include <seccomp.h>

#include "shield_lists.h"

/* Beyond the highest number that libseccomp knows by name: calls of kernels to come. */
#define NUMBERS_SEARCHED 512

/* Of the build's own making: its leak check, its coverage files. */
#if defined(__SANITIZE_ADDRESS__) || defined(SHIELD_COVERAGE)
#define SANITIZER SHIELD_SANITIZER
#else
#define SANITIZER 0
#endif

static unsigned who(const struct shield_options *o)
{
    return SHIELD_ALL | (o->listens ? SHIELD_LISTENS : 0) | (o->caches ? SHIELD_CACHES : 0) |
           (o->starts_redis ? SHIELD_STARTS_REDIS | SHIELD_LISTENS : SHIELD_NO_REDIS) | SANITIZER;
}

/* A name that this architecture lacks is a negative number for libseccomp. */
static int resolve(const char *name)
{
    return seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name);
}

static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names, struct err *reterr)
{
    for (; *names != NULL; names++) {
        int nr = resolve(*names);
        int rc = nr < 0 ? 0 : seccomp_rule_add_array(ctx, action, nr, 0, NULL);

        if (rc < 0)
            return err_set(reterr, rc, "execd's seccomp filter: rule for %s: %s", *names, strerror(-rc));
    }
    return 0;
}

static int add_rules(scmp_filter_ctx ctx, unsigned mine, struct err *reterr)
{
    for (const struct shield_rule *r = shield_rules; r->name != NULL; r++) {
        struct scmp_arg_cmp cmp[SHIELD_ARGS];
        unsigned n = 0;
        int nr = resolve(r->name), rc;

        if (nr < 0 || (r->who & mine) == 0)
            continue;
        for (unsigned i = 0; i < SHIELD_ARGS && r->arg[i].mask != 0; i++)
            cmp[n++] = SCMP_CMP(r->arg[i].index, SCMP_CMP_MASKED_EQ, r->arg[i].mask, r->arg[i].value);
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, cmp);
        if (rc < 0)
            return err_set(reterr, rc, "execd's seccomp filter: rule for %s: %s", r->name, strerror(-rc));
    }
    return 0;
}

/* A newer C library tries a newer call first, and falls back at ENOSYS alone. */
static int add_numbers_to_come(scmp_filter_ctx ctx, struct err *reterr)
{
    int highest = NUMBERS_SEARCHED;

    for (char *name = NULL; highest > 0 && name == NULL; free(name))
        name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, --highest);
    for (int nr = highest + 1; nr < NUMBERS_SEARCHED; nr++) {
        int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0, NULL);

        if (rc < 0)
            return err_set(reterr, rc, "execd's seccomp filter: rule for call %d: %s", nr, strerror(-rc));
    }
    return 0;
}

static int set_attributes(scmp_filter_ctx ctx, struct err *reterr)
{
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return rc == 0 ? 0
                   : err_set(reterr, rc, "execd's seccomp filter: libseccomp >= 2.5 is needed: %s",
                             strerror(-rc));
}

static int fill(scmp_filter_ctx ctx, unsigned mine, struct err *reterr)
{
    const struct {
        unsigned who;
        const char *const *names;
    } lists[] = {{SHIELD_ALL, shield_common},
                 {SHIELD_LISTENS, shield_listening},
                 {SHIELD_STARTS_REDIS, shield_redis},
                 {SHIELD_CACHES, shield_caching},
                 {SHIELD_SANITIZER, shield_sanitizer}};
    int rc = set_attributes(ctx, reterr);

    for (size_t i = 0; rc == 0 && i < COUNT_OF(lists); i++)
        if ((lists[i].who & mine) != 0)
            rc = add_names(ctx, SCMP_ACT_ALLOW, lists[i].names, reterr);
    if (rc == 0)
        rc = add_names(ctx, SCMP_ACT_ERRNO(ENOSYS), shield_absent, reterr);
    if (rc == 0)
        rc = add_numbers_to_come(ctx, reterr);
    return rc == 0 ? add_rules(ctx, mine, reterr) : rc;
}

int shield_raise(const struct shield_options *o, struct err *reterr)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc;

    if (ctx == NULL)
        return err_set(reterr, ERR_INTERNAL, "execd's seccomp filter: libseccomp cannot start");
    rc = fill(ctx, who(o), reterr);
    if (rc == 0 && (rc = seccomp_load(ctx)) < 0)
        err_set(reterr, rc, "execd's seccomp filter: the kernel refuses it (CONFIG_SECCOMP_FILTER): %s",
                strerror(-rc));
    seccomp_release(ctx);
    return rc;
}
