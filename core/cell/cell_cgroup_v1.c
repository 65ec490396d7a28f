/* cell_cgroup_v1.c - limits and measurements of cgroup v1 (kernel: admin-guide/cgroup-v1). */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CPU_PERIOD_US 100000u

/* The eventfd counts each time the group is out of memory (memory.rst, section 10). */
static int watch_oom(struct cell_cgroup *c, struct err *reterr)
{
    int rc;

    c->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->oom_control_fd = openat(c->dirs[CG_MEMORY], "memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (c->event_fd < 0 || c->oom_control_fd < 0)
        return err_sys(reterr, "watch memory.oom_control");
    rc = cg_write(c->dirs[CG_MEMORY], "cgroup.event_control", "%d %d", c->event_fd, c->oom_control_fd);
    return rc == 0 ? 0 : err_set(reterr, rc, "register for memory.oom_control: %s", strerror(-rc));
}

int cg1_open(struct cell_cgroup *c, struct err *reterr)
{
    for (int i = 0; i < CG_COUNT; i++) {
        if (c->dirs[i] < 0)
            continue;
        c->join[i] = openat(c->dirs[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (c->join[i] < 0)
            return err_sys(reterr, "open cgroup.procs");
    }
    return c->dirs[CG_MEMORY] >= 0 ? watch_oom(c, reterr) : 0;
}

int cg1_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr)
{
    int rc = 0;

    if (c->dirs[CG_MEMORY] >= 0 && l->memory_bytes != 0) {
        /* memsw may not be below memory: the fresh group has neither, so this order. */
        rc = cg_write(c->dirs[CG_MEMORY], "memory.limit_in_bytes", "%llu", (unsigned long long)l->memory_bytes);
        if (rc == 0 && c->owner->swap_file)
            rc = cg_write(c->dirs[CG_MEMORY], "memory.memsw.limit_in_bytes", "%llu", (unsigned long long)l->memory_bytes);
    }
    if (rc == 0 && c->dirs[CG_PIDS] >= 0 && l->processes != 0)
        rc = cg_write(c->dirs[CG_PIDS], "pids.max", "%llu", (unsigned long long)l->processes);
    if (rc == 0 && c->dirs[CG_CPU] >= 0 && l->cpu_millis != 0) {
        rc = cg_write(c->dirs[CG_CPU], "cpu.cfs_period_us", "%u", CPU_PERIOD_US);
        if (rc == 0) /* the kernel's smallest quota is 1 ms */
            rc = cg_write(c->dirs[CG_CPU], "cpu.cfs_quota_us", "%llu",
                          (unsigned long long)MAX(l->cpu_millis * CPU_PERIOD_US / 1000, (uint64_t)1000));
    }
    return rc == 0 ? 0 : err_set(reterr, rc, "write the limits of a cgroup: %s", strerror(-rc));
}

void cg1_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret)
{
    char text[256];

    if (c->dirs[CG_CPUACCT] >= 0)
        ret->cpu_ns = cg_read_u64(c->dirs[CG_CPUACCT], "cpuacct.usage");
    if (c->dirs[CG_MEMORY] >= 0) {
        ret->memory_peak = cg_read_u64(c->dirs[CG_MEMORY], "memory.max_usage_in_bytes");
        if (cg_read(c->dirs[CG_MEMORY], "memory.oom_control", text, sizeof(text)) == 0)
            ret->ooms = cg_keyed(text, "oom_kill") + cg_keyed(text, "under_oom");
    }
    if (c->dirs[CG_PIDS] >= 0) {
        ret->processes = cg_read_u64(c->dirs[CG_PIDS], "pids.current");
        if (cg_read(c->dirs[CG_PIDS], "pids.events", text, sizeof(text)) == 0)
            ret->forks_refused = cg_keyed(text, "max");
    }
}
