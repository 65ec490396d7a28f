/* cell_seccomp.h - the system calls a cell may make.
 *
 * Theory of operation.  An allow-list per profile is built once, at the jailer's start,
 * by libseccomp, exported as a binary-tree BPF program and kept in memory; a cell only
 * loads it (costs: docs say 60 us instead of 500).  What is not on the list fails with EPERM
 * (ENOSYS where a libc falls back on it, as for clone3), so programs see an error rather than a death. */
#ifndef EXECD_CELL_SECCOMP_H
#define EXECD_CELL_SECCOMP_H

#include "base/base.h"

struct sock_filter;

enum cell_profile { CELL_PROFILE_STRICT = 1, CELL_PROFILE_COMPILER = 2, CELL_PROFILE_JIT = 3 };

struct cell_filter {
    unsigned short len;
    struct sock_filter *code;
};
/* Once per profile, in the jailer.  -ERR_* with reason. */
int cell_seccomp_build(enum cell_profile profile, struct cell_filter *ret, struct err *reterr) NODISCARD;
void cell_seccomp_done(struct cell_filter *f);
/* In the child right before execve: async-signal-safe, needs no_new_privs.  0 or -errno. */
int cell_seccomp_load(const struct cell_filter *f);

#endif
