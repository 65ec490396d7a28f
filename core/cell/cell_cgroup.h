/* cell_cgroup.h - resource limits and measurements of a cell, by cgroup v1 or v2.
 *
 * Theory of operation.  One `struct cell_cgroups` holds directory fds of the place below which
 * this jailer may make cgroups ("execd-<pid>" in every v1 hierarchy it uses, or one v2
 * directory); afterwards nothing is opened by an absolute path, so it goes on working after the mounts
 * are gone (pivot_root).  Each cell has its own directory, made before the cell and removed after it:
 * counters start at zero and nothing of another job is charged to it.
 *
 * v2: the process is born inside (CLONE_INTO_CGROUP), killed by cgroup.kill, measured by cpu.stat,
 * memory.peak and memory.events; memory.oom.group = 1.  v1: memory, pids, cpu, cpuacct, freezer; the child
 * writes itself into fds that were opened before; kill is freeze, SIGKILL to all, thaw. */
#ifndef EXECD_CELL_CGROUP_H
#define EXECD_CELL_CGROUP_H

#include "base/base.h"

struct cell_cgroups;
struct cell_cgroup;

struct cell_cgroups_facts {
    int version;            /* 1, 2, 0: none usable */
    bool memory, pids, cpu; /* limit and measurement can be had */
    bool swap;              /* swap is limited, or the machine has none */
    bool oom_group;         /* the whole cell dies of an OOM (v1: done by us on the event) */
    char root[256];
    char detail[512]; /* for each one missing: why and what to do, "; "-separated */
};
/* `root` is a directory of the v2 file system, or a path within each v1 hierarchy ("/execd"), made if
 * it is missing.  NULL: found from /proc/self/cgroup and /proc/self/mountinfo (v2 preferred if it has the
 * memory and pids controllers, else v1).  Moves the caller, and whoever else lives in the same cgroup, into a
 * leaf where v2's "no internal processes" rule asks for it.  Removes "execd-*" directories whose process is
 * gone.  Succeeds with version 0 if nothing is usable: the caller decides. */
int cell_cgroups_open(const char *root, struct cell_cgroups **ret, struct cell_cgroups_facts *facts,
                      struct err *reterr) NODISCARD;
/* Removes what is left below, kills what still lives there. */
void cell_cgroups_free(struct cell_cgroups *g);

struct cell_cgroup_limits {
    uint64_t memory_bytes; /* with swap; 0: none */
    uint64_t processes;    /* 0: none */
    uint64_t cpu_millis;   /* 1000 is one core; 0: none */
};
struct cell_cgroup_usage {
    uint64_t cpu_ns;
    uint64_t memory_peak;   /* bytes */
    uint64_t ooms;          /* times the OOM killer struck (or memory could not be had) */
    uint64_t forks_refused; /* by the processes limit */
    uint64_t processes;     /* alive now, zombies not counted */
    uint64_t ooms_outside; /* killed though the cell was within its limit: a parent's or the machine's want */
};
int cell_cgroup_new(struct cell_cgroups *g, struct cell_cgroup **ret, struct err *reterr) NODISCARD;
int cell_cgroup_clone_fd(const struct cell_cgroup *c); /* v2: for clone_args.cgroup; -1 on v1 or none */
/* v1, in the child, first thing: async-signal-safe.  0 or -errno; 0 at once on v2. */
int cell_cgroup_join(const struct cell_cgroup *c);
int cell_cgroup_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *limits,
                      struct err *reterr) NODISCARD;
/* An fd to poll for an OOM: *ret_events gets POLLIN (v1 eventfd) or POLLPRI (v2 memory.events); -1 if none.
 * cell_cgroup_oom_ack() must be called after it fired, then look at usage.ooms. */
int cell_cgroup_oom_fd(const struct cell_cgroup *c, short *ret_events);
void cell_cgroup_oom_ack(struct cell_cgroup *c);
int cell_cgroup_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret,
                      struct err *reterr) NODISCARD;
/* SIGKILL to every process in it, also to those being forked right now. */
int cell_cgroup_kill(struct cell_cgroup *c);
bool cell_cgroup_empty(const struct cell_cgroup *c);
/* Closes and removes; returns false if it is not empty yet (c stays, call again). */
bool cell_cgroup_free(struct cell_cgroup *c);

#endif
