/* cell_cgroup_open.c - the place below which this jailer makes its cgroups. */
#include "cell_cgroup_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270
#define BASE_PREFIX "execd-"

void cg_detail(struct cell_cgroups_facts *f, const char *fmt, ...)
{
    size_t len = strlen(f->detail), size = sizeof(f->detail);
    va_list ap;

    if (len > 0 && len + 2 < size)
        len += (size_t)snprintf(f->detail + len, size - len, "; ");
    va_start(ap, fmt);
    vsnprintf(f->detail + len, size - len, fmt, ap);
    va_end(ap);
}

/* Header and one line for each. */
static bool machine_has_swap(void)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/swaps", "re");
    char line[256];
    int lines = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        lines++;
    return f == NULL || lines > 1;
}

/* ---- directories whose jailer is gone ------------------------------------------------ */

/* A file of every cgroup that nothing else here opens: closing it anywhere in a process ends that process'
 * lock. */
static int open_lock_file(int base)
{
    int fd = openat(base, "notify_on_release", O_RDWR | O_CLOEXEC);

    return fd >= 0 ? fd : openat(base, "cgroup.max.depth", O_RDWR | O_CLOEXEC);
}

/* Unlike flock, not inherited by what we fork: it ends with this process whoever lives on. */
static bool lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_SETLK, &whole) == 0;
}

/* A jailer locks its base.  Its pid alone would not do (one of another pid namespace may share
 * our parent), the lock neither (it comes a moment after the directory). */
static bool is_stale(int parent, const char *name)
{
    CLEAN_FD int base = cg_open_dir(parent, name);
    CLEAN_FD int lock_file = -1;
    int64_t pid;

    if (base < 0 || num_i64(name + strlen(BASE_PREFIX), 1, INT32_MAX, &pid) != 0)
        return false;
    if (pid == getpid()) /* of an earlier boot or container, or is it our own? */
        return flock(base, LOCK_EX | LOCK_NB) == 0;
    if (kill((pid_t)pid, 0) == 0 || errno != ESRCH)
        return false;
    lock_file = open_lock_file(base);
    return lock_file >= 0 && lock(lock_file);
}

static void sweep(int parent)
{
    int copy = cg_open_dir(parent, ".");
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *e;

    if (d == NULL) {
        closep(&copy);
        return;
    }
    while ((e = readdir(d)) != NULL)
        if (strncmp(e->d_name, BASE_PREFIX, strlen(BASE_PREFIX)) == 0 && is_stale(parent, e->d_name))
            cg_remove_tree(parent, e->d_name);
    closedir(d);
}

/* ---- our own ---------------------------------------------------------------------------- */

static int lock_base(struct cell_cgroups *g, int i)
{
    if (flock(g->bases[i], LOCK_EX | LOCK_NB) != 0)
        return -errno;
    g->locks[i] = open_lock_file(g->bases[i]);
    return g->locks[i] >= 0 && lock(g->locks[i]) ? 0 : -errno;
}

static bool same_dir(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int cg_make_base(struct cell_cgroups *g, int i)
{
    int rc = 0;

    for (int k = 0; k < i; k++)
        if (g->bases[k] >= 0 && same_dir(g->parents[i], g->parents[k])) { /* cpu,cpuacct */
            g->shared[i] = true;
            g->bases[i] = fcntl(g->bases[k], F_DUPFD_CLOEXEC, 3);
            return g->bases[i] < 0 ? -errno : 0;
        }
    sweep(g->parents[i]);
    if (mkdirat(g->parents[i], g->name, 0755) != 0)
        return -errno;
    g->bases[i] = cg_open_dir(g->parents[i], g->name);
    rc = g->bases[i] < 0 ? -errno : lock_base(g, i);
    if (rc != 0) {
        closep(&g->locks[i]);
        closep(&g->bases[i]);
        unlinkat(g->parents[i], g->name, AT_REMOVEDIR);
    }
    return rc;
}

void cg_forget(struct cell_cgroups *g)
{
    for (int i = 0; i < CG_COUNT; i++) {
        bool ours = g->bases[i] >= 0 && !g->shared[i];

        closep(&g->locks[i]);
        closep(&g->bases[i]);
        if (ours)
            cg_remove_tree(g->parents[i], g->name);
    }
    for (int i = 0; i < CG_COUNT; i++) {
        closep(&g->parents[i]);
        g->has[i] = g->shared[i] = false;
    }
    g->version = 0;
}

/* ---- the probe ----------------------------------------------------------------------------- */

/* A child without exit signal, so that nobody's SIGCHLD handling sees it. */
static int try_child(const struct cell_cgroup *c)
{
    int fd = cell_cgroup_clone_fd(c), status = 0;
    struct clone_args args = {.flags = fd >= 0 ? CLONE_INTO_CGROUP : 0, .cgroup = fd >= 0 ? (uint64_t)fd : 0};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    if (pid == 0) {
        int rc = cell_cgroup_join(c);

        syscall(SYS_exit_group, rc < 0 ? -rc : 0);
    }
    if (pid < 0)
        return -errno;
    while (waitpid(pid, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int cg_probe(struct cell_cgroups *g)
{
    struct cell_cgroup *c;
    struct err err = {0};
    int rc = cell_cgroup_new(g, &c, &err);

    if (rc != 0)
        return rc;
    rc = try_child(c);
    for (int i = 0; i < 100 && !cell_cgroup_free(c); i++)
        usleep(1000); /* what stays goes with the base */
    return rc;
}

/* ---- the door -------------------------------------------------------------------------------- */

static bool on_v2(const char *path)
{
    struct statfs s;

    return statfs(path, &s) == 0 && s.f_type == CGROUP2_MAGIC;
}

static void open_any(struct cell_cgroups *g, const char *root, struct cell_cgroups_facts *f)
{
    char why_not[sizeof(f->detail)];

    if (root != NULL && on_v2(root)) { /* named, so nothing else will do */
        cg2_open(g, root, f);
        return;
    }
    if (root == NULL && cg2_open(g, NULL, f))
        return;
    snprintf(why_not, sizeof(why_not), "%s", f->detail);
    *f = (struct cell_cgroups_facts){0};
    if (!cg1_open(g, root, f) && why_not[0] != '\0')
        cg_detail(f, "%s", why_not);
}

int cell_cgroups_open(const char *root, struct cell_cgroups **ret, struct cell_cgroups_facts *facts,
                      struct err *reterr)
{
    struct cell_cgroups *g;

    if (root != NULL && (root[0] != '/' || strstr(root, "/../") != NULL || strlen(root) >= CG_PATH / 2))
        return err_set(reterr, ERR_CONFIG, "cgroup root `%.100s`: an absolute path without `..` is needed",
                       root);
    g = NEW(struct cell_cgroups);
    *facts = (struct cell_cgroups_facts){0};
    for (int i = 0; i < CG_COUNT; i++)
        g->parents[i] = g->bases[i] = g->locks[i] = -1;
    snprintf(g->name, sizeof(g->name), BASE_PREFIX "%d", (int)getpid());
    open_any(g, root, facts);
    facts->version = g->version;
    facts->swap = g->swap_file || !machine_has_swap();
    if (!facts->swap)
        cg_detail(facts, "swap: not accounted by cgroup here (boot with swapaccount=1, or swapoff -a)");
    *ret = g;
    return 0;
}

void cell_cgroups_free(struct cell_cgroups *g)
{
    if (g == NULL)
        return;
    if (g->version == 2)
        cg2_close(g);
    else
        cg_forget(g);
    free(g);
}
