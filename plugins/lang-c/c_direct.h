/* c_direct.h - gcc's own steps without gcc: what its driver would run, learnt from itself. */
#ifndef C_DIRECT_H
#define C_DIRECT_H

#include <execd/plugin.h>

/* For `sh -c`, with the compiler as $0 and its arguments for main.c -> main as $@: prints what
 * `compiler --version` does, and then what c_direct_learn() reads. */
extern const char c_direct_probe[];

struct c_direct {
    char *script; /* for `sh -c`: does what the driver does */
    char *rest;   /* its end, for when one of its programs failed or spoke up */
    char *steps; /* the words of its three programs, a line each, and an empty line after each program's; NULL
                    where the linker is not gold */
};

/* What the probe printed made into what does the work of `driver` (the compiler and the same arguments,
 * NULL-terminated).  -1, and nothing, where the steps are not the three that are known, or not known in every
 * word; *ret_why then says which, in words[size]. */
int c_direct_learn(struct execd_bytes probed, const char *const *driver, struct c_direct *ret, char *ret_why,
                   size_t why_size);
void c_direct_done(struct c_direct *d);

/* Does the source use what linkers treat each in their own way? */
int c_direct_fits(struct execd_bytes source);

#endif
