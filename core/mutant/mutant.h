/* mutant.h - for the programs that are built for tests only, with defences that can be switched off. */
#ifndef EXECD_MUTANT_H
#define EXECD_MUTANT_H

#include "base/core.h"

#define MUTANT_CALLS_MAX 16
/* System calls that are allowed whatever they are asked when the defence is off (groups.c). */
struct mutant_group {
    const char *name, *what;
    const char *calls[MUTANT_CALLS_MAX];
};
extern const struct mutant_group mutant_groups[]; /* ends with a NULL name */

#endif
