/* cgroup_v2.c - cgroup v2 (kernel: Documentation/admin-guide/cgroup-v2.rst). */
#include "cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define KILL_ROUNDS 16

int cg2_new(struct cgroup *c, struct err *reterr)
{
    if (!c->owner->has[CG_MEMORY])
        return 0;
    if (cg_write(c->dirs[0], "memory.oom.group", cell_defence("oom_group") ? "1" : "0") != 0)
        return err_sys(reterr, "write memory.oom.group");
    c->event_fd = openat(c->dirs[0], "memory.events", O_RDONLY | O_CLOEXEC);
    if (c->event_fd < 0)
        return err_sys(reterr, "open memory.events");
    cgroup_oom_ack(c); /* an event file that was never read counts as changed */
    return 0;
}

static int limit_cpu(int dir, uint64_t millis, struct err *reterr)
{
    uint64_t period, quota;

    if (millis == 0)
        return cg_write_limit(dir, "cpu.max", 0, "max", reterr);
    quota = cg_cpu_quota(millis, &period);
    if (cg_write(dir, "cpu.max", "%llu %llu", (unsigned long long)quota, (unsigned long long)period) != 0)
        return err_sys(reterr, "write %llu to cpu.max", (unsigned long long)quota);
    return 0;
}

int cg2_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr)
{
    const uint8_t *has = c->owner->has;
    int dir = c->dirs[0], rc = 0;

    if (has[CG_MEMORY] && cell_defence("cgroup_memory")) {
        if (c->owner->swap_file && cell_defence("cgroup_swap") &&
            cg_write(dir, "memory.swap.max", l->memory_bytes == 0 ? "max" : "0") != 0)
            return err_sys(reterr, "write memory.swap.max");
        rc = cg_write_limit(dir, "memory.max", l->memory_bytes, "max", reterr);
    }
    if (rc == 0 && has[CG_PIDS] && cell_defence("cgroup_pids"))
        rc = cg_write_limit(dir, "pids.max", l->processes, "max", reterr);
    if (rc == 0 && has[CG_CPU] && cell_defence("cgroup_cpu"))
        rc = limit_cpu(dir, l->cpu_millis, reterr);
    return rc;
}

/* `oom` is counted where a limit was hit, `oom_kill` where somebody was killed, be it for a parent's want. */
static void usage_ooms(const struct cgroup *c, struct cgroup_usage *ret)
{
    char text[512];
    uint64_t hits, kills;

    if (cg_read(c->dirs[0], "memory.events", text, sizeof(text)) != 0)
        return;
    hits = cg_keyed(text, "oom");
    kills = cg_keyed(text, "oom_kill");
    if (hits > 0)
        ret->ooms = MAX(hits, kills);
    else
        ret->ooms_outside = kills;
}

int cg2_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr)
{
    char text[1024];

    if (cg_read(c->dirs[0], "cpu.stat", text, sizeof(text)) != 0) /* there even without the controller */
        return err_sys(reterr, "read cpu.stat");
    ret->cpu_ns = cg_keyed(text, "usage_usec") * 1000;
    if (c->owner->has[CG_MEMORY]) {
        ret->memory_peak = cg_read_u64(c->dirs[0], c->owner->peak_file ? "memory.peak" : "memory.current");
        c->peak_seen = MAX(c->peak_seen, ret->memory_peak);
        ret->memory_peak = c->peak_seen;
        usage_ooms(c, ret);
    }
    if (c->owner->has[CG_PIDS] && cg_read(c->dirs[0], "pids.events", text, sizeof(text)) == 0)
        ret->forks_refused = cg_keyed(text, "max");
    ret->processes = cg_each_process(c->dirs[0], 0);
    return 0;
}

void cg2_kill(struct cgroup *c)
{
    if (cg_write(c->dirs[0], "cgroup.kill", "1") == 0)
        return;
    cg_write(c->dirs[0], "cgroup.freeze", "1"); /* before 5.14; the frozen die of SIGKILL */
    for (int i = 0; i < KILL_ROUNDS && cg_each_process(c->dirs[0], SIGKILL) > 0; i++)
        usleep(200);
    cg_write(c->dirs[0], "cgroup.freeze", "0");
}
