/* cgroup_place_v1.c - a place in cgroup v1 (kernel: Documentation/admin-guide/cgroup-v1). */
#include "cgroup_place_internal.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *const names[CG_COUNT] = {"memory", "pids", "cpu", "cpuacct", "freezer"};

static int open_parent(int i, const char *root, struct cg_at *at, int *ret_parent)
{
    int rc = cg_find("/proc/self/cgroup", "/proc/self/mountinfo", names[i], at);

    if (rc == 0 && root != NULL) { /* a path within each hierarchy */
        char wanted[CG_PATH];

        if ((size_t)snprintf(wanted, sizeof(wanted), "%s%s", at->top, root) >= sizeof(wanted))
            return -ENAMETOOLONG;
        snprintf(at->own, sizeof(at->own), "%s", wanted);
        if (mkdir(wanted, 0755) != 0 && errno != EEXIST)
            return -errno;
    }
    if (rc == 0) {
        *ret_parent = cg_open_dir(AT_FDCWD, at->own);
        rc = *ret_parent < 0 ? -errno : 0;
    }
    return rc;
}

static void open_hierarchy(struct cgroup_place *p, int i, const char *root)
{
    struct cgroups *g = &p->groups;
    struct cgroup_facts *f = &p->facts;
    struct cg_at at = {0};
    CLEAN_FD int parent = -1;
    int rc = open_parent(i, root, &at, &parent);

    if (rc == 0)
        rc = cg_make_base(p, i, parent);
    g->has[i] = rc == 0;
    if (rc == -ENOENT && at.own[0] == '\0')
        cg_detail(f, "%s: cgroup v1 hierarchy not mounted (mount -t cgroup -o %s)", names[i], names[i]);
    else if (rc != 0)
        cg_detail(f, "%s: %.120s: %s", names[i], at.own, strerror(-rc));
    else if (f->root[0] == '\0')
        snprintf(f->root, sizeof(f->root), "%.200s/%s", at.own, g->name);
    if (rc == 0 && i == CG_MEMORY) /* before 5.11 a child is charged to its parents only if asked for */
        cg_write(g->bases[i], "memory.use_hierarchy", "1");
}

/* A jailer that was killed in the midst of cg1_kill() left a frozen cell.  It dies only once it is thawed,
 * and until then none of its other directories can be removed: so the freezer's come first. */
static void sweep_frozen(const char *root)
{
    struct cg_at at = {0};
    CLEAN_FD int parent = -1;

    if (open_parent(CG_FREEZER, root, &at, &parent) == 0)
        cg_sweep(parent);
}

static bool lacks_file(struct cgroup_place *p, int i, const char *file)
{
    const struct cgroups *g = &p->groups;

    if (!g->has[i] || cg_has_file(g->bases[i], file))
        return !g->has[i];
    cg_detail(&p->facts, "%s: this kernel has no %s", names[i], file);
    return true;
}

bool cg1_open(struct cgroup_place *p, const char *root)
{
    struct cgroups *g = &p->groups;
    struct cgroup_facts *f = &p->facts;
    int rc;

    sweep_frozen(root);
    for (int i = 0; i < CG_COUNT; i++)
        open_hierarchy(p, i, root);
    if (!g->has[CG_MEMORY] && !g->has[CG_PIDS]) {
        cg_forget(p);
        *f = (struct cgroup_facts){0};
        cg_detail(
            f,
            "cgroup v1: no memory and pids hierarchy that this user may write to (run as root, or let it own "
            "a directory in each and name that as cgroup_root)");
        return false;
    }
    g->version = 1;
    rc = cg_probe(p);
    if (rc != 0) {
        cg_forget(p);
        cg_detail(f, "cgroup v1: a process cannot be put below %s: %s", f->root, strerror(-rc));
        return false;
    }
    g->swap_file = g->has[CG_MEMORY] && cg_has_file(g->bases[CG_MEMORY], "memory.memsw.limit_in_bytes");
    f->memory = !lacks_file(p, CG_MEMORY, "memory.limit_in_bytes");
    f->pids = !lacks_file(p, CG_PIDS, "pids.max");
    f->cpu = !lacks_file(p, CG_CPU, "cpu.cfs_quota_us");
    f->cpu = !lacks_file(p, CG_CPUACCT, "cpuacct.usage") && f->cpu;
    f->oom_group = f->memory; /* cg1_new() insists on the event */
    return true;
}
