/* jailer.h - the privileged program: ready cells, deadlines, one worker.
 *
 * Theory of operation.  One thread, one poll(2).  The socket to the worker is descriptor 3; its end ends
 * everything.  `spare` cells are kept ready beyond those that run, so that a START costs a few writes;
 * a START that finds none ready waits for the next one.  Each turn: read what the worker wants, hear
 * the cells, look at deadlines, free what is dead, build what is missing.  An answer is given when
 * every process of the cell is dead, and not before.
 *
 * A cell is for any run, for one run that is a zygote, or for the runs of one zygote, which forks it.  Each
 * zygote that runs has `spare` of its own kept ready.  What fails for one of them fails for its runs alone.
 *
 * It knows no network, no file of a job and no secret: paths come from the configuration only, at the
 * start, and what a job is made of passes through as descriptors that only the cell reads. */
#ifndef EXECD_JAILER_H
#define EXECD_JAILER_H

#include "base/core.h"
#include "cell/cell.h"
#include "jail/jail_protocol.h"

#define JAILER_FDS_MAX CELL_FDS_MAX

/* A START that waits, runs, or is about to be answered. */
struct jailer_run {
    bool used;
    uint32_t id;
    struct cell_order order;
    int fds[JAILER_FDS_MAX];
    size_t fd_count;
    struct cell *cell;         /* NULL while it waits for one */
    enum job_limit_hit killed; /* while it waited */
    uint64_t build_after_ns;   /* a zygote's: the last of its cells could not be built */
};

struct jailer {
    int socket;
    struct cell_host *host;
    unsigned cells, spare, living;      /* the last: at the last turn */
    struct cell *slots[JAIL_CELLS_MAX]; /* every cell that is not freed, by slot */
    uint64_t keys[JAIL_CELLS_MAX];      /* ... and whom it is for (jailer_cells.c, key_of()) */
    bool told[JAIL_CELLS_MAX];          /* a dead one whose cgroup the kernel still holds */
    struct jailer_run runs[JAIL_CELLS_MAX];
    uint64_t build_after_ns; /* the last plain cell could not be built */
    bool closing;            /* the worker is gone */
};

/* jailer_start.c: reads HELLO, builds the host, answers. */
int jailer_open(struct jailer *j, struct err *reterr);

/* jailer_cells.c */
void jailer_start_take(struct jailer *j, const struct jail_message *m, int *fds, size_t fd_count);
void jailer_go(struct jailer *j, const struct jail_message *m, const int *fds, size_t fd_count);
void jailer_kill(struct jailer *j, uint32_t id, enum job_limit_hit why);
void jailer_kill_all(struct jailer *j);
/* Answers, frees, starts what waits, builds; returns when to look again (ns, CLOCK_MONOTONIC). */
uint64_t jailer_turn(struct jailer *j, uint64_t now_ns);

int jailer_send(struct jailer *j, const struct jail_message *m, const int *fds, size_t count);

#endif
