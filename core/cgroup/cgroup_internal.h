/* cgroup_internal.h - what the two cgroup versions share. */
#ifndef EXECD_CGROUP_INTERNAL_H
#define EXECD_CGROUP_INTERNAL_H

#include "base/defence.h"
#include "cgroup.h"

#define CG_SUPERVISOR "supervisor" /* v2: the leaf for those who lived where cells are to be */

struct cgroup {
    struct cgroups *owner;
    char name[24];
    int dirs[CG_COUNT];
    int join[CG_COUNT];      /* cgroup.procs, opened for a child that has to write itself in */
    int event_fd;            /* v1 eventfd, v2 memory.events */
    uint64_t oom_events;     /* v1: counted by the eventfd */
    uint64_t kills, refused; /* v1: of the cells before this one */
    uint64_t peak_seen;      /* v2 without memory.peak */
};

/* ---- files below a directory fd (cgroup_file.c) ---- */

int cg_write(int dir, const char *file, const char *fmt, ...) PRINTF(3, 4); /* 0, or -errno and errno */
/* A limit: `value`, or `none` where that is 0. */
int cg_write_limit(int dir, const char *file, uint64_t value, const char *none, struct err *reterr);
int cg_read(int dir, const char *file, char *text, size_t size); /* 0 or -errno; text is terminated */
uint64_t cg_read_u64(int dir, const char *file);                 /* 0 if unreadable */
/* The number behind `key ` at the beginning of a line ("oom_kill 3"), as in the kernel's flat keyed files
 * (cgroup-v2.rst, "Format"); 0 if there is none. */
uint64_t cg_keyed(const char *text, const char *key);
int cg_open_dir(int at, const char *path);
/* Processes that cgroup.procs lists; each gets `signal` unless that is 0. */
size_t cg_each_process(int dir, int signal);

/* ---- the end (cgroup_end.c) ---- */

/* Removes directory `name` with the cells in it, killing what lives there; false if something stays. */
bool cg_remove(struct cgroup *c); /* at once, and frees it; false: somebody is in it still */
bool cg_remove_tree(int parent, const char *name);
/* v2: moves all processes of one directory into another. */
int cg_move_all(int from, int to);
/* v2: '+' hands the controllers on to the children of a directory, '-' takes them back. */
void cg_hand_on(int dir, char sign);
/* v2: who was moved into the leaf below `parent` comes back.  Best effort: another execd may still need the
 * room. */
void cg_give_back(int parent);

/* ---- the versions ---- */

int cg1_new(struct cgroup *c, struct err *reterr);
int cg1_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr);
int cg1_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr);
void cg1_kill(struct cgroup *c);
bool cg1_renew(struct cgroup *c); /* to be used again: without limits, counters at zero */
int cg2_new(struct cgroup *c, struct err *reterr);
int cg2_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr);
int cg2_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr);
void cg2_kill(struct cgroup *c);

/* Microseconds of cpu time for one period, at least the kernel's smallest; *ret_period likewise. */
uint64_t cg_cpu_quota(uint64_t cpu_millis, uint64_t *ret_period);

#endif
