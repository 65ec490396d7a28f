/* filter.c - filters with holes: made in each cell, because what is off is known only then. */
#include <seccomp.h>

#include "init.h"
#include "mutant.h"

bool cell_seccomp_allowed(const char *name)
{
    for (const struct mutant_group *g = mutant_groups; g->name != NULL; g++)
        for (size_t i = 0; !cell_defence(g->name) && i < MUTANT_CALLS_MAX && g->calls[i] != NULL; i++)
            if (strcmp(g->calls[i], name) == 0)
                return true;
    return false;
}

int cell_seccomp_allow(void *ctx)
{
    for (const struct mutant_group *g = mutant_groups; g->name != NULL; g++)
        for (size_t i = 0; !cell_defence(g->name) && i < MUTANT_CALLS_MAX && g->calls[i] != NULL; i++) {
            int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, g->calls[i]);
            int rc = nr < 0 ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, 0, NULL);

            if (rc < 0 && rc != -EEXIST) /* two groups may share a call */
                return rc;
        }
    return 0;
}

const struct cell_filter *init_filter(unsigned profile)
{
    static struct cell_filter f;
    struct err err = {0};

    if (cell_seccomp_build((enum cell_profile)profile, &f, &err) != 0)
        f = (struct cell_filter){0}; /* which is refused where it is loaded */
    return &f;
}
