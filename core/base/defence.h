/* defence.h - each defence of the sandbox by name, so that a test can switch one off and see what breaks.
 *
 * In the product there is nothing to switch: cell_defence() is true, and the compiler drops the question.  In
 * execd-jailer-mutant and execd-init-mutant, built for tests only (-DEXECD_MUTATE), it is false for the names
 * on the command line (core/mutant/, where `--list` has its table). */
#ifndef EXECD_DEFENCE_H
#define EXECD_DEFENCE_H

#include <stdbool.h>

#ifdef EXECD_MUTATE
bool cell_defence(const char *name);
void cell_defence_take(int argc, char **argv);       /* prints the table and ends the process for --list */
char *const *cell_defence_argv(const char *program); /* of a program that is to go by the same names */
#else
static inline bool cell_defence(const char *name)
{
    (void)name;
    return true;
}
#endif

#endif
