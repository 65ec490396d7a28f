/* cell_cgroup_v2.c - limits and measurements of cgroup v2 (kernel: admin-guide/cgroup-v2.rst). */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <unistd.h>

#define CPU_PERIOD_US 100000u

int cg2_open(struct cell_cgroup *c, struct err *reterr)
{
    int rc = 0;

    if (!c->owner->has[CG_MEMORY])
        return 0;
    rc = cg_write(c->dirs[0], "memory.oom.group", "1");
    if (rc != 0)
        return err_set(reterr, rc, "write memory.oom.group: %s", strerror(-rc));
    c->event_fd = openat(c->dirs[0], "memory.events", O_RDONLY | O_CLOEXEC);
    return c->event_fd >= 0 ? 0 : err_sys(reterr, "open memory.events");
}

int cg2_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr)
{
    const bool *has = c->owner->has;
    int rc = 0;

    if (has[CG_MEMORY] && l->memory_bytes != 0) {
        rc = cg_write(c->dirs[0], "memory.max", "%llu", (unsigned long long)l->memory_bytes);
        if (rc == 0 && c->owner->swap_file)
            rc = cg_write(c->dirs[0], "memory.swap.max", "0");
    }
    if (rc == 0 && has[CG_PIDS] && l->processes != 0)
        rc = cg_write(c->dirs[0], "pids.max", "%llu", (unsigned long long)l->processes);
    if (rc == 0 && has[CG_CPU] && l->cpu_millis != 0)
        rc = cg_write(c->dirs[0], "cpu.max", "%llu %u",
                      (unsigned long long)MAX(l->cpu_millis * CPU_PERIOD_US / 1000, (uint64_t)1000), CPU_PERIOD_US);
    return rc == 0 ? 0 : err_set(reterr, rc, "write the limits of a cgroup: %s", strerror(-rc));
}

void cg2_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret)
{
    char text[1024];

    if (cg_read(c->dirs[0], "cpu.stat", text, sizeof(text)) == 0) /* there even without the controller */
        ret->cpu_ns = cg_keyed(text, "usage_usec") * 1000;
    if (c->owner->has[CG_MEMORY]) {
        ret->memory_peak = MAX(cg_read_u64(c->dirs[0], "memory.peak"), cg_read_u64(c->dirs[0], "memory.current"));
        if (cg_read(c->dirs[0], "memory.events", text, sizeof(text)) == 0)
            ret->ooms = cg_keyed(text, "oom_kill") + cg_keyed(text, "oom_group_kill");
    }
    if (c->owner->has[CG_PIDS]) {
        ret->processes = cg_read_u64(c->dirs[0], "pids.current");
        if (cg_read(c->dirs[0], "pids.events", text, sizeof(text)) == 0)
            ret->forks_refused = cg_keyed(text, "max");
    }
}
