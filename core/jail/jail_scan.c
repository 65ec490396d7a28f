/* jail_scan.c - what a cell must not find below a folder that is shown to it.
 *
 * Everything in a cell is mounted nosuid, and its processes can gain no privilege; that no such file is there
 * at all is the second wall.  Sockets, pipes and devices are no privilege but ways to somebody else:
 * a read-only mount does not keep anybody from writing into a pipe.
 *
 * What the operator's own root file system consists of could be anybody's: cells mount it read-only, but who
 * may write it on the machine decides what jobs run, and after our look could still put there what we looked
 * for.
 *
 * Who scans is no more than who runs in the cells, where execd was started as root and gave that up.  Links
 * are not followed, and mounts are entered: they are shown too. */
#include "jail_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEPTH_MAX 64

struct scan {
    const struct jail_scan *o;
    const char *top;     /* for messages */
    char rest[PATH_MAX]; /* below top */
    size_t len;
};

/* Capabilities count for who may execute the file; security.capability can be read by anybody. */
static bool has_capabilities(int dir, const char *name, mode_t mode)
{
    char path[PATH_MAX];

    if ((mode & 0111) == 0)
        return false;
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
    return lgetxattr(path, "security.capability", NULL, 0) >= 0 || (errno != ENODATA && errno != EOPNOTSUPP);
}

bool jail_scan_privileged(int dir, const char *name, mode_t mode)
{
    return (mode & (S_ISUID | S_ISGID)) != 0 || has_capabilities(dir, name, mode);
}

bool jail_scan_others(const struct stat *st)
{
    return (st->st_uid != 0 && st->st_uid != geteuid()) ||
           (!S_ISLNK(st->st_mode) && (st->st_mode & 022) != 0);
}

int jail_scan_refuse(const char *path, const char *rest, const struct stat *st, struct err *reterr)
{
    return err_set(
        reterr, ERR_CONFIG,
        "`%s%s` belongs to uid %u, mode %04o; all of it must belong to root or to the user that starts "
        "execd, and nobody else may write it (`chown -R`, `chmod -R go-w`)",
        path, rest, (unsigned)st->st_uid, (unsigned)st->st_mode & 07777);
}

static int scan_dir(struct scan *s, int fd, unsigned depth, struct err *reterr);

/* One that others may neither read nor enter holds nothing for a cell. */
static int scan_below(struct scan *s, int dir, const char *name, const struct stat *st, unsigned depth,
                      struct err *reterr)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == EACCES && (st->st_mode & 0005) == 0)
        return 0;
    if (fd < 0)
        return err_sys(reterr, "look for set-user-id files in `%s%s`", s->top, s->rest);
    return scan_dir(s, fd, depth + 1, reterr);
}

static int scan_entry(struct scan *s, int dir, const char *name, unsigned depth, struct err *reterr)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_sys(reterr, "look at `%s%s`", s->top, s->rest);
    if ((*s->o->left)-- == 0)
        return err_set(reterr, ERR_CONFIG, "there is more below `%s` than can be looked through", s->top);
    if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode) &&
        (!S_ISREG(st.st_mode) || jail_scan_privileged(dir, name, st.st_mode)))
        return s->o->found(s->o->arg, s->rest, reterr);
    if (s->o->guarded && jail_scan_others(&st))
        return jail_scan_refuse(s->top, s->rest, &st, reterr);
    return S_ISDIR(st.st_mode) ? scan_below(s, dir, name, &st, depth, reterr) : 0;
}

/* Takes fd. */
static int scan_dir(struct scan *s, int fd, unsigned depth, struct err *reterr)
{
    DIR *d = depth > DEPTH_MAX ? NULL : fdopendir(fd);
    size_t len = s->len;
    struct dirent *e;
    int rc = 0;

    if (d == NULL) {
        close(fd);
        return err_set(reterr, ERR_CONFIG, "`%s%s` is too deep to be looked through", s->top, s->rest);
    }
    while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        s->len = len + (size_t)snprintf(s->rest + len, sizeof(s->rest) - len, "/%s", e->d_name);
        if (s->len >= sizeof(s->rest))
            rc = err_set(reterr, ERR_CONFIG, "a path below `%s` is too long", s->top);
        else
            rc = scan_entry(s, dirfd(d), e->d_name, depth, reterr);
        s->rest[s->len = len] = '\0';
    }
    if (rc == 0 && errno != 0)
        rc = err_sys(reterr, "read the folder `%s%s`", s->top, s->rest);
    closedir(d);
    return rc;
}

/* Takes fd. */
static int scan_top(struct scan *s, int fd, struct err *reterr)
{
    struct stat st;
    int rc = 0;

    if (fstat(fd, &st) != 0)
        rc = err_sys(reterr, "look at `%s`", s->top);
    else if (s->o->guarded && jail_scan_others(&st))
        rc = jail_scan_refuse(s->top, s->rest, &st, reterr);
    if (rc == 0)
        return scan_dir(s, fd, 0, reterr);
    close(fd);
    return rc;
}

int jail_scan(const struct jail_scan *o, int root, const char *path, struct err *reterr)
{
    struct scan *s = NEW(struct scan);
    int fd = path_open_in(root, path, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS), rc;

    s->o = o;
    s->top = path;
    errno = fd < 0 ? -fd : 0;
    rc = fd < 0 ? err_sys(reterr, "open `%s`", path) : scan_top(s, fd, reterr);
    free(s);
    return rc;
}
