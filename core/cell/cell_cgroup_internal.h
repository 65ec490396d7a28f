/* cell_cgroup_internal.h - what the two cgroup versions share. */
#ifndef EXECD_CELL_CGROUP_INTERNAL_H
#define EXECD_CELL_CGROUP_INTERNAL_H

#include "cell_cgroup.h"

enum { CG_MEMORY, CG_PIDS, CG_CPU, CG_CPUACCT, CG_COUNT }; /* v1 hierarchies; v2 uses the first place for all */

struct cell_cgroups {
    int version;
    bool has[CG_COUNT];
    bool swap_file;            /* memory.memsw.* or memory.swap.max is there */
    int parents[CG_COUNT];     /* where our base was made; -1: none */
    int bases[CG_COUNT];       /* "execd-<pid>", locked as long as we live */
    char name[32];
    uint64_t next;
};

struct cell_cgroup {
    struct cell_cgroups *owner;
    char name[24];
    int dirs[CG_COUNT];
    int join[CG_COUNT];        /* v1: cgroup.procs, opened for the child; -1 once unused */
    int event_fd;              /* v1 eventfd, v2 memory.events */
    int oom_control_fd;        /* v1 */
};

/* One value of one file below a directory fd. */
int cg_write(int dir, const char *file, const char *fmt, ...) PRINTF(3, 4);   /* 0 or -errno */
int cg_read(int dir, const char *file, char *text, size_t size);              /* 0 or -errno; text is terminated */
uint64_t cg_read_u64(int dir, const char *file);                              /* 0 if unreadable */
/* The number behind `key ` in a flat keyed file ("oom_kill 3"); 0 if there is none. */
uint64_t cg_keyed(const char *text, const char *key);
/* SIGKILL to all that cgroup.procs lists; number of processes seen. */
size_t cg_kill_listed(int dir);

/* mountinfo and /proc/self/cgroup (cell_cgroup_find.c).  A directory fd of our own place in a hierarchy: v1 by
 * controller name, v2 by NULL.  *ret_top: an fd of the mount's own root.  -ENOENT if it is not mounted. */
int cg_find(const char *controller, int *ret_own, int *ret_top, char *path, size_t size);

int cg1_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr);
int cg1_open(struct cell_cgroup *c, struct err *reterr);
void cg1_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret);
int cg2_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr);
int cg2_open(struct cell_cgroup *c, struct err *reterr);
void cg2_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret);

#endif
