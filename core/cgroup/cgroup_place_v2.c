/* cgroup_place_v2.c - a place in cgroup v2 (kernel: Documentation/admin-guide/cgroup-v2.rst). */
#include "cgroup_place_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *const controllers[] = {"memory", "pids", "cpu"};

/* memory and pids are what v2 is chosen for. */
static bool lists_both(int dir, const char *file)
{
    char text[256];

    return cg_read(dir, file, text, sizeof(text)) == 0 && cg_has_word(text, ' ', "memory") &&
           cg_has_word(text, ' ', "pids");
}

/* "No internal processes": who hands controllers on has children only.  Whoever lives there
 * moves into a leaf beside the cells. */
static int make_room(struct cgroups *g, int parent)
{
    CLEAN_FD int leaf = -1;
    int rc;

    if (mkdirat(parent, CG_SUPERVISOR, 0755) != 0 && errno != EEXIST)
        return -errno;
    leaf = cg_open_dir(parent, CG_SUPERVISOR);
    rc = leaf < 0 ? -errno : cg_move_all(parent, leaf);
    g->made_room = true; /* cgroups_close() gives back even what was moved half */
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
            cg_hand_on(parent, '+');
    }
    return dir;
}

/* Our own cgroup if it was delegated or nothing else is ours; as root the hierarchy's own root; where an
 * earlier execd of the same service has made room already, the directory it did that in. */
static int choose(char *path, size_t size)
{
    struct cg_at at;
    CLEAN_FD int own = -1;
    CLEAN_FD int top = -1;
    char *last;

    if (cg_find("/proc/self/cgroup", "/proc/self/mountinfo", NULL, &at) != 0)
        return -1;
    own = cg_open_dir(AT_FDCWD, at.own);
    top = cg_open_dir(AT_FDCWD, at.top);
    last = strrchr(at.own, '/');
    if (last != NULL && strcmp(last, "/" CG_SUPERVISOR) == 0) {
        CLEAN_FD int above = own < 0 ? -1 : cg_open_dir(own, "..");

        if (above >= 0 && lists_both(above, "cgroup.subtree_control")) {
            *last = '\0';
            snprintf(path, size, "%s", at.own);
            return steal_fd(&above);
        }
    }
    /* Only the real root, not that of a cgroup namespace, has no cgroup.type.  Root of a user namespace
     * has no right to it, so it is not the uid that is asked for. */
    if (top >= 0 && !cg_has_file(top, "cgroup.type") && faccessat(top, ".", W_OK, AT_EACCESS) == 0 &&
        (own < 0 || !delegated(own))) {
        snprintf(path, size, "%s", at.top);
        return steal_fd(&top);
    }
    snprintf(path, size, "%s", at.own);
    return steal_fd(&own);
}

/* Room comes first: pids and cpu alone could be handed on beside processes, and would turn the
 * directory into the root of a threaded subtree, below which no process can be put. */
static int prepare(struct cgroup_place *p, int parent)
{
    struct cgroups *g = &p->groups;
    int rc = 0;

    if (cg_has_file(parent, "cgroup.type") && !lists_both(parent, "cgroup.subtree_control") &&
        cg_each_process(parent, 0) > 0) {
        cg_hand_on(parent, '-');
        rc = make_room(g, parent);
    }
    cg_hand_on(parent, '+');
    if (rc == 0)
        rc = cg_make_base(p, 0, parent);
    if (rc == 0)
        cg_hand_on(g->bases[0], '+');
    return rc;
}

static void look(struct cgroup_place *p)
{
    struct cgroups *g = &p->groups;
    struct cgroup_facts *f = &p->facts;
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

bool cg2_open(struct cgroup_place *p, const char *root)
{
    struct cgroup_facts *f = &p->facts;
    char path[CG_PATH] = "";
    CLEAN_FD int parent = root != NULL ? open_named(root, path, sizeof(path)) : choose(path, sizeof(path));
    int rc;

    if (parent < 0 || !lists_both(parent, "cgroup.controllers")) {
        if (parent >= 0 || root != NULL)
            cg_detail(f,
                      "cgroup v2: %.120s offers no memory and pids controllers (delegate them: systemd-run "
                      "--scope -p Delegate=yes)",
                      path);
        return false;
    }
    rc = prepare(p, parent);
    p->groups.version = 2;
    if (rc == 0)
        rc = cg_probe(p);
    if (rc != 0) {
        cg_detail(f,
                  "cgroup v2: %.120s cannot be used: %s (delegate one: systemd-run --user --scope -p "
                  "Delegate=yes, or a container with a writable cgroup)",
                  path, strerror(-rc));
        if (p->groups.bases[0] < 0 && p->groups.made_room) /* it has no base to be found by */
            cg_give_back(parent);
        cg_forget(p);
        return false;
    }
    snprintf(f->root, sizeof(f->root), "%.200s/%s", path, p->groups.name);
    look(p);
    return true;
}
