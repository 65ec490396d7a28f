/* cell_filters.h - the compiled filters of all profiles, for tests of them. */
#ifndef EXECD_TESTS_CELL_FILTERS_H
#define EXECD_TESTS_CELL_FILTERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"
#include "cell_seccomp.h"

#define PROFILES 3
#define HIGH (UINT64_C(1) << 32) /* what a filter of 32 bits must not overlook */

static struct cell_filter filters[PROFILES + 1]; /* by profile */
static const struct cell_filter *strict = &filters[CELL_PROFILE_STRICT];

static inline int build_all(void **state)
{
    struct err err = {0};

    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        if (cell_seccomp_build((enum cell_profile)p, &filters[p], &err) != 0)
            fail_msg("profile %d: %s", p, err.text);
    return 0;
}

static inline int free_all(void **state)
{
    (void)state;
    for (int p = 1; p <= PROFILES; p++)
        cell_seccomp_done(&filters[p]);
    return 0;
}

#endif
