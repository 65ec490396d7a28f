/* c_direct.h - gcc's own steps without gcc: what its driver would run, learnt from itself. */
#ifndef C_DIRECT_H
#define C_DIRECT_H

#include <execd/plugin.h>

/* For `sh -c`, with the compiler as $0 and its arguments for main.c -> main as $@: prints what
 * `compiler --version` does, and then what c_direct_learn() reads. */
extern const char c_direct_probe[];

/* What the probe printed made into a script for `sh -c` that does what `driver` (the compiler and the same
 * arguments, NULL-terminated) does.  malloc()ed.  NULL where the steps are not the three that are known, or
 * not known in every word; *ret_why then says which, in words[size]. */
char *c_direct_learn(struct execd_bytes probed, const char *const *driver, char *ret_why, size_t why_size);

/* Does the source use what linkers treat each in their own way? */
int c_direct_fits(struct execd_bytes source);

#endif
