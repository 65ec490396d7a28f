/* cell.h - one sandbox; used by the jailer only.
 *
 * Theory of operation.  A *host* is made once: it leaves the machine's mount, network, IPC
 * and UTS namespaces, pivots into a small read-only root, and compiles the
 * seccomp filters.  After that a *cell* costs one clone3(2): its init (PID 1 of a new pid
 * namespace) copies that root's mounts, adds a private tmpfs (/box, /tmp, /dev/shm) and its own
 * /proc, becomes uid 1000 of a new user namespace, gives up every capability, and says ready.  Cells
 * are built before they are needed and know nothing of a language.
 *
 * To run, the host sizes the tmpfs through a handle that init sent (no path is opened), writes
 * the cgroup's limits and sends init one order with descriptors: init unpacks the files into the box,
 * forks the program (PID 2), and reports how it ended; the result is fixed at that moment.  Then init
 * kills whatever else lives in the cell, packs the files to keep, and exits, which ends the pid namespace.
 *
 *   BUILDING --ready--> READY --start--> RUNNING --exit--> ENDING --init is gone--> DEAD
 *   (any state) --kill--> DEAD
 *
 * A program may wait: it runs within the limits of its start, with no end of time, and has no job yet.  GO
 * gives it one: the limits become the job's, the measures start anew, init unpacks the job's files, lowers
 * the program's own limits and tells it by a frame on its socket.  Until then it is one of ours that boots;
 * however it ends, that is ERR_AGAIN and nobody's verdict.
 *
 * A *zygote* is a program in a cell that is asked for forks of itself.  Each is a cell of its own, closed by
 * the same steps (cell_setup.h), with a cgroup that we made; its init is a process that we are not the parent
 * of, and sends us a descriptor of itself when it is ready.  With the zygote its cells end.
 *
 * Untrusted code shares a uid with its init but cannot touch it: init is not dumpable, PID 1 of
 * its namespace ignores signals from inside, ptrace and foreign prlimit are not in the filter.
 * Thread: one.  Nothing here blocks except cell_host_open(). */
#ifndef EXECD_CELL_H
#define EXECD_CELL_H

#include <poll.h>

#include "base/core.h"
#include "cell_wire.h"
#include "cgroup/cgroup.h"
#include "job/job_limits.h"

/* ---- the host --------------------------------------------------------------------------- */

struct cell_host;
struct cell_host_options {
    struct cgroups groups; /* the host's from now on */
    uint32_t uid_base;     /* as root: slot i runs as uid_base + i, a zygote in it as CELL_SLOTS_MAX more */
    struct bytes root;     /* what cells show: a bundle (cell_root.c) */
};
/* Not to be undone: this process changes its namespaces and its root. */
int cell_host_open(const struct cell_host_options *o, struct cell_host **ret, struct err *reterr) NODISCARD;
void cell_host_free(struct cell_host *h); /* after every cell */

/* ---- cells --------------------------------------------------------------------------------- */

struct cell;
enum cell_state { CELL_BUILDING, CELL_READY, CELL_RUNNING, CELL_ENDING, CELL_DEAD };
/* `slot`: unique among living cells, below CELL_SLOTS_MAX.  `zygote`: its program is to be one.  `z`: NULL,
 * or one that cell_serves(), of which this is to be a fork. */
int cell_new(struct cell_host *h, unsigned slot, bool zygote, const struct cell *z, struct cell **ret,
             struct err *reterr) NODISCARD;
bool cell_serves(const struct cell *c);
enum cell_state cell_state(const struct cell *c);
bool cell_was_ready(const struct cell *c); /* false of a dead one: it could not be built */

/* Descriptors as init takes them (cell_wire.h); all stay the caller's. */
int cell_start(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count,
               struct err *reterr) NODISCARD;
/* One that cannot be carried out ends the cell, whose result says why; to a cell that does not wait, nothing.
 */
void cell_go(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count);

/* Descriptors to poll, -1 where there is none: messages, the end of init, out of memory. */
#define CELL_POLLS 3
void cell_polls(const struct cell *c, struct pollfd ret[CELL_POLLS]);
void cell_on_polls(struct cell *c, const struct pollfd polls[CELL_POLLS]);
/* Looks at the deadlines of a running cell; returns when to look again (CLOCK_MONOTONIC, ns), UINT64_MAX:
 * never. */
uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns);
void cell_kill(struct cell *c, enum job_limit_hit why);

struct cell_result {
    struct job_measure measure;
    uint64_t forks_refused;
    int kept_fd;    /* the caller's; -1 if none */
    struct err err; /* code 0: measure holds */
};
/* Of a DEAD cell, once. */
void cell_result_take(struct cell *c, struct cell_result *ret);
/* Of a DEAD cell: false while the kernel still holds on to its cgroup (call again). */
bool cell_free(struct cell *c);

#endif
