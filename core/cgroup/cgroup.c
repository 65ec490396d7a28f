/* cgroup.c - one cell's cgroup (theory of operation: cgroup.h). */
#include "cgroup_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_MAX 8
static struct cgroup *kept[KEPT_MAX]; /* of dead cells, for the next ones */
static unsigned kept_count;

/* No cgroups at all, version 0, are those of v1 without any directory. */
static bool is_v2(const struct cgroup *c)
{
    return c->owner->version == 2;
}

static void drop(struct cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++) {
        closep(&c->join[i]);
        closep(&c->dirs[i]);
    }
    closep(&c->event_fd);
    free(c);
}

/* The first goes first: a group that lacks any of them lacks it, and cannot be renewed. */
static bool remove_dirs(const struct cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && !c->owner->shared[i] &&
            unlinkat(c->owner->bases[i], c->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
            return false;
    return true;
}

static int make_dirs(struct cgroup *c, struct err *reterr)
{
    const struct cgroups *g = c->owner;

    for (int i = 0; i < CG_COUNT; i++) {
        if (g->bases[i] < 0)
            continue;
        if (!g->shared[i] && mkdirat(g->bases[i], c->name, 0755) != 0)
            return err_sys(reterr, "make cgroup %s/%s", g->name, c->name);
        c->dirs[i] = cg_open_dir(g->bases[i], c->name);
        if (c->dirs[i] < 0)
            return err_sys(reterr, "open cgroup %s/%s", g->name, c->name);
        if (g->shared[i] || !cell_defence("cgroup_join"))
            continue;
        c->join[i] = openat(c->dirs[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (c->join[i] < 0)
            return err_sys(reterr, "open cgroup.procs of %s/%s", g->name, c->name);
    }
    return 0;
}

int cgroup_new(struct cgroups *g, struct cgroup **ret, struct err *reterr)
{
    struct cgroup *c;
    int rc;

    if (kept_count > 0 && kept[kept_count - 1]->owner == g) {
        *ret = kept[--kept_count];
        return 0;
    }
    c = NEW(struct cgroup);
    c->owner = g;
    c->event_fd = -1;
    for (int i = 0; i < CG_COUNT; i++)
        c->dirs[i] = c->join[i] = -1;
    snprintf(c->name, sizeof(c->name), "%llu", (unsigned long long)g->next++);
    rc = make_dirs(c, reterr);
    if (rc == 0)
        rc = is_v2(c) ? cg2_new(c, reterr) : cg1_new(c, reterr);
    if (rc != 0) {
        remove_dirs(c);
        drop(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int cgroup_clone_fd(const struct cgroup *c)
{
    return c->owner->version == 2 && cell_defence("cgroup_join") ? c->dirs[0] : -1;
}

int cgroup_join(const struct cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++)
        if (c->join[i] >= 0 && write(c->join[i], "0", 1) != 1)
            return -errno;
    return 0;
}

size_t cgroup_join_fds(const struct cgroup *c, int ret[CG_COUNT])
{
    size_t n = 0;

    for (int i = 0; i < CG_COUNT; i++)
        if (c->join[i] >= 0)
            ret[n++] = c->join[i];
    return n;
}

/* The kernel wants at least 1 ms a period, and a period of at most 1 s. */
uint64_t cg_cpu_quota(uint64_t cpu_millis, uint64_t *ret_period)
{
    *ret_period = cpu_millis >= 10 ? 100000 : 1000000;
    return MAX(cpu_millis, 1) * *ret_period / 1000;
}

int cgroup_limit(struct cgroup *c, const struct cgroup_limits *limits, struct err *reterr)
{
    return is_v2(c) ? cg2_limit(c, limits, reterr) : cg1_limit(c, limits, reterr);
}

int cgroup_oom_fd(const struct cgroup *c, short *ret_events)
{
    *ret_events = is_v2(c) ? POLLPRI : POLLIN;
    return c->event_fd;
}

void cgroup_oom_ack(struct cgroup *c)
{
    uint64_t count;
    char text[256];

    if (c->event_fd < 0)
        return;
    if (is_v2(c)) {
        if (pread(c->event_fd, text, sizeof(text), 0) < 0)
            return; /* the directory is gone: so is what could be told */
    } else if (read(c->event_fd, &count, sizeof(count)) == sizeof(count)) {
        c->oom_events += count;
    }
}

int cgroup_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr)
{
    *ret = (struct cgroup_usage){0};
    return is_v2(c) ? cg2_usage(c, ret, reterr) : cg1_usage(c, ret, reterr);
}

void cgroup_unthrottle(struct cgroup *c)
{
    if (is_v2(c))
        cg_write(c->dirs[0], "cpu.max", "max");
    else if (c->dirs[CG_CPU] >= 0)
        cg_write(c->dirs[CG_CPU], "cpu.cfs_quota_us", "-1");
}

void cgroup_kill(struct cgroup *c)
{
    cgroup_unthrottle(c);
    (is_v2(c) ? cg2_kill : cg1_kill)(c);
}

bool cg_remove(struct cgroup *c)
{
    if (!remove_dirs(c))
        return false;
    drop(c);
    return true;
}

bool cgroup_free(struct cgroup *c)
{
    if (c == NULL || kept_count == KEPT_MAX || is_v2(c) || !cg1_renew(c))
        return c == NULL || cg_remove(c);
    kept[kept_count++] = c;
    return true;
}

void cgroups_close(struct cgroups *g)
{
    while (kept_count > 0)
        drop(kept[--kept_count]);
    for (int i = 0; i < CG_COUNT; i++) {
        CLEAN_FD int parent = g->bases[i] < 0 || g->shared[i] ? -1 : cg_open_dir(g->bases[i], "..");

        closep(&g->bases[i]);
        if (parent < 0)
            continue;
        cg_remove_tree(parent, g->name);
        if (g->made_room)
            cg_give_back(parent);
    }
    *g = CGROUPS_NONE;
}
