/* cell_cgroup_v1.c - cgroup v1 (kernel: Documentation/admin-guide/cgroup-v1). */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREEZE_ROUNDS 8
#define FREEZE_WAIT_US 200
#define LIMIT_SLACK 65536

static const char *const names[CG_COUNT] = {"memory", "pids", "cpu", "cpuacct", "freezer"};

/* ---- opening ------------------------------------------------------------------------------ */

static int open_parent(struct cell_cgroups *g, int i, const char *root, struct cg_place *place)
{
    int rc = cg_find("/proc/self/cgroup", "/proc/self/mountinfo", names[i], place);

    if (rc == 0 && root != NULL) { /* a path within each hierarchy */
        char wanted[CG_PATH];

        if ((size_t)snprintf(wanted, sizeof(wanted), "%s%s", place->top, root) >= sizeof(wanted))
            return -ENAMETOOLONG;
        snprintf(place->own, sizeof(place->own), "%s", wanted);
        if (mkdir(wanted, 0755) != 0 && errno != EEXIST)
            return -errno;
    }
    if (rc == 0) {
        g->parents[i] = cg_open_dir(AT_FDCWD, place->own);
        rc = g->parents[i] < 0 ? -errno : 0;
    }
    return rc;
}

static void open_hierarchy(struct cell_cgroups *g, int i, const char *root, struct cell_cgroups_facts *f)
{
    struct cg_place place = {0};
    int rc = open_parent(g, i, root, &place);

    if (rc == 0)
        rc = cg_make_base(g, i);
    g->has[i] = rc == 0;
    if (rc == -ENOENT && place.own[0] == '\0')
        cg_detail(f, "%s: cgroup v1 hierarchy not mounted (mount -t cgroup -o %s)", names[i], names[i]);
    else if (rc != 0)
        cg_detail(f, "%s: %.120s: %s", names[i], place.own, strerror(-rc));
    else if (f->root[0] == '\0')
        snprintf(f->root, sizeof(f->root), "%.200s/%s", place.own, g->name);
    if (rc == 0 && i == CG_MEMORY) /* before 5.11 a child is charged to its parents only if asked for */
        cg_write(g->bases[i], "memory.use_hierarchy", "1");
}

static bool lacks_file(struct cell_cgroups *g, int i, const char *file, struct cell_cgroups_facts *f)
{
    if (!g->has[i] || cg_has_file(g->bases[i], file))
        return !g->has[i];
    cg_detail(f, "%s: this kernel has no %s", names[i], file);
    return true;
}

bool cg1_open(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f)
{
    int rc;

    for (int i = 0; i < CG_COUNT; i++)
        open_hierarchy(g, i, root, f);
    if (!g->has[CG_MEMORY] && !g->has[CG_PIDS]) {
        cg_forget(g);
        *f = (struct cell_cgroups_facts){0};
        cg_detail(
            f,
            "cgroup v1: no memory and pids hierarchy that this user may write to (run as root, or let it own "
            "a directory in each and name that as cgroup_root)");
        return false;
    }
    g->version = 1;
    rc = cg_probe(g);
    if (rc != 0) {
        cg_forget(g);
        cg_detail(f, "cgroup v1: a process cannot be put below %s: %s", f->root, strerror(-rc));
        return false;
    }
    g->swap_file = g->has[CG_MEMORY] && cg_has_file(g->bases[CG_MEMORY], "memory.memsw.limit_in_bytes");
    f->memory = !lacks_file(g, CG_MEMORY, "memory.limit_in_bytes", f);
    f->pids = !lacks_file(g, CG_PIDS, "pids.max", f);
    f->cpu = !lacks_file(g, CG_CPU, "cpu.cfs_quota_us", f);
    f->cpu = !lacks_file(g, CG_CPUACCT, "cpuacct.usage", f) && f->cpu;
    f->oom_group = f->memory; /* cg1_new() insists on the event */
    return true;
}

/* ---- a cell ---------------------------------------------------------------------------------- */

/* The eventfd counts each time the group is out of memory (memory.rst, section 9 and 10). */
int cg1_new(struct cell_cgroup *c, struct err *reterr)
{
    CLEAN_FD int control = -1;
    int rc;

    if (c->dirs[CG_MEMORY] < 0)
        return 0;
    c->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    control = openat(c->dirs[CG_MEMORY], "memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (c->event_fd < 0 || control < 0)
        return err_sys(reterr, "watch memory.oom_control");
    rc = cg_write(c->dirs[CG_MEMORY], "cgroup.event_control", "%d %d", c->event_fd, control);
    return rc == 0 ? 0 : err_set(reterr, rc, "register for memory.oom_control: %s", strerror(-rc));
}

static int write_limit(int dir, const char *file, uint64_t value, struct err *reterr)
{
    int rc = value == 0 ? cg_write(dir, file, "-1") : cg_write(dir, file, "%llu", (unsigned long long)value);

    return rc == 0
               ? 0
               : err_set(reterr, rc, "write %llu to %s: %s", (unsigned long long)value, file, strerror(-rc));
}

/* memory.limit may never be above memory.memsw.limit: which goes first depends on the direction. */
static int limit_memory(struct cell_cgroup *c, uint64_t bytes, struct err *reterr)
{
    static const char plain[] = "memory.limit_in_bytes", swap[] = "memory.memsw.limit_in_bytes";
    int dir = c->dirs[CG_MEMORY], rc;

    if (!c->owner->swap_file)
        return write_limit(dir, plain, bytes, reterr);
    if (bytes == 0 || bytes > cg_read_u64(dir, swap)) {
        rc = write_limit(dir, swap, bytes, reterr);
        return rc == 0 ? write_limit(dir, plain, bytes, reterr) : rc;
    }
    rc = write_limit(dir, plain, bytes, reterr);
    return rc == 0 ? write_limit(dir, swap, bytes, reterr) : rc;
}

static int limit_pids(struct cell_cgroup *c, uint64_t count, struct err *reterr)
{
    int rc;

    if (count != 0)
        return write_limit(c->dirs[CG_PIDS], "pids.max", count, reterr);
    rc = cg_write(c->dirs[CG_PIDS], "pids.max", "max");
    return rc == 0 ? 0 : err_set(reterr, rc, "write max to pids.max: %s", strerror(-rc));
}

static int limit_cpu(struct cell_cgroup *c, uint64_t millis, struct err *reterr)
{
    uint64_t period, quota;
    int dir = c->dirs[CG_CPU], rc;

    if (millis == 0)
        return write_limit(dir, "cpu.cfs_quota_us", 0, reterr);
    quota = cg_cpu_quota(millis, &period);
    rc = write_limit(dir, "cpu.cfs_period_us", period, reterr);
    if (rc == 0)
        rc = cg_write(dir, "cpu.cfs_quota_us", "%llu", (unsigned long long)quota);
    if (rc == -EINVAL && cg_read_u64(dir, "cpu.cfs_quota_us") == UINT64_MAX)
        return 0; /* more than what a parent allows: the parent's, which is tighter, holds */
    return rc == 0 ? 0
                   : err_set(reterr, rc, "write %llu to cpu.cfs_quota_us: %s", (unsigned long long)quota,
                             strerror(-rc));
}

int cg1_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr)
{
    int rc = 0;

    if (c->dirs[CG_MEMORY] >= 0)
        rc = limit_memory(c, l->memory_bytes, reterr);
    if (rc == 0 && c->dirs[CG_PIDS] >= 0)
        rc = limit_pids(c, l->processes, reterr);
    if (rc == 0 && c->dirs[CG_CPU] >= 0)
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

/* A kill without the limit having been hit is a parent's or the machine's want of memory.  The event
 * comes before the kill is counted, so it counts itself. */
static void usage_ooms(const struct cell_cgroup *c, struct cell_cgroup_usage *ret)
{
    int dir = c->dirs[CG_MEMORY];
    char text[256];
    uint64_t kills;

    if (cg_read(dir, "memory.oom_control", text, sizeof(text)) != 0)
        return;
    kills = cg_keyed(text, "oom_kill");
    if (limit_was_hit(dir, ret->memory_peak))
        ret->ooms = MAX(kills, c->oom_events);
    else
        ret->ooms_outside = kills;
}

int cg1_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr)
{
    char text[128];
    int rc;

    if (c->dirs[CG_CPUACCT] >= 0) {
        rc = cg_read(c->dirs[CG_CPUACCT], "cpuacct.usage", text, sizeof(text));
        if (rc != 0)
            return err_set(reterr, rc, "read cpuacct.usage: %s", strerror(-rc));
        ret->cpu_ns = strtoull(text, NULL, 10);
    }
    if (c->dirs[CG_MEMORY] >= 0) {
        rc = cg_read(c->dirs[CG_MEMORY], "memory.max_usage_in_bytes", text, sizeof(text));
        if (rc != 0)
            return err_set(reterr, rc, "read memory.max_usage_in_bytes: %s", strerror(-rc));
        ret->memory_peak =
            MAX(strtoull(text, NULL, 10), cg_read_u64(c->dirs[CG_MEMORY], "memory.memsw.max_usage_in_bytes"));
        usage_ooms(c, ret);
    }
    if (c->dirs[CG_PIDS] >= 0 && cg_read(c->dirs[CG_PIDS], "pids.events", text, sizeof(text)) == 0)
        ret->forks_refused = cg_keyed(text, "max");
    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0) {
            ret->processes = cg_each_process(c->dirs[i], 0);
            break;
        }
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------------ */

/* SIGKILL to all; a process may be in some of the hierarchies only. */
static size_t kill_all(const struct cell_cgroup *c)
{
    size_t most = 0;

    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && !c->owner->shared[i]) {
            size_t n = cg_each_process(c->dirs[i], SIGKILL);

            most = MAX(most, n);
        }
    return most;
}

/* The frozen neither fork nor exit: no pid in the list can become another's.  A fork that was under
 * way shows up in a later round; after the thaw everyone has its SIGKILL. */
void cg1_kill(struct cell_cgroup *c)
{
    int freezer = c->dirs[CG_FREEZER];
    size_t seen = 0, now;
    char state[32];

    if (freezer < 0) {
        kill_all(c);
        return;
    }
    cg_write(freezer, "freezer.state", "FROZEN");
    for (int i = 0; i < FREEZE_ROUNDS; i++) {
        cg_read(freezer, "freezer.state", state, sizeof(state));
        now = kill_all(c);
        if (now == 0 || (now == seen && strcmp(state, "FROZEN\n") == 0))
            break;
        seen = now;
        usleep(FREEZE_WAIT_US);
    }
    cg_write(freezer, "freezer.state", "THAWED");
}
