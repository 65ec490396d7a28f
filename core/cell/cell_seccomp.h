/* cell_seccomp.h - the system calls a cell may make.
 *
 * Theory of operation.  An allow-list per profile is made into a binary-tree BPF program by libseccomp when
 * execd is built (core/init/filters.c), and is part of execd-init: at run time it is only loaded, and neither
 * jailer nor cell has a compiler of filters in it.  What is not on the list fails with EPERM
 * (ENOSYS where a libc falls back on it, as for clone3), so programs see an error rather than a death. */
#ifndef EXECD_CELL_SECCOMP_H
#define EXECD_CELL_SECCOMP_H

#include "base/core.h"
#include "base/defence.h"

struct sock_filter;

enum cell_profile { CELL_PROFILE_STRICT = 1, CELL_PROFILE_COMPILER = 2, CELL_PROFILE_JIT = 3 };

struct cell_filter {
    unsigned short len;
    const struct sock_filter *code;
};
/* -ERR_* with reason. */
int cell_seccomp_build(enum cell_profile profile, struct cell_filter *ret, struct err *reterr) NODISCARD;
void cell_seccomp_done(struct cell_filter *f);
/* In the child right before execve: async-signal-safe, needs no_new_privs.  0 or -errno. */
int cell_seccomp_load(const struct cell_filter *f);

/* Is this call one of a group that a mutant allows whatever it is asked?  Then cell_seccomp_allow() does so,
 * by libseccomp's number of it. */
#ifdef EXECD_MUTATE
bool cell_seccomp_allowed(const char *name);
int cell_seccomp_allow(void *ctx);
#else
static inline bool cell_seccomp_allowed(const char *name)
{
    (void)name;
    return false;
}
static inline int cell_seccomp_allow(void *ctx)
{
    (void)ctx;
    return 0;
}
#endif

#endif
