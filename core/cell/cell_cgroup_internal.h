/* cell_cgroup_internal.h - what the two cgroup versions share. */
#ifndef EXECD_CELL_CGROUP_INTERNAL_H
#define EXECD_CELL_CGROUP_INTERNAL_H

#include "cell_cgroup.h"

/* v1: one hierarchy each, of which some may be the same one; v2: the first place stands for all. */
enum { CG_MEMORY, CG_PIDS, CG_CPU, CG_CPUACCT, CG_FREEZER, CG_COUNT };

#define CG_PATH 1024

struct cell_cgroups {
    int version;
    bool has[CG_COUNT];
    bool shared[CG_COUNT]; /* v1: mounted together with an earlier one */
    bool swap_file;        /* memory.memsw.* or memory.swap.max is there */
    bool peak_file;        /* v2: memory.peak is there */
    bool clone_into;       /* v2: CLONE_INTO_CGROUP works */
    bool made_room;        /* v2: we moved processes into SUPERVISOR */
    int parents[CG_COUNT]; /* where our base was made; -1: none */
    int bases[CG_COUNT];   /* "execd-<pid>" */
    int locks[CG_COUNT];   /* say that we live */
    char name[32];
    uint64_t next;
};

struct cell_cgroup {
    struct cell_cgroups *owner;
    char name[24];
    int dirs[CG_COUNT];
    int join[CG_COUNT];  /* cgroup.procs, opened for a child that has to write itself in */
    int event_fd;        /* v1 eventfd, v2 memory.events */
    uint64_t oom_events; /* v1: counted by the eventfd */
    uint64_t peak_seen;  /* v2 without memory.peak */
};

/* ---- files below a directory fd (cell_cgroup_file.c) ---- */

int cg_write(int dir, const char *file, const char *fmt, ...) PRINTF(3, 4); /* 0 or -errno */
int cg_read(int dir, const char *file, char *text, size_t size); /* 0 or -errno; text is terminated */
uint64_t cg_read_u64(int dir, const char *file);                 /* 0 if unreadable */
/* The number behind `key ` in a flat keyed file ("oom_kill 3"); 0 if there is none. */
uint64_t cg_keyed(const char *text, const char *key);
bool cg_has_word(const char *text, char separator, const char *word);
bool cg_has_file(int dir, const char *file);
int cg_open_dir(int at, const char *path);
/* Processes that cgroup.procs lists; each gets `signal` unless that is 0. */
size_t cg_each_process(int dir, int signal);
/* Removes directory `name` with the cells in it, killing what lives there; false if something stays. */
bool cg_remove_tree(int parent, const char *name);

/* ---- where we are (cell_cgroup_find.c) ---- */

struct cg_place {
    char own[CG_PATH]; /* our own cgroup as a path of the file system */
    char top[CG_PATH]; /* the mount point */
};
/* v1 by controller name, v2 by NULL, from files in the form of /proc/self/cgroup and /proc/self/mountinfo.
 * -ENOENT: not mounted. */
int cg_find(const char *cgroup_file, const char *mountinfo_file, const char *controller,
            struct cg_place *ret);

/* ---- opening (cell_cgroup_open.c) ---- */

void cg_detail(struct cell_cgroups_facts *f, const char *fmt, ...) PRINTF(2, 3);
/* Makes bases[i] below parents[i] after removing what dead jailers left there.  0 or -errno. */
int cg_make_base(struct cell_cgroups *g, int i);
/* Makes a cell and puts a process into it, as later for real.  0 or -errno. */
int cg_probe(struct cell_cgroups *g);
void cg_forget(struct cell_cgroups *g); /* closes and removes the bases */

/* ---- the versions ---- */

/* False: not usable, the reason is in f->detail. */
bool cg1_open(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f);
bool cg2_open(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f);
void cg2_close(struct cell_cgroups *g); /* gives back what cg2_open moved */

int cg1_new(struct cell_cgroup *c, struct err *reterr);
int cg1_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr);
int cg1_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr);
void cg1_kill(struct cell_cgroup *c);
int cg2_new(struct cell_cgroup *c, struct err *reterr);
int cg2_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr);
int cg2_usage(struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr);
void cg2_kill(struct cell_cgroup *c);

/* Microseconds of cpu time for one period, at least the kernel's smallest; *ret_period likewise. */
uint64_t cg_cpu_quota(uint64_t cpu_millis, uint64_t *ret_period);

#endif
