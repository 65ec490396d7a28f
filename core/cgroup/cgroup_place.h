/* cgroup_place.h - the place below which a jailer makes its cells' cgroups, found and prepared by execd.
 *
 * What it takes to find one (reading /proc/self/cgroup and mountinfo, choosing, making room, sweeping what
 * dead jailers left, advice) needs rights, but none of the jailer's: execd does it before it gives its own
 * up.  The place is locked for as long as this process lives, and removed by the jailer, whose end follows
 * ours. */
#ifndef EXECD_CGROUP_PLACE_H
#define EXECD_CGROUP_PLACE_H

#include "cgroup.h"

struct cgroup_facts {
    int version;            /* 1, 2, 0: none usable */
    bool memory, pids, cpu; /* limit and measurement can be had */
    bool swap;              /* swap is limited, or the machine has none */
    bool oom_group;         /* the whole cell dies of an OOM (v1: done by the jailer on the event) */
    char root[256];
    char detail[512]; /* for each one missing: why and what to do, "; "-separated */
};
struct cgroup_place {
    struct cgroups groups; /* what the jailer gets */
    struct cgroup_facts facts;
    int locks[CG_COUNT]; /* say that we live */
};
/* `root` is a directory of the v2 file system, or a path within each v1 hierarchy ("/execd"), made if
 * it is missing.  NULL: found (v2 preferred if it has the memory and pids controllers, else v1).  Moves the
 * caller, and whoever else lives in the same cgroup, into a leaf where v2's "no internal processes" rule asks
 * for it.  Removes "execd-*" directories whose process is gone.  Succeeds with version 0 if nothing is
 * usable: the caller decides. */
int cgroup_place_open(const char *root, struct cgroup_place **ret, struct err *reterr) NODISCARD;
/* What all cells together use now: bytes of memory that are theirs (private pages and files of their boxes),
 * and nanoseconds of cpu time, the dead ones' included.  0 where it is not measured. */
void cgroup_place_usage(const struct cgroup_place *p, uint64_t *ret_memory, uint64_t *ret_cpu_ns);
/* As root, once, before cgroup_place_open(): processes move into groups without holding up every other
 * process of the machine (cgroup_place_dynmods.c).  A setting of the machine's that stays.  False: not here,
 * and why. */
bool cgroup_favor_dynmods(struct err *reterr);
/* After the jailer's end.  What it could not remove any more is removed if we still may. */
void cgroup_place_free(struct cgroup_place *p);

#endif
