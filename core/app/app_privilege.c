/* app_privilege.c - from root to nobody in particular. */
#include "app.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above the ranges that systemd and subordinate ids use (systemd.io/UIDS-GIDS). */
#define USER_ID_FALLBACK 1899999999u

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
    return 0;
}

/* mkdir -p; the components above the last get the usual mode. */
static int make_dirs(const char *path, struct err *reterr)
{
    CLEAN_FREE char *copy = mem_dup(path);

    for (char *p = copy + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return err_sys(reterr, "make directory `%s`", copy);
        *p = '/';
    }
    if (mkdir(copy, 0700) != 0 && errno != EEXIST)
        return err_sys(reterr, "make state directory `%s`", copy);
    return 0;
}

int app_state_open(const char *path, const struct app_user *user, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = -1;
    struct stat st;
    int rc;

    if (path[0] == '\0')
        return err_set(reterr, ERR_CONFIG, "process.state_dir is empty; the embedded Redis needs one");
    if ((rc = make_dirs(path, reterr)) != 0)
        return rc;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "open state directory `%s`", path);
    /* Just made by us as root: hand it over.  Another user's is never taken. */
    if (geteuid() == 0 && st.st_uid == 0 && fchown(fd, user->uid, user->gid) != 0)
        return err_sys(reterr, "give state directory `%s` to uid %u", path, (unsigned)user->uid);
    if (st.st_uid != user->uid && st.st_uid != 0)
        return err_set(reterr, ERR_CONFIG,
                       "state directory `%s` belongs to uid %u, execd runs as uid %u; chown it "
                       "or name another one",
                       path, (unsigned)st.st_uid, (unsigned)user->uid);
    *ret_fd = steal_fd(&fd);
    return 0;
}

int app_privilege_drop(const struct app_user *user, struct err *reterr)
{
    struct rlimit no_core = {0, 0};

    if (geteuid() == 0) {
        if (setgroups(0, NULL) != 0)
            return err_sys(reterr, "drop supplementary groups");
        if (setresgid(user->gid, user->gid, user->gid) != 0)
            return err_sys(reterr, "become gid %u", (unsigned)user->gid);
        if (setresuid(user->uid, user->uid, user->uid) != 0)
            return err_sys(reterr, "become uid %u", (unsigned)user->uid);
        if (setuid(0) == 0 || geteuid() == 0)
            return err_set(reterr, ERR_INTERNAL, "privileges could be taken back after they were dropped");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_sys(reterr, "set no_new_privs");
    if (setrlimit(RLIMIT_CORE, &no_core) != 0)
        return err_sys(reterr, "forbid core dumps");
    /* Changing ids made us undumpable, and thereby /proc/self root's: we reach our state
     * directory through /proc/self/fd.  Core dumps, which hold secrets, were just forbidden. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
        return err_sys(reterr, "keep access to /proc/self");
    return 0;
}
