/* cgroup_place.c - a place for cells' cgroups (theory of operation: cgroup_place.h). */
#include "cgroup_place_internal.h"

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

bool cg_has_file(int dir, const char *file)
{
    return faccessat(dir, file, F_OK, 0) == 0;
}

void cg_detail(struct cgroup_facts *f, const char *fmt, ...)
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
    char *end;
    long pid = strtol(name + strlen(CGROUP_NAME_PREFIX), &end, 10);

    if (base < 0 || pid <= 0 || pid > INT32_MAX || (*end != '\0' && *end != '-'))
        return false;
    if (pid == getpid()) /* of an earlier boot or container, or is it our own? */
        return flock(base, LOCK_EX | LOCK_NB) == 0;
    if (kill((pid_t)pid, 0) == 0 || errno != ESRCH)
        return false;
    lock_file = open_lock_file(base);
    return lock_file >= 0 && lock(lock_file);
}

void cg_sweep(int parent)
{
    int copy = cg_open_dir(parent, ".");
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *e;

    if (d == NULL) {
        closep(&copy);
        return;
    }
    while ((e = readdir(d)) != NULL)
        if (strncmp(e->d_name, CGROUP_NAME_PREFIX, strlen(CGROUP_NAME_PREFIX)) == 0 &&
            is_stale(parent, e->d_name))
            cg_remove_tree(parent, e->d_name);
    closedir(d);
}

/* ---- our own ---------------------------------------------------------------------------- */

static int lock_base(struct cgroup_place *p, int i)
{
    int base = p->groups.bases[i];

    if (flock(base, LOCK_EX | LOCK_NB) != 0)
        return -errno;
    p->locks[i] = open_lock_file(base);
    return p->locks[i] >= 0 && lock(p->locks[i]) ? 0 : -errno;
}

static bool same_hierarchy(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev;
}

int cg_make_base(struct cgroup_place *p, int i, int parent)
{
    struct cgroups *g = &p->groups;
    int rc = 0;

    for (int k = 0; k < i; k++)
        if (g->bases[k] >= 0 && same_hierarchy(parent, g->bases[k])) { /* cpu,cpuacct */
            g->shared[i] = true;
            g->bases[i] = fcntl(g->bases[k], F_DUPFD_CLOEXEC, 3);
            return g->bases[i] < 0 ? -errno : 0;
        }
    cg_sweep(parent);
    if (mkdirat(parent, g->name, 0755) != 0)
        return -errno;
    g->bases[i] = cg_open_dir(parent, g->name);
    rc = g->bases[i] < 0 ? -errno : lock_base(p, i);
    if (rc != 0) {
        closep(&p->locks[i]);
        closep(&g->bases[i]);
        unlinkat(parent, g->name, AT_REMOVEDIR);
    }
    return rc;
}

/* The name stays, for another try. */
void cg_forget(struct cgroup_place *p)
{
    char name[sizeof(p->groups.name)];

    memcpy(name, p->groups.name, sizeof(name));
    for (int i = 0; i < CG_COUNT; i++)
        closep(&p->locks[i]);
    cgroups_close(&p->groups);
    memcpy(p->groups.name, name, sizeof(name));
}

/* ---- the probe ----------------------------------------------------------------------------- */

/* A child without exit signal, so that nobody's SIGCHLD handling sees it. */
static int try_child(const struct cgroup *c)
{
    int status = 0;
    struct clone_args args = {0};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    if (pid == 0) {
        int rc = cgroup_join(c);

        syscall(SYS_exit_group, rc < 0 ? -rc : 0);
    }
    if (pid < 0)
        return -errno;
    while (waitpid(pid, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int cg_probe(struct cgroup_place *p)
{
    struct cgroup *c;
    struct err err = {0};
    int rc = cgroup_new(&p->groups, &c, &err);

    if (rc != 0)
        return rc;
    rc = try_child(c);
    for (int i = 0; i < 100 && !cg_remove(c); i++) /* it is not kept: the next cells are the jailer's */
        usleep(1000);                              /* what stays goes with the base */
    return rc;
}

/* ---- the door -------------------------------------------------------------------------------- */

static bool on_v2(const char *path)
{
    struct statfs s;

    return statfs(path, &s) == 0 && s.f_type == CGROUP2_MAGIC;
}

static void open_any(struct cgroup_place *p, const char *root)
{
    char why_not[sizeof(p->facts.detail)];

    if (root != NULL && on_v2(root)) { /* named, so nothing else will do */
        cg2_open(p, root);
        return;
    }
    if (root == NULL && cg2_open(p, NULL))
        return;
    snprintf(why_not, sizeof(why_not), "%s", p->facts.detail);
    p->facts = (struct cgroup_facts){0};
    if (!cg1_open(p, root) && why_not[0] != '\0')
        cg_detail(&p->facts, "%s", why_not);
}

int cgroup_place_open(const char *root, struct cgroup_place **ret, struct err *reterr)
{
    static unsigned count; /* one process may have several jailers */
    struct cgroup_place *p;

    if (root != NULL && (root[0] != '/' || strstr(root, "/../") != NULL || strlen(root) >= CG_PATH / 2))
        return err_set(reterr, ERR_CONFIG, "cgroup root `%.100s`: an absolute path without `..` is needed",
                       root);
    p = NEW(struct cgroup_place);
    for (int i = 0; i < CG_COUNT; i++)
        p->groups.bases[i] = p->locks[i] = -1;
    snprintf(p->groups.name, sizeof(p->groups.name), CGROUP_NAME_PREFIX "%d-%u", (int)getpid(), count++);
    open_any(p, root);
    p->facts.version = p->groups.version;
    p->facts.swap = p->groups.swap_file || !machine_has_swap();
    if (!p->facts.swap)
        cg_detail(&p->facts, "swap: not accounted by cgroup here (boot with swapaccount=1, or swapoff -a)");
    *ret = p;
    return 0;
}

static void read_from(int base, const char *file, char *text, size_t size)
{
    text[0] = '\0';
    if (base >= 0)
        (void)cg_read(base, file, text, size); /* what cannot be read counts as 0 */
}

/* cgroup-v2.rst (memory.stat, cpu.stat); cgroup-v1/memory.rst 5.2 and cpuacct.rst, where total_ is with the
 * cells'. */
void cgroup_place_usage(const struct cgroup_place *p, uint64_t *ret_memory, uint64_t *ret_cpu_ns)
{
    const int *bases = p->groups.bases;
    bool v2 = p->groups.version == 2;
    char text[4096];

    read_from(bases[CG_MEMORY], "memory.stat", text, sizeof(text));
    *ret_memory = v2 ? cg_keyed(text, "anon") + cg_keyed(text, "shmem")
                     : cg_keyed(text, "total_rss") + cg_keyed(text, "total_shmem");
    read_from(bases[v2 ? 0 : CG_CPUACCT], v2 ? "cpu.stat" : "cpuacct.usage", text, sizeof(text));
    *ret_cpu_ns = v2 ? cg_keyed(text, "usage_usec") * 1000 : strtoull(text, NULL, 10);
}

void cgroup_place_free(struct cgroup_place *p)
{
    if (p == NULL)
        return;
    cg_forget(p);
    free(p);
}
