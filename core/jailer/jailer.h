/* jailer.h - the privileged program: ready cells, deadlines, one worker.
 *
 * Theory of operation.  One thread, one poll(2).  The socket to the worker is descriptor 3; its end ends
 * everything.  `spare` cells are kept ready beyond those that run, so that a START costs a few writes;
 * a START that finds none ready waits for the next one.  Each turn: read what the worker wants, hear
 * the cells, look at deadlines, free what is dead, build what is missing.  An answer is given when
 * every process of the cell is dead, and not before.
 *
 * It knows no network, no file of a job and no secret: paths come from the configuration only, at the
 * start, and what a job is made of passes through as descriptors that only the cell reads. */
#ifndef EXECD_JAILER_H
#define EXECD_JAILER_H

#include "base/base.h"
#include "cell/cell.h"
#include "jail/jail_protocol.h"

#define JAILER_FDS_MAX (1 + CELL_BUNDLES_MAX + 3)

/* A START that waits, runs, or is about to be answered. */
struct jailer_run {
    bool used;
    uint32_t id;
    struct jail_start start;
    int fds[JAILER_FDS_MAX];
    size_t fd_count;
    struct cell *cell;         /* NULL while it waits for one */
    enum job_limit_hit killed; /* while it waited */
};

struct jailer {
    int socket;
    struct cell_host *host;
    unsigned cells, spare;
    struct cell *slots[JAIL_CELLS_MAX]; /* every cell that is not freed, by slot */
    struct jailer_run runs[JAIL_CELLS_MAX];
    bool closing; /* the worker is gone */
};

/* jailer_start.c: reads HELLO, builds the host, runs the verification cell, answers. */
int jailer_open(struct jailer *j, struct err *reterr);

/* jailer_cells.c */
void jailer_start_take(struct jailer *j, const struct jail_message *m, int *fds, size_t fd_count);
void jailer_kill(struct jailer *j, uint32_t id, enum job_limit_hit why);
void jailer_kill_all(struct jailer *j);
/* Answers, frees, starts what waits, builds; returns when to look again (ns, CLOCK_MONOTONIC). */
uint64_t jailer_turn(struct jailer *j, uint64_t now_ns);
unsigned jailer_living(const struct jailer *j);

int jailer_send(struct jailer *j, const struct jail_message *m, int fd);

#endif
