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
    closep(&c->oom_control_fd);
}

static bool remove_dirs(const struct cell_cgroup *c)
{
    bool gone = true;

    for (int i = 0; i < CG_COUNT; i++)
        if (c->owner->bases[i] >= 0 && unlinkat(c->owner->bases[i], c->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
            gone = false;
    return gone;
}

static int make_dirs(struct cell_cgroup *c, struct err *reterr)
{
    for (int i = 0; i < CG_COUNT; i++) {
        int base = c->owner->bases[i];

        if (base < 0)
            continue;
        if (mkdirat(base, c->name, 0755) != 0 && errno != EEXIST) /* co-mounted controllers share one */
            return err_sys(reterr, "make a cgroup");
        c->dirs[i] = openat(base, c->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (c->dirs[i] < 0)
            return err_sys(reterr, "open a cgroup");
    }
    return 0;
}

int cell_cgroup_new(struct cell_cgroups *g, struct cell_cgroup **ret, struct err *reterr)
{
    struct cell_cgroup *c = NEW(struct cell_cgroup);
    int rc;

    c->owner = g;
    c->event_fd = c->oom_control_fd = -1;
    for (int i = 0; i < CG_COUNT; i++)
        c->dirs[i] = c->join[i] = -1;
    snprintf(c->name, sizeof(c->name), "%llu", (unsigned long long)g->next++);
    rc = make_dirs(c, reterr);
    if (rc == 0 && g->version == 1)
        rc = cg1_open(c, reterr);
    else if (rc == 0 && g->version == 2)
        rc = cg2_open(c, reterr);
    if (rc != 0) {
        close_all(c);
        remove_dirs(c);
        free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int cell_cgroup_clone_fd(const struct cell_cgroup *c)
{
    return c->owner->version == 2 ? c->dirs[0] : -1;
}

int cell_cgroup_join(const struct cell_cgroup *c)
{
    for (int i = 0; i < CG_COUNT; i++)
        if (c->join[i] >= 0 && write(c->join[i], "0", 1) != 1)
            return -errno;
    return 0;
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
    char text[512];
    ssize_t ignored = c->event_fd < 0 ? 0 : pread(c->event_fd, text, sizeof(text), 0);

    /* An eventfd has no offset: pread fails with ESPIPE, read takes its counter. */
    if (ignored < 0 && errno == ESPIPE)
        ignored = read(c->event_fd, text, sizeof(uint64_t));
    (void)ignored;
}

int cell_cgroup_usage(const struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr)
{
    (void)reterr;
    *ret = (struct cell_cgroup_usage){0};
    if (c->owner->version == 1)
        cg1_usage(c, ret);
    else if (c->owner->version == 2)
        cg2_usage(c, ret);
    return 0;
}

int cell_cgroup_kill(struct cell_cgroup *c)
{
    if (c->owner->version == 2 && cg_write(c->dirs[0], "cgroup.kill", "1") == 0)
        return 0;
    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0) /* one pass: what forks meanwhile dies with its PID 1 */
            cg_kill_listed(c->dirs[i]);
    return 0;
}

bool cell_cgroup_empty(const struct cell_cgroup *c)
{
    char text[64];

    for (int i = 0; i < CG_COUNT; i++)
        if (c->dirs[i] >= 0 && (cg_read(c->dirs[i], "cgroup.procs", text, sizeof(text)) != 0 || text[0] != '\0'))
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
