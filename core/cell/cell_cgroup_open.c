/* cell_cgroup_open.c - the place below which this jailer makes its cgroups. */
#include "cell_cgroup_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270
#define BASE_PREFIX "execd-"
#define SUPERVISOR "supervisor"

static const char *const v1_names[CG_COUNT] = {"memory", "pids", "cpu", "cpuacct"};

static void detail_add(struct cell_cgroups_facts *f, const char *fmt, ...) PRINTF(2, 3);
static void detail_add(struct cell_cgroups_facts *f, const char *fmt, ...)
{
    size_t len = strlen(f->detail);
    va_list ap;

    if (len > 0 && len + 2 < sizeof(f->detail))
        len += (size_t)snprintf(f->detail + len, sizeof(f->detail) - len, "; ");
    va_start(ap, fmt);
    vsnprintf(f->detail + MIN(len, sizeof(f->detail) - 1), sizeof(f->detail) - MIN(len, sizeof(f->detail) - 1), fmt, ap);
    va_end(ap);
}

static bool machine_has_swap(void)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/swaps", "re");
    char line[256];
    int lines = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        lines++;
    return lines > 1;
}

/* ---- directories whose jailer is gone --------------------------------------------- */

/* Kills what lives there and removes the cells and the base. */
static void sweep(int parent, const char *name)
{
    CLEAN_FD int base = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d;
    struct dirent *e;

    if (base < 0 || flock(base, LOCK_EX | LOCK_NB) != 0)
        return; /* its jailer lives */
    d = fdopendir(dup(base));
    while (d != NULL && (e = readdir(d)) != NULL) {
        CLEAN_FD int cell = -1;

        if (e->d_name[0] < '0' || e->d_name[0] > '9')
            continue;
        cell = openat(base, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 100 && cell >= 0 && cg_kill_listed(cell) > 0; i++)
            usleep(1000);
        for (int i = 0; i < 100 && unlinkat(base, e->d_name, AT_REMOVEDIR) != 0 && errno == EBUSY; i++)
            usleep(1000);
    }
    if (d != NULL)
        closedir(d);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void sweep_all(int parent)
{
    int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *e;

    if (d == NULL) {
        closep(&copy);
        return;
    }
    while ((e = readdir(d)) != NULL)
        if (strncmp(e->d_name, BASE_PREFIX, strlen(BASE_PREFIX)) == 0)
            sweep(parent, e->d_name);
    closedir(d);
}

/* Makes (or finds, where two controllers share a hierarchy) our base below parents[i] and locks it. */
static int make_base(struct cell_cgroups *g, int i)
{
    if (mkdirat(g->parents[i], g->name, 0755) != 0 && errno != EEXIST)
        return -errno;
    g->bases[i] = openat(g->parents[i], g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (g->bases[i] < 0)
        return -errno;
    flock(g->bases[i], LOCK_EX | LOCK_NB); /* a shared hierarchy holds our own lock already */
    return 0;
}

/* ---- version 1 ----------------------------------------------------------------------- */

static void open_v1(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f)
{
    for (int i = 0; i < CG_COUNT; i++) {
        char path[sizeof(f->root)];
        CLEAN_FD int own = -1;
        CLEAN_FD int top = -1;
        int rc = cg_find(v1_names[i], &own, &top, path, sizeof(path));

        if (rc == 0 && root != NULL) {
            g->parents[i] = openat(top, root + strspn(root, "/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            rc = g->parents[i] < 0 ? -errno : 0;
        } else if (rc == 0) {
            g->parents[i] = steal_fd(&own);
        }
        if (rc == 0) {
            sweep_all(g->parents[i]);
            rc = make_base(g, i);
        }
        if (rc != 0) {
            detail_add(f, "cgroup v1 `%s`: %s (mount it, or let this user write to %s)", v1_names[i],
                       rc == -ENOENT ? "not mounted" : strerror(-rc), rc == -ENOENT ? "it" : path);
            continue;
        }
        g->has[i] = true;
        if (f->root[0] == '\0')
            snprintf(f->root, sizeof(f->root), "%s", path);
    }
    g->version = g->has[CG_MEMORY] || g->has[CG_PIDS] ? 1 : 0;
    g->swap_file = g->has[CG_MEMORY] && faccessat(g->bases[CG_MEMORY], "memory.memsw.limit_in_bytes", W_OK, 0) == 0;
    f->memory = g->has[CG_MEMORY];
    f->pids = g->has[CG_PIDS];
    f->cpu = g->has[CG_CPU] && g->has[CG_CPUACCT];
    f->oom_group = f->memory;
}

/* ---- version 2 ------------------------------------------------------------------------ */

static bool word_in(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; (p = strstr(p, word)) != NULL; p += len)
        if ((p == text || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\n' || p[len] == '\0'))
            return true;
    return false;
}

/* "No internal processes": whoever lives in `dir` moves into a leaf of it. */
static int make_room(int dir)
{
    CLEAN_FD int leaf = -1;

    if (mkdirat(dir, SUPERVISOR, 0755) != 0 && errno != EEXIST)
        return -errno;
    leaf = openat(dir, SUPERVISOR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (leaf < 0)
        return -errno;
    for (int round = 0; round < 16; round++) { /* what is forked meanwhile comes with the next round */
        CLEAN_FD int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        CLEAN(fclosep) FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
        size_t seen = 0;
        int pid;

        if (in == NULL)
            return -errno;
        fd = -1;
        while (fscanf(in, "%d", &pid) == 1) {
            int rc = cg_write(leaf, "cgroup.procs", "%d", pid);

            seen++;
            if (rc != 0 && rc != -ESRCH)
                return rc;
        }
        if (seen == 0)
            return 0;
    }
    return -EBUSY;
}

static void enable(int dir)
{
    static const char *const names[] = {"+memory", "+pids", "+cpu"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        cg_write(dir, "cgroup.subtree_control", "%s", names[i]); /* what failed is seen in our base */
}

static bool enabled(int dir, const char *file)
{
    char text[256];

    return cg_read(dir, file, text, sizeof(text)) == 0 && word_in(text, "memory") && word_in(text, "pids");
}

/* systemd marks what it has delegated (systemd.io/CGROUP_DELEGATION). */
static bool delegated(int dir)
{
    char value[8];

    return fgetxattr(dir, "trusted.delegate", value, sizeof(value)) > 0 ||
           fgetxattr(dir, "user.delegate", value, sizeof(value)) > 0;
}

/* Which directory to work below: the configured one, our own if it was delegated, as root the
 * hierarchy's own root, else our own. */
static int choose_v2(const char *root, struct cell_cgroups_facts *f)
{
    CLEAN_FD int own = -1;
    CLEAN_FD int top = -1;
    char path[sizeof(f->root)];

    if (root != NULL) {
        snprintf(f->root, sizeof(f->root), "%s", root);
        return open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (cg_find(NULL, &own, &top, path, sizeof(path)) != 0)
        return -1;
    /* cgroup.type is missing in the real root only. */
    if (geteuid() == 0 && !delegated(own) && faccessat(top, "cgroup.type", F_OK, 0) != 0 && errno == ENOENT) {
        snprintf(f->root, sizeof(f->root), "the hierarchy's root");
        return steal_fd(&top);
    }
    snprintf(f->root, sizeof(f->root), "%s", path);
    return steal_fd(&own);
}

static bool open_v2(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f)
{
    char text[256];
    int rc;

    g->parents[0] = choose_v2(root, f);
    if (g->parents[0] < 0 || !enabled(g->parents[0], "cgroup.controllers"))
        return false;
    enable(g->parents[0]);
    if (!enabled(g->parents[0], "cgroup.subtree_control")) {
        rc = make_room(g->parents[0]);
        if (rc != 0)
            detail_add(f, "cgroup v2: processes in %s cannot be moved into a leaf: %s", f->root, strerror(-rc));
        enable(g->parents[0]);
    }
    sweep_all(g->parents[0]);
    rc = make_base(g, 0);
    if (rc != 0) {
        detail_add(f, "cgroup v2: %s: %s (delegate it: systemd-run --user --scope -p Delegate=yes, or chown it)", f->root,
                   strerror(-rc));
        return false;
    }
    enable(g->bases[0]);
    if (cg_read(g->bases[0], "cgroup.subtree_control", text, sizeof(text)) != 0)
        return false;
    g->has[CG_MEMORY] = f->memory = f->oom_group = word_in(text, "memory");
    g->has[CG_PIDS] = f->pids = word_in(text, "pids");
    g->has[CG_CPU] = f->cpu = word_in(text, "cpu");
    if (!f->memory || !f->pids || !f->cpu)
        detail_add(f, "cgroup v2: %s hands on only `%.40s` (needed: cpu memory pids)", f->root, text);
    g->swap_file = true; /* memory.swap.max is there whenever the kernel knows swap */
    g->version = 2;
    return true;
}

/* ---- both -------------------------------------------------------------------------------- */

static void forget(struct cell_cgroups *g)
{
    for (int i = 0; i < CG_COUNT; i++) {
        closep(&g->bases[i]);
        if (g->parents[i] >= 0)
            unlinkat(g->parents[i], g->name, AT_REMOVEDIR);
        closep(&g->parents[i]);
    }
}

static bool is_v2(const char *root)
{
    struct statfs s;

    return root == NULL || (statfs(root, &s) == 0 && s.f_type == CGROUP2_MAGIC);
}

int cell_cgroups_open(const char *root, struct cell_cgroups **ret, struct cell_cgroups_facts *facts, struct err *reterr)
{
    struct cell_cgroups *g = NEW(struct cell_cgroups);

    (void)reterr;
    *facts = (struct cell_cgroups_facts){0};
    for (int i = 0; i < CG_COUNT; i++)
        g->parents[i] = g->bases[i] = -1;
    snprintf(g->name, sizeof(g->name), BASE_PREFIX "%d", (int)getpid());
    if (!is_v2(root) || !open_v2(g, root, facts)) {
        forget(g);
        facts->root[0] = '\0';
        open_v1(g, root, facts);
    }
    facts->version = g->version;
    facts->swap = g->swap_file || !machine_has_swap();
    if (!facts->swap)
        detail_add(facts, "swap: this kernel does not account it by cgroup (boot with swapaccount=1, or swapoff -a)");
    *ret = g;
    return 0;
}

void cell_cgroups_free(struct cell_cgroups *g)
{
    if (g == NULL)
        return;
    for (int i = 0; i < CG_COUNT; i++) {
        if (g->bases[i] < 0)
            continue;
        closep(&g->bases[i]); /* gives the lock back, which sweep() takes */
    }
    for (int i = 0; i < CG_COUNT; i++)
        if (g->parents[i] >= 0)
            sweep(g->parents[i], g->name);
    forget(g);
    free(g);
}
