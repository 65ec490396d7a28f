/* init.h - execd-init: PID 1 of a cell, without any privilege, in a process that was never the jailer's.
 *
 * Theory of operation.  The jailer's child closes the cell around itself (cell_setup.c), gives up everything,
 * and executes this.  It says ready, takes one order, unpacks the files into the box, forks the program,
 * tells how it ended, kills what is left, packs what is to be kept, and ends, which ends the pid namespace.
 * It is of the program's uid and holds nothing that a program should not see; what keeps a program from it is
 * that it is PID 1 (signals from inside are ignored), that it is not dumpable, and the program's filter.
 *
 * It is static, because a cell's root may hold another C library than ours.
 *
 * In a cell that a zygote forked the program's process is there before: made by the fork that then executed
 * this, closed in by the same cell, and waiting for the order.  It goes the same last steps, and then on as
 * the zygote's program. */
#ifndef EXECD_INIT_H
#define EXECD_INIT_H

#include "cell/cell_seccomp.h"
#include "cell/cell_wire.h"

/* A zygote's cell: the socket to the process that is to be the program, its pid, being the first that was
 * forked in there, and how many descriptors it gets with the order (arguments, stdin, stdout, stderr). */
#define INIT_FD_FORK (CELL_FD_INIT + 1)
#define INIT_FORK_PID 2
#define INIT_FORK_FDS 4

/* init_exec.c: the program's process; returns where it goes on instead of executing a program.  Failures go
 * as a struct err into error_fd, whose end says that there was none. */
struct init_exec {
    const struct cell_order *order;
    const struct cell_filter *filter;
    char **argv, **env;
    int stdin_fd, stdout_fd, stderr_fd, error_fd;
    int warm_fd; /* -1: none */
    bool goes_on;
};
void init_exec_main(const struct init_exec *x);
/* ... and where it cannot even begin. */
void init_exec_fail(int error_fd, const struct err *err) __attribute__((noreturn));

/* init_words.c: those of one kind, NULL-terminated; NULL: malformed, or too many. */
char **init_words(struct bytes args, uint32_t kind, struct err *reterr);

/* init_go.c: a program that was started without a job gets one, which `*ret_begun_ns` is the beginning of,
 * after
 * `*ret_cpu_ns` of its cpu time.  ERR_AGAIN: it gets none, and is to be ended. */
int init_go(pid_t pid, const struct cell_order *bounds, int box, uint64_t *ret_begun_ns, uint64_t *ret_cpu_ns,
            struct err *reterr);
/* Whatever is to be told to the jailer; fd -1: none. */
void init_say(const struct cell_news *news, int fd);

/* init_files.c: into and out of the box. */
int init_unpack(int box, int bundle_fd, struct err *reterr);
int init_keep(int box, char *const *paths, uint64_t max_bytes, int *ret_fd, struct err *reterr);

/* Made from the lists when execd is built (filters.c). */
const struct cell_filter *init_filter(unsigned profile);

#endif
