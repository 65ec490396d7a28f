/* cgroup.h - resource limits and measurements of a cell, by cgroup v1 or v2.
 *
 * Theory of operation.  execd finds a place before it starts the jailer, with the rights that it still has
 * then (cgroup_place.h), and hands on a `struct cgroups`: descriptors of the directories below which cells'
 * groups are made ("execd-<pid>-<n>" in every v1 hierarchy that is used, or one v2 directory).  Nothing is
 * opened by an absolute path afterwards, so it goes on working after the mounts are gone (pivot_root).  Each
 * cell has its own directory, made before the cell and removed after it: counters start at zero and nothing
 * of another job is charged to it.  In v1, where that is several directories, a few of the dead are kept for
 * the next cells: those that are found empty and can be set back, which costs less than half.
 *
 * The child writes itself into fds that were opened before.  v2: killed by cgroup.kill, measured by cpu.stat,
 * memory.peak and memory.events; memory.oom.group = 1.  v1: memory, pids, cpu, cpuacct, freezer; kill is
 * freeze, SIGKILL to all, thaw. */
#ifndef EXECD_CGROUP_H
#define EXECD_CGROUP_H

#include "base/core.h"

/* v1: one hierarchy each, of which some may be the same one; v2: the first place stands for all. */
enum { CG_MEMORY, CG_PIDS, CG_CPU, CG_CPUACCT, CG_FREEZER, CG_COUNT };

/* Plain data, so that it can be sent beside its descriptors; version 0: no cgroups, and everything succeeds.
 */
struct cgroups {
    int version;
    uint8_t has[CG_COUNT];    /* these are true or false, whatever byte was sent */
    uint8_t shared[CG_COUNT]; /* v1: mounted together with an earlier one */
    uint8_t swap_file;        /* memory.memsw.* or memory.swap.max is there */
    uint8_t peak_file;        /* v2: memory.peak is there */
    uint8_t made_room;   /* v2: processes were moved into a leaf, from where cgroups_close() returns them */
    char name[32];       /* of the directories */
    int bases[CG_COUNT]; /* -1: none */
    uint64_t next;       /* the next cell's name */
};
#define CGROUP_NAME_PREFIX "execd-"
#define CGROUPS_NONE ((struct cgroups){.bases = {-1, -1, -1, -1, -1}})
/* Removes what is left below, kills what still lives there, gives back what was moved. */
void cgroups_close(struct cgroups *g);

struct cgroup;
struct cgroup_limits {
    uint64_t memory_bytes; /* with swap; 0: none */
    uint64_t processes;    /* 0: none */
    uint64_t cpu_millis;   /* 1000 is one core; 0: none */
};
struct cgroup_usage {
    uint64_t cpu_ns;
    uint64_t memory_peak;   /* bytes */
    uint64_t ooms;          /* times the OOM killer struck (or memory could not be had) */
    uint64_t forks_refused; /* by the processes limit */
    uint64_t processes;     /* alive now, zombies not counted */
    uint64_t ooms_outside; /* killed though the cell was within its limit: a parent's or the machine's want */
};
int cgroup_new(struct cgroups *g, struct cgroup **ret, struct err *reterr) NODISCARD;
int cgroup_clone_fd(const struct cgroup *c); /* v2: for clone_args.cgroup; -1 on v1 or none */
/* Elsewhere, in the child, first thing: async-signal-safe.  0 or -errno. */
int cgroup_join(const struct cgroup *c);
/* How many files a process that was born elsewhere writes "0" into to be in it; they stay the cgroup's. */
size_t cgroup_join_fds(const struct cgroup *c, int ret[CG_COUNT]);
int cgroup_limit(struct cgroup *c, const struct cgroup_limits *limits, struct err *reterr) NODISCARD;
/* An fd to poll for an OOM: *ret_events gets POLLIN (v1 eventfd) or POLLPRI (v2 memory.events); -1 if none.
 * cgroup_oom_ack() must be called after it fired, then look at usage.ooms. */
int cgroup_oom_fd(const struct cgroup *c, short *ret_events);
void cgroup_oom_ack(struct cgroup *c);
int cgroup_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr) NODISCARD;
/* Lifts the limit of cpu: what dies must not be held back by it, for as long as the job's share is small. */
void cgroup_unthrottle(struct cgroup *c);
/* SIGKILL to every process in it, also to those being forked right now. */
void cgroup_kill(struct cgroup *c);
/* Closes and removes; returns false if it is not empty yet (c stays, call again). */
bool cgroup_free(struct cgroup *c);

#endif
