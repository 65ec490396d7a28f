/* cgroup_v1.c - cgroup v1 (kernel: Documentation/admin-guide/cgroup-v1). */
#include "cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREEZE_ROUNDS 8
#define FREEZE_WAIT_US 200
#define LIMIT_SLACK 65536
#define CHARGED_MAX (UINT64_C(1) << 20) /* the kernel's reserves and small objects */

/* ---- a cell ---------------------------------------------------------------------------------- */

/* The eventfd counts each time the group is out of memory (memory.rst, section 9 and 10). */
int cg1_new(struct cgroup *c, struct err *reterr)
{
    CLEAN_FD int control = -1;

    if (c->dirs[CG_MEMORY] < 0)
        return 0;
    c->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    control = openat(c->dirs[CG_MEMORY], "memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (c->event_fd < 0 || control < 0)
        return err_sys(reterr, "watch memory.oom_control");
    if (cg_write(c->dirs[CG_MEMORY], "cgroup.event_control", "%d %d", c->event_fd, control) != 0)
        return err_sys(reterr, "register for memory.oom_control");
    return 0;
}

/* memory.limit may never be above memory.memsw.limit: which goes first depends on the direction. */
static int limit_memory(struct cgroup *c, uint64_t bytes, struct err *reterr)
{
    static const char plain[] = "memory.limit_in_bytes", swap[] = "memory.memsw.limit_in_bytes";
    int dir = c->dirs[CG_MEMORY], rc;
    bool raised;

    if (!c->owner->swap_file || !cell_defence("cgroup_swap"))
        return cg_write_limit(dir, plain, bytes, "-1", reterr);
    raised = bytes == 0 || bytes > cg_read_u64(dir, swap);
    rc = cg_write_limit(dir, raised ? swap : plain, bytes, "-1", reterr);
    return rc == 0 ? cg_write_limit(dir, raised ? plain : swap, bytes, "-1", reterr) : rc;
}

static int limit_cpu(struct cgroup *c, uint64_t millis, struct err *reterr)
{
    uint64_t period, quota;
    int dir = c->dirs[CG_CPU], rc;

    if (millis == 0)
        return cg_write_limit(dir, "cpu.cfs_quota_us", 0, "-1", reterr);
    quota = cg_cpu_quota(millis, &period);
    if ((rc = cg_write_limit(dir, "cpu.cfs_period_us", period, "-1", reterr)) != 0)
        return rc;
    rc = cg_write(dir, "cpu.cfs_quota_us", "%llu", (unsigned long long)quota);
    if (rc == -EINVAL && cg_read_u64(dir, "cpu.cfs_quota_us") == UINT64_MAX)
        return 0; /* more than what a parent allows: the parent's, which is tighter, holds */
    return rc == 0 ? 0
                   : err_set(reterr, rc, "write %llu to cpu.cfs_quota_us: %s", (unsigned long long)quota,
                             strerror(-rc));
}

int cg1_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr)
{
    int rc = 0;

    if (c->dirs[CG_MEMORY] >= 0 && cell_defence("cgroup_memory"))
        rc = limit_memory(c, l->memory_bytes, reterr);
    if (rc == 0 && c->dirs[CG_PIDS] >= 0 && cell_defence("cgroup_pids"))
        rc = cg_write_limit(c->dirs[CG_PIDS], "pids.max", l->processes, "max", reterr);
    if (rc == 0 && c->dirs[CG_CPU] >= 0 && cell_defence("cgroup_cpu"))
        rc = limit_cpu(c, l->cpu_millis, reterr);
    return rc;
}

/* Was it our own limit?  failcnt would say, but some kernels (6.18) no longer count it; a charge that
 * failed for good leaves the peak a few pages below the limit. */
static bool limit_was_hit(int dir, uint64_t peak)
{
    return cg_read_u64(dir, "memory.failcnt") > 0 || cg_read_u64(dir, "memory.memsw.failcnt") > 0 ||
           peak + LIMIT_SLACK >= cg_read_u64(dir, "memory.limit_in_bytes");
}

/* A kill without the limit having been hit is a parent's or the machine's want of memory.  Of the machine's
 * there is no event, of a parent's there is one as of ours; it comes before the kill is counted, so it counts
 * itself. */
static void usage_ooms(struct cgroup *c, struct cgroup_usage *ret)
{
    int dir = c->dirs[CG_MEMORY];
    char text[256];
    uint64_t kills;

    if (cg_read(dir, "memory.oom_control", text, sizeof(text)) != 0)
        return;
    kills = cg_keyed(text, "oom_kill") - c->kills;
    cgroup_oom_ack(c);
    if (c->oom_events > 0 && limit_was_hit(dir, ret->memory_peak))
        ret->ooms = MAX(kills, c->oom_events);
    else
        ret->ooms_outside = kills;
}

int cg1_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr)
{
    char text[128];

    if (c->dirs[CG_CPUACCT] >= 0) {
        if (cg_read(c->dirs[CG_CPUACCT], "cpuacct.usage", text, sizeof(text)) != 0)
            return err_sys(reterr, "read cpuacct.usage");
        ret->cpu_ns = strtoull(text, NULL, 10);
    }
    if (c->dirs[CG_MEMORY] >= 0) {
        if (cg_read(c->dirs[CG_MEMORY], "memory.max_usage_in_bytes", text, sizeof(text)) != 0)
            return err_sys(reterr, "read memory.max_usage_in_bytes");
        ret->memory_peak =
            MAX(strtoull(text, NULL, 10), cg_read_u64(c->dirs[CG_MEMORY], "memory.memsw.max_usage_in_bytes"));
        usage_ooms(c, ret);
    }
    if (c->dirs[CG_PIDS] >= 0 && cg_read(c->dirs[CG_PIDS], "pids.events", text, sizeof(text)) == 0)
        ret->forks_refused = cg_keyed(text, "max") - c->refused;
    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0) {
            ret->processes = cg_each_process(c->dirs[i], 0);
            break;
        }
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* To all; a process may be in some of the hierarchies only. */
static size_t signal_all(const struct cgroup *c, int signal)
{
    size_t most = 0;

    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && !c->owner->shared[i]) {
            size_t n = cg_each_process(c->dirs[i], signal);

            most = MAX(most, n);
        }
    return most;
}

/* The frozen neither fork nor exit: no pid in the list can become another's.  A fork that was under
 * way shows up in a later round; after the thaw everyone has its SIGKILL. */
void cg1_kill(struct cgroup *c)
{
    int freezer = c->dirs[CG_FREEZER];
    size_t seen = 0, now;
    char state[32];

    if (freezer < 0) {
        signal_all(c, SIGKILL);
        return;
    }
    cg_write(freezer, "freezer.state", "FROZEN");
    for (int i = 0; i < FREEZE_ROUNDS; i++) {
        cg_read(freezer, "freezer.state", state, sizeof(state));
        now = signal_all(c, SIGKILL);
        if (now == 0 || (now == seen && strcmp(state, "FROZEN\n") == 0))
            break;
        seen = now;
        usleep(FREEZE_WAIT_US);
    }
    cg_write(freezer, "freezer.state", "THAWED");
}

/* False if somebody lives in it, or if more is charged to it than a new one would soon have as well: pages of
 * a file that its cell was the first to read, say, are charged to it for as long as it is there. */
bool cg1_renew(struct cgroup *c)
{
    static const char *const marks[] = {"memory.max_usage_in_bytes", "memory.failcnt",
                                        "memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt"};
    int memory = c->dirs[CG_MEMORY];
    struct cgroup_usage left = {0};

    if (signal_all(c, 0) > 0 || cg_read_u64(c->dirs[CG_PIDS], "pids.current") > 0 || memory < 0 ||
        cg1_limit(c, &(struct cgroup_limits){0}, NULL) != 0 ||
        cg_write(c->dirs[CG_CPUACCT], "cpuacct.usage", "0") != 0)
        return false;
    for (size_t i = 0; i < (c->owner->swap_file ? 4u : 2u); i++)
        if (cg_write(memory, marks[i], "0") != 0)
            return false;
    cgroup_oom_ack(c);
    c->oom_events = c->kills = c->refused = 0;
    if (cg1_usage(c, &left, NULL) != 0 || left.memory_peak > CHARGED_MAX)
        return false;
    c->kills = left.ooms + left.ooms_outside; /* what cannot be set back */
    c->refused = left.forks_refused;
    return true;
}
