/* cell_seccomp_lists.h - which system calls are allowed, by name; private to cell_seccomp.c. */
#ifndef EXECD_CELL_SECCOMP_LISTS_H
#define EXECD_CELL_SECCOMP_LISTS_H

#include <stdint.h>

/* NULL-terminated.  A name that the architecture lacks is skipped. */
extern const char *const cell_seccomp_common[]; /* every profile */
extern const char *const cell_seccomp_jit[];    /* jit alone */

/* Refused, and with another error than EPERM, unless the profile allows it; ends with a NULL name. */
struct cell_seccomp_answer {
    const char *name;
    uint32_t error;
};
extern const struct cell_seccomp_answer cell_seccomp_answers[];

/* Allowed if for each `arg` with a mask: (argument & mask) == value.  Several of one name: any of them. */
#define CELL_SECCOMP_ARGS 3
struct cell_seccomp_rule {
    const char *name;
    unsigned profiles; /* 1 << enum cell_profile */
    struct {
        unsigned index;
        uint64_t mask, value;
    } arg[CELL_SECCOMP_ARGS];
};
extern const struct cell_seccomp_rule cell_seccomp_rules[]; /* ends with a NULL name */

#endif
