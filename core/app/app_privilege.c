/* app_privilege.c - from root to nobody in particular. */
#include "app.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/jail.h"
#include "scale/keeper.h"

/* Above the ranges that systemd and subordinate ids use (systemd.io/UIDS-GIDS). */
#define USER_ID_FALLBACK 1899999999u

/* Does this user namespace have the ids?  In the machine's own all exist. */
static bool ids_exist(uint64_t first, uint64_t count)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/self/uid_map", "re");
    unsigned inside, outside, length;

    while (f != NULL && fscanf(f, "%u %u %u", &inside, &outside, &length) == 3)
        if (first >= inside && first + count <= (uint64_t)inside + length)
            return true;
    return f == NULL;
}

int app_cell_ids_check(const struct conf *conf, struct err *reterr)
{
    if (geteuid() != 0 || ids_exist(conf->uid_base, JAIL_IDS_MAX))
        return 0;
    return err_set(
        reterr, ERR_CONFIG,
        "worker.uid_base: this user namespace does not have the ids %llu to %llu (/proc/self/uid_map "
        "lists what it has; in a pod of Kubernetes 60000 is right)",
        (unsigned long long)conf->uid_base, (unsigned long long)conf->uid_base + JAIL_IDS_MAX - 1);
}

int app_worker_ids_check(const struct conf *conf, struct err *reterr)
{
    const uint64_t workers = MIN(conf->max_pods, (uint64_t)KEEPER_NUMBER_MAX);

    _Static_assert(KEEPER_IDS >= JAIL_IDS_MAX, "no two workers share an id");
    for (uint64_t n = 1; n <= workers && geteuid() == 0; n++) {
        const uint64_t first = conf->uid_base + n * KEEPER_IDS;

        if (first > CONF_UID_BASE_MAX || !ids_exist(first, KEEPER_IDS))
            return err_set(
                reterr, ERR_CONFIG,
                "worker.uid_base: started as root, worker %llu of scaling.maxPods = %llu needs the "
                "ids %llu to %llu, which this user namespace does not have (/proc/self/uid_map)",
                (unsigned long long)n, (unsigned long long)conf->max_pods, (unsigned long long)first,
                (unsigned long long)first + KEEPER_IDS - 1);
    }
    return 0;
}

int app_user_find(const struct conf *conf, struct app_user *ret, struct err *reterr)
{
    bool named = conf->user[0] != '\0';
    const struct passwd *pw;

    if (geteuid() != 0) {
        *ret = (struct app_user){getuid(), getgid()};
        return 0;
    }
    pw = getpwnam(named ? conf->user : "execd");
    if (pw == NULL && named)
        return err_set(reterr, ERR_CONFIG,
                       "process.user: there is no user `%s`; make it, or leave the key empty", conf->user);
    if (pw != NULL && pw->pw_uid == 0)
        return err_set(reterr, ERR_CONFIG, "process.user: `%s` is root; execd serves without privilege",
                       conf->user);
    *ret = pw != NULL ? (struct app_user){pw->pw_uid, pw->pw_gid}
                      : (struct app_user){USER_ID_FALLBACK, USER_ID_FALLBACK};
    if (!ids_exist(ret->uid, 1))
        return err_set(
            reterr, ERR_CONFIG,
            "process.user: this user namespace has no id %u to become; name a user that it has, or make "
            "one that is called execd",
            (unsigned)ret->uid);
    return 0;
}

/* A link is followed where nobody but root can have put it.  Elsewhere it may lead anywhere, and as root we
 * would give away what is there: what execd became can write its own state directory, and the keeper starts
 * workers as root with folders in it. */
static bool links_hold(int dir)
{
    struct stat st;

    return geteuid() != 0 ||
           (fstat(dir, &st) == 0 && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0);
}

/* mkdir -p, and the last one opened; the components above it get the usual mode. */
static int open_dirs(const char *path, int *ret_fd, struct err *reterr)
{
    CLEAN_FREE char *copy = mem_dup(path);
    CLEAN_FD int dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *rest = copy, *name;

    while ((name = strsep(&rest, "/")) != NULL) {
        const bool follow = links_hold(dir);
        int next;

        if (name[0] == '\0')
            continue;
        if (mkdirat(dir, name, rest == NULL || rest[strspn(rest, "/")] == '\0' ? 0700 : 0755) != 0 &&
            errno != EEXIST)
            return err_sys(reterr, "make `%s` of state directory `%s`", name, path);
        next = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
        if (next < 0 && errno == ENOTDIR && !follow)
            return err_set(
                reterr, ERR_CONFIG,
                "state directory `%s`: `%s` is no directory, or a link in a folder that others than root may "
                "write, which is not followed as root; name where it leads to",
                path, name);
        if (next < 0)
            return err_sys(reterr, "open `%s` of state directory `%s`", name, path);
        closep(&dir);
        dir = next;
    }
    *ret_fd = steal_fd(&dir);
    return 0;
}

int app_state_open(const char *path, const struct app_user *user, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = -1;
    struct stat st;
    int rc;

    if (path[0] == '\0')
        return err_set(reterr, ERR_CONFIG,
                       "process.state_dir is empty; the embedded Redis and the compile cache need one");
    if ((rc = open_dirs(path, &fd, reterr)) != 0)
        return rc;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "open state directory `%s`", path);
    /* Just made by us as root: hand it over.  Another user's is never taken. */
    if (geteuid() == 0 && st.st_uid == 0 && fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) != 0)
        return err_sys(reterr, "give state directory `%s` to uid %u", path, (unsigned)user->uid);
    if (st.st_uid != user->uid && st.st_uid != 0)
        return err_set(reterr, ERR_CONFIG,
                       "state directory `%s` belongs to uid %u, execd runs as uid %u; chown it "
                       "or name another one",
                       path, (unsigned)st.st_uid, (unsigned)user->uid);
    *ret_fd = steal_fd(&fd);
    return 0;
}

int app_descriptors_tidy(struct err *reterr)
{
    int fd;

    do { /* else a socket would become what we log to */
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return err_sys(reterr, "open /dev/null");
        if (fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) != 0)
            return err_sys(reterr, "keep descriptor %d", fd);
    } while (fd <= STDERR_FILENO);
    return close_range(STDERR_FILENO + 1, ~0u, 0) == 0 ? 0 : err_sys(reterr, "close inherited descriptors");
}

static int become(const struct app_user *user, struct err *reterr)
{
    if (setgroups(0, NULL) != 0)
        return err_sys(reterr, "drop supplementary groups");
    if (setresgid(user->gid, user->gid, user->gid) != 0)
        return err_sys(reterr, "become gid %u", (unsigned)user->gid);
    if (setresuid(user->uid, user->uid, user->uid) != 0)
        return err_sys(reterr, "become uid %u", (unsigned)user->uid);
    if (setuid(0) == 0 || geteuid() == 0)
        return err_set(reterr, ERR_INTERNAL, "privileges could be taken back after they were dropped");
    return 0;
}

/* The bounding set is root's to empty; nobody else's is of use after no_new_privs. */
static void empty_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

/* Also those that a supervisor hands to an ordinary user (ambient, inheritable). */
static int empty_capabilities(struct err *reterr)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    if (syscall(SYS_capset, &head, none) != 0)
        return err_sys(reterr, "give up capabilities");
    return 0;
}

int app_privilege_drop(const struct app_user *user, struct err *reterr)
{
    struct rlimit no_core = {0, 0};
    int rc;

    empty_bounding_set();
    if (geteuid() == 0 && (rc = become(user, reterr)) != 0)
        return rc;
    if ((rc = empty_capabilities(reterr)) != 0)
        return rc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_sys(reterr, "set no_new_privs");
    if (setrlimit(RLIMIT_CORE, &no_core) != 0)
        return err_sys(reterr, "forbid core dumps");
    /* The redis-server that we start is of the same user, and may not read our memory.  Our own
     * /proc/self/fd stays open to us: the kernel excepts a process itself. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(reterr, "close our memory to others");
    return 0;
}
