/* cell_cgroup.c - one cell's cgroup (theory of operation: cell_cgroup.h). */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_all(struct cell_cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++) {
        closep(&c->join[i]);
        closep(&c->dirs[i]);
    }
    closep(&c->event_fd);
}

static bool remove_dirs(const struct cell_cgroup *c)
{
    bool gone = true;

    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && !c->owner->shared[i] &&
            unlinkat(c->owner->bases[i], c->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
            gone = false;
    return gone;
}

static int make_dirs(struct cell_cgroup *c, struct err *reterr)
{
    const struct cell_cgroups *g = c->owner;

    for (int i = 0; i < CG_COUNT; i++) {
        if (g->bases[i] < 0)
            continue;
        if (!g->shared[i] && mkdirat(g->bases[i], c->name, 0755) != 0)
            return err_sys(reterr, "make cgroup %s/%s", g->name, c->name);
        c->dirs[i] = cg_open_dir(g->bases[i], c->name);
        if (c->dirs[i] < 0)
            return err_sys(reterr, "open cgroup %s/%s", g->name, c->name);
        if (g->shared[i] || (g->version == 2 && g->clone_into))
            continue;
        c->join[i] = openat(c->dirs[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (c->join[i] < 0)
            return err_sys(reterr, "open cgroup.procs of %s/%s", g->name, c->name);
    }
    return 0;
}

int cell_cgroup_new(struct cell_cgroups *g, struct cell_cgroup **ret, struct err *reterr)
{
    struct cell_cgroup *c = NEW(struct cell_cgroup);
    int rc;

    c->owner = g;
    c->event_fd = -1;
    for (int i = 0; i < CG_COUNT; i++)
        c->dirs[i] = c->join[i] = -1;
    snprintf(c->name, sizeof(c->name), "%llu", (unsigned long long)g->next++);
    rc = make_dirs(c, reterr);
    if (rc == 0 && g->version == 1)
        rc = cg1_new(c, reterr);
    else if (rc == 0 && g->version == 2)
        rc = cg2_new(c, reterr);
    if (rc != 0) {
        remove_dirs(c);
        close_all(c);
        free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int cell_cgroup_clone_fd(const struct cell_cgroup *c)
{
    return c->owner->version == 2 && c->owner->clone_into ? c->dirs[0] : -1;
}

int cell_cgroup_join(const struct cell_cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++)
        if (c->join[i] >= 0 && write(c->join[i], "0", 1) != 1)
            return -errno;
    return 0;
}

/* The kernel wants at least 1 ms a period, and a period of at most 1 s. */
uint64_t cg_cpu_quota(uint64_t cpu_millis, uint64_t *ret_period)
{
    *ret_period = cpu_millis >= 10 ? 100000 : 1000000;
    return MAX(cpu_millis, 1) * *ret_period / 1000;
}

int cell_cgroup_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *limits, struct err *reterr)
{
    switch (c->owner->version) {
    case 1:
        return cg1_limit(c, limits, reterr);
    case 2:
        return cg2_limit(c, limits, reterr);
    default:
        return 0;
    }
}

int cell_cgroup_oom_fd(const struct cell_cgroup *c, short *ret_events)
{
    *ret_events = c->owner->version == 2 ? POLLPRI : POLLIN;
    return c->event_fd;
}

void cell_cgroup_oom_ack(struct cell_cgroup *c)
{
    uint64_t count;
    char text[256];

    if (c->event_fd < 0)
        return;
    if (c->owner->version == 2) {
        if (pread(c->event_fd, text, sizeof(text), 0) < 0)
            return; /* the directory is gone: so is what could be told */
    } else if (read(c->event_fd, &count, sizeof(count)) == sizeof(count)) {
        c->oom_events += count;
    }
}

int cell_cgroup_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr)
{
    *ret = (struct cell_cgroup_usage){0};
    switch (c->owner->version) {
    case 1:
        return cg1_usage(c, ret, reterr);
    case 2:
        return cg2_usage((struct cell_cgroup *)c, ret, reterr);
    default:
        return 0;
    }
}

int cell_cgroup_kill(struct cell_cgroup *c)
{
    if (c->owner->version == 1)
        cg1_kill(c);
    else if (c->owner->version == 2)
        cg2_kill(c);
    return 0;
}

bool cell_cgroup_empty(const struct cell_cgroup *c)
{
    char text[64];

    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && !c->owner->shared[i] &&
            (cg_read(c->dirs[i], "cgroup.procs", text, sizeof(text)) != 0 || text[0] != '\0'))
            return false;
    return true;
}

bool cell_cgroup_free(struct cell_cgroup *c)
{
    if (c == NULL)
        return true;
    if (!remove_dirs(c))
        return false;
    close_all(c);
    free(c);
    return true;
}
