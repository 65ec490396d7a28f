/* cell_cgroup_v2.c - cgroup v2 (kernel: Documentation/admin-guide/cgroup-v2.rst). */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SUPERVISOR "supervisor"
#define MOVE_ROUNDS 16

static const char *const controllers[] = {"memory", "pids", "cpu"};

/* ---- opening ------------------------------------------------------------------------------- */

static void hand_on(int dir, char sign)
{
    for (size_t i = 0; i < COUNT_OF(controllers); i++) /* what failed is seen in our base */
        cg_write(dir, "cgroup.subtree_control", "%c%s", sign, controllers[i]);
}

/* memory and pids are what v2 is chosen for. */
static bool lists_both(int dir, const char *file)
{
    char text[256];

    return cg_read(dir, file, text, sizeof(text)) == 0 && cg_has_word(text, ' ', "memory") &&
           cg_has_word(text, ' ', "pids");
}

/* Moves all processes of one directory into another. */
static int move_all(int from, int to)
{
    for (int round = 0; round < MOVE_ROUNDS; round++) { /* what is forked meanwhile comes with the next */
        int fd = openat(from, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        CLEAN(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
        char line[32];
        size_t seen = 0;

        if (f == NULL)
            return -errno;
        for (; fgets(line, sizeof(line), f) != NULL; seen++) {
            int rc = cg_write(to, "cgroup.procs", "%.*s", (int)strcspn(line, "\n"), line);

            if (rc != 0 && rc != -ESRCH)
                return rc;
        }
        if (seen == 0)
            return 0;
    }
    return -EBUSY;
}

/* "No internal processes": who hands controllers on has children only.  Whoever lives there
 * moves into a leaf beside the cells. */
static int make_room(struct cell_cgroups *g)
{
    CLEAN_FD int leaf = -1;
    int rc;

    if (mkdirat(g->parents[0], SUPERVISOR, 0755) != 0 && errno != EEXIST)
        return -errno;
    leaf = cg_open_dir(g->parents[0], SUPERVISOR);
    rc = leaf < 0 ? -errno : move_all(g->parents[0], leaf);
    g->made_room = true; /* cg2_close() gives back even what was moved half */
    return rc;
}

/* systemd marks what it has delegated (https://systemd.io/CGROUP_DELEGATION). */
static bool delegated(int dir)
{
    char value[8];

    return fgetxattr(dir, "trusted.delegate", value, sizeof(value)) > 0 ||
           fgetxattr(dir, "user.delegate", value, sizeof(value)) > 0;
}

static int open_named(const char *root, char *path, size_t size)
{
    int dir = cg_open_dir(AT_FDCWD, root);

    snprintf(path, size, "%s", root);
    if (dir >= 0 && !lists_both(dir, "cgroup.controllers")) {
        CLEAN_FD int parent = cg_open_dir(dir, "..");

        if (parent >= 0)
            hand_on(parent, '+');
    }
    return dir;
}

/* Our own cgroup if it was delegated or nothing else is ours; as root the hierarchy's own root; where an
 * earlier execd of the same service has made room already, the directory it did that in. */
static int choose(char *path, size_t size)
{
    struct cg_place place;
    CLEAN_FD int own = -1;
    CLEAN_FD int top = -1;
    char *last;

    if (cg_find("/proc/self/cgroup", "/proc/self/mountinfo", NULL, &place) != 0)
        return -1;
    own = cg_open_dir(AT_FDCWD, place.own);
    top = cg_open_dir(AT_FDCWD, place.top);
    last = strrchr(place.own, '/');
    if (last != NULL && strcmp(last, "/" SUPERVISOR) == 0) {
        CLEAN_FD int above = own < 0 ? -1 : cg_open_dir(own, "..");

        if (above >= 0 && lists_both(above, "cgroup.subtree_control")) {
            *last = '\0';
            snprintf(path, size, "%s", place.own);
            return steal_fd(&above);
        }
    }
    /* Only the real root, not that of a cgroup namespace, has no cgroup.type.  Root of a user namespace
     * has no right to it, so it is not the uid that is asked for. */
    if (top >= 0 && !cg_has_file(top, "cgroup.type") && faccessat(top, ".", W_OK, AT_EACCESS) == 0 &&
        (own < 0 || !delegated(own))) {
        snprintf(path, size, "%s", place.top);
        return steal_fd(&top);
    }
    snprintf(path, size, "%s", place.own);
    return steal_fd(&own);
}

/* Room comes first: pids and cpu alone could be handed on beside processes, and would turn the
 * directory into the root of a threaded subtree, below which no process can be put. */
static int prepare(struct cell_cgroups *g)
{
    int parent = g->parents[0], rc = 0;

    if (cg_has_file(parent, "cgroup.type") && !lists_both(parent, "cgroup.subtree_control") &&
        cg_each_process(parent, 0) > 0) {
        hand_on(parent, '-');
        rc = make_room(g);
    }
    hand_on(parent, '+');
    if (rc == 0)
        rc = cg_make_base(g, 0);
    if (rc == 0)
        hand_on(g->bases[0], '+');
    return rc;
}

static int probe(struct cell_cgroups *g)
{
    int rc;

    g->clone_into = true;
    rc = cg_probe(g);
    if (rc == 0)
        return 0;
    g->clone_into = false; /* before 5.7: a process writes itself in */
    return cg_probe(g);
}

static void look(struct cell_cgroups *g, struct cell_cgroups_facts *f)
{
    CLEAN_FD int cell = -1;
    char text[256] = "";

    cg_read(g->bases[0], "cgroup.subtree_control", text, sizeof(text));
    text[strcspn(text, "\n")] = '\0';
    g->has[CG_MEMORY] = f->memory = cg_has_word(text, ' ', "memory");
    g->has[CG_PIDS] = f->pids = cg_has_word(text, ' ', "pids");
    g->has[CG_CPU] = f->cpu = cg_has_word(text, ' ', "cpu");
    for (size_t i = 0; i < COUNT_OF(controllers); i++)
        if (!cg_has_word(text, ' ', controllers[i]))
            cg_detail(f,
                      "%s: cgroup v2 does not hand it on to %s (add it to cgroup.subtree_control above, "
                      "or Delegate=%s)",
                      controllers[i], f->root, controllers[i]);
    if (mkdirat(g->bases[0], "look", 0755) == 0)
        cell = cg_open_dir(g->bases[0], "look");
    g->swap_file = f->memory && cell >= 0 && cg_has_file(cell, "memory.swap.max");
    g->peak_file = cell >= 0 && cg_has_file(cell, "memory.peak");
    f->oom_group = cell >= 0 && cg_has_file(cell, "memory.oom.group");
    unlinkat(g->bases[0], "look", AT_REMOVEDIR);
    if (f->memory && !g->peak_file)
        cg_detail(f, "memory: no memory.peak before Linux 5.19, the peak is sampled");
    if (f->memory && !f->oom_group)
        cg_detail(f, "oom_group: no memory.oom.group before Linux 4.19");
}

bool cg2_open(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f)
{
    char path[CG_PATH] = "";
    int rc;

    g->parents[0] = root != NULL ? open_named(root, path, sizeof(path)) : choose(path, sizeof(path));
    if (g->parents[0] < 0 || !lists_both(g->parents[0], "cgroup.controllers")) {
        if (g->parents[0] >= 0 || root != NULL)
            cg_detail(f,
                      "cgroup v2: %.120s offers no memory and pids controllers (delegate them: systemd-run "
                      "--scope -p Delegate=yes)",
                      path);
        closep(&g->parents[0]);
        return false;
    }
    rc = prepare(g);
    g->version = 2;
    if (rc == 0)
        rc = probe(g);
    if (rc != 0) {
        cg_detail(f,
                  "cgroup v2: %.120s cannot be used: %s (delegate one: systemd-run --user --scope -p "
                  "Delegate=yes, or a container with a writable cgroup)",
                  path, strerror(-rc));
        cg2_close(g);
        return false;
    }
    snprintf(f->root, sizeof(f->root), "%.200s/%s", path, g->name);
    look(g, f);
    return true;
}

/* Best effort: another execd may still need the room. */
void cg2_close(struct cell_cgroups *g)
{
    CLEAN_FD int parent = g->parents[0] < 0 ? -1 : cg_open_dir(g->parents[0], ".");
    CLEAN_FD int leaf = -1;

    cg_forget(g);
    if (!g->made_room || parent < 0)
        return;
    g->made_room = false;
    hand_on(parent, '-');
    leaf = cg_open_dir(parent, SUPERVISOR);
    if (leaf >= 0 && move_all(leaf, parent) == 0)
        unlinkat(parent, SUPERVISOR, AT_REMOVEDIR);
}

/* ---- a cell ---------------------------------------------------------------------------------- */

int cg2_new(struct cell_cgroup *c, struct err *reterr)
{
    int rc;

    if (!c->owner->has[CG_MEMORY])
        return 0;
    rc = cg_write(c->dirs[0], "memory.oom.group", "1");
    if (rc != 0 && rc != -ENOENT)
        return err_set(reterr, rc, "write memory.oom.group: %s", strerror(-rc));
    c->event_fd = openat(c->dirs[0], "memory.events", O_RDONLY | O_CLOEXEC);
    if (c->event_fd < 0)
        return err_sys(reterr, "open memory.events");
    cell_cgroup_oom_ack(c); /* an event file that was never read counts as changed */
    return 0;
}

static int write_limit(int dir, const char *file, uint64_t value, struct err *reterr)
{
    int rc = value == 0 ? cg_write(dir, file, "max") : cg_write(dir, file, "%llu", (unsigned long long)value);

    return rc == 0
               ? 0
               : err_set(reterr, rc, "write %llu to %s: %s", (unsigned long long)value, file, strerror(-rc));
}

static int limit_cpu(int dir, uint64_t millis, struct err *reterr)
{
    uint64_t period, quota;
    int rc;

    if (millis == 0)
        return write_limit(dir, "cpu.max", 0, reterr);
    quota = cg_cpu_quota(millis, &period);
    rc = cg_write(dir, "cpu.max", "%llu %llu", (unsigned long long)quota, (unsigned long long)period);
    return rc == 0
               ? 0
               : err_set(reterr, rc, "write %llu to cpu.max: %s", (unsigned long long)quota, strerror(-rc));
}

int cg2_limit(struct cell_cgroup *c, const struct cell_cgroup_limits *l, struct err *reterr)
{
    const bool *has = c->owner->has;
    int dir = c->dirs[0], rc = 0;

    if (has[CG_MEMORY]) {
        if (c->owner->swap_file)
            rc = cg_write(dir, "memory.swap.max", l->memory_bytes == 0 ? "max" : "0");
        if (rc != 0)
            return err_set(reterr, rc, "write memory.swap.max: %s", strerror(-rc));
        rc = write_limit(dir, "memory.max", l->memory_bytes, reterr);
    }
    if (rc == 0 && has[CG_PIDS])
        rc = write_limit(dir, "pids.max", l->processes, reterr);
    if (rc == 0 && has[CG_CPU])
        rc = limit_cpu(dir, l->cpu_millis, reterr);
    return rc;
}

/* `oom` is counted where a limit was hit, `oom_kill` where somebody was killed, be it for a parent's want. */
static void usage_ooms(const struct cell_cgroup *c, struct cell_cgroup_usage *ret)
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

int cg2_usage(struct cell_cgroup *c, struct cell_cgroup_usage *ret, struct err *reterr)
{
    char text[1024];
    int rc = cg_read(c->dirs[0], "cpu.stat", text, sizeof(text)); /* there even without the controller */

    if (rc != 0)
        return err_set(reterr, rc, "read cpu.stat: %s", strerror(-rc));
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

void cg2_kill(struct cell_cgroup *c)
{
    if (cg_write(c->dirs[0], "cgroup.kill", "1") == 0)
        return;
    cg_write(c->dirs[0], "cgroup.freeze", "1"); /* before 5.14; the frozen die of SIGKILL */
    for (int i = 0; i < MOVE_ROUNDS && cg_each_process(c->dirs[0], SIGKILL) > 0; i++)
        usleep(200);
    cg_write(c->dirs[0], "cgroup.freeze", "0");
}
