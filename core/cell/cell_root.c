/* cell_root.c - the small read-only root that every cell copies.
 *
 * The sources are cloned as detached trees first (open_tree(2)), so that the tmpfs that becomes the
 * root may hide any path of the machine; then each tree is attached, and the old root goes. */
#include "cell_internal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREES_MAX 64
#define STAGE "/tmp" /* where the new root is put together; in our own namespace only */

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

struct tree {
    char path[PATH_MAX];
    int fd;
    bool is_dir;
};

struct root {
    struct tree trees[TREES_MAX];
    size_t count;
};

static int clone_tree(struct root *r, const char *path, bool device, struct err *reterr)
{
    struct mount_attr attr = {.attr_set =
                                  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (device ? 0u : MOUNT_ATTR_NODEV)};
    struct tree *t = &r->trees[r->count];
    struct stat st;

    if (r->count == TREES_MAX)
        return err_set(reterr, ERR_CONFIG, "more than %d paths to show in cells", TREES_MAX);
    t->fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (t->fd < 0 || fstat(t->fd, &st) != 0)
        return err_sys(reterr, "clone the mounts of `%s`", path);
    if (syscall(SYS_mount_setattr, t->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) != 0)
        return err_sys(reterr, "make `%s` read-only", path);
    snprintf(t->path, sizeof(t->path), "%s", path);
    t->is_dir = S_ISDIR(st.st_mode);
    r->count++;
    return 0;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Is it inside a tree that is shown already? */
static bool shown(const struct root *r, const char *path)
{
    for (size_t i = 0; i < r->count; i++) {
        size_t n = strlen(r->trees[i].path);

        if (strncmp(path, r->trees[i].path, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

static const char *const system_dirs[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
static const char *const optional_files[] = {"/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"};
static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

static int clone_mounts(struct root *r, const char *const *mounts, struct err *reterr)
{
    for (size_t i = 0; mounts != NULL && mounts[i] != NULL; i++) {
        bool must = mounts[i][0] == '!';
        const char *path = mounts[i] + must;
        CLEAN_FREE char *real = realpath(path, NULL);
        int rc;

        if (path[0] != '/' || strstr(path, "/../") != NULL || strcmp(path, "/") == 0)
            return err_set(reterr, ERR_CONFIG, "mount `%s`: an absolute path without `..` is needed", path);
        if (real == NULL && must)
            return err_sys(reterr, "a language needs `%s`", path);
        if (real == NULL || shown(r, path))
            continue;
        if ((rc = clone_tree(r, path, false, reterr)) != 0)
            return rc;
    }
    return 0;
}

static int clone_all(struct root *r, const char *const *mounts, struct err *reterr)
{
    int rc = clone_tree(r, "/usr", false, reterr);

    for (size_t i = 0; rc == 0 && i < COUNT_OF(system_dirs); i++)
        if (is_dir(system_dirs[i])) /* on merged-usr systems these are links */
            rc = clone_tree(r, system_dirs[i], false, reterr);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(optional_files); i++)
        if (access(optional_files[i], F_OK) == 0)
            rc = clone_tree(r, optional_files[i], false, reterr);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(devices); i++)
        rc = clone_tree(r, devices[i], true, reterr);
    return rc == 0 ? clone_mounts(r, mounts, reterr) : rc;
}

/* ---- the new root ------------------------------------------------------------------- */

static int make_parents(const char *path)
{
    char copy[PATH_MAX + sizeof(STAGE)];

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *p = copy + strlen(STAGE) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static int attach(const struct tree *t, struct err *reterr)
{
    char target[PATH_MAX + sizeof(STAGE)];
    int rc;

    snprintf(target, sizeof(target), STAGE "%s", t->path);
    if ((rc = make_parents(target)) != 0)
        return err_set(reterr, rc, "make the parents of `%s`: %s", t->path, strerror(-rc));
    if (t->is_dir) {
        if (mkdir(target, 0755) != 0 && errno != EEXIST)
            return err_sys(reterr, "make `%s`", t->path);
    } else {
        CLEAN_FD int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

        if (fd < 0)
            return err_sys(reterr, "make `%s`", t->path);
    }
    if (syscall(SYS_move_mount, t->fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return err_sys(reterr, "show `%s`", t->path);
    return 0;
}

static int write_file(const char *path, const char *text)
{
    CLEAN_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    size_t len = strlen(text);

    return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

static int fill(struct err *reterr)
{
    static const char *const dirs[] = {"/etc", "/dev", "/dev/shm", "/proc", "/box", "/tmp", "/run"};
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};
    static const char *const files[][2] = {
        {"/etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\nrunner:x:1000:1000:runner:/box:/bin/sh\n"},
        {"/etc/group", "root:x:0:\nrunner:x:1000:\n"},
        {"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
        {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"}};
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(dirs); i++) {
        snprintf(path, sizeof(path), STAGE "%s", dirs[i]);
        if (mkdir(path, 0755) != 0)
            return err_sys(reterr, "make `%s`", dirs[i]);
    }
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        snprintf(path, sizeof(path), STAGE "%s", links[i][1]);
        if (symlink(links[i][0], path) != 0)
            return err_sys(reterr, "make `%s`", links[i][1]);
    }
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(path, sizeof(path), STAGE "%s", files[i][0]);
        if (write_file(path, files[i][1]) != 0)
            return err_sys(reterr, "write `%s`", files[i][0]);
    }
    return 0;
}

/* /bin -> usr/bin and the like, as the machine has them. */
static int copy_links(struct err *reterr)
{
    for (size_t i = 0; i < COUNT_OF(system_dirs); i++) {
        char text[PATH_MAX], path[PATH_MAX];
        ssize_t n = readlink(system_dirs[i], text, sizeof(text) - 1);

        if (n < 0)
            continue;
        text[n] = '\0';
        snprintf(path, sizeof(path), STAGE "%s", system_dirs[i]);
        if (symlink(text, path) != 0)
            return err_sys(reterr, "link `%s`", system_dirs[i]);
    }
    return 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up under the new one and is detached. */
static int pivot(struct err *reterr)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

    if (chdir(STAGE) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
        chdir("/") != 0)
        return err_sys(reterr, "pivot into the new root");
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0u, &attr, sizeof(attr)) != 0)
        return err_sys(reterr, "make the new root read-only");
    return 0;
}

int cell_root_enter(const char *const *mounts, struct err *reterr)
{
    struct root *r = NEW(struct root);
    struct tree proc = {.path = "/proc", .is_dir = true};
    int rc = 0;

    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        rc = err_sys(reterr, "make the mounts private");
    if (rc == 0)
        rc = clone_all(r, mounts, reterr);
    /* In a user namespace the kernel allows a new procfs only where a whole one is visible. */
    proc.fd =
        (int)syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (rc == 0 && mount("root", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0)
        rc = err_sys(reterr, "mount a tmpfs for the new root");
    if (rc == 0)
        rc = fill(reterr);
    if (rc == 0)
        rc = copy_links(reterr);
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        rc = attach(&r->trees[i], reterr);
    if (rc == 0 && proc.fd >= 0)
        rc = attach(&proc, reterr);
    if (rc == 0)
        rc = pivot(reterr);
    for (size_t i = 0; i < r->count; i++)
        closep(&r->trees[i].fd);
    closep(&proc.fd);
    free(r);
    return rc;
}
