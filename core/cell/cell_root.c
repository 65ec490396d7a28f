/* cell_root.c - the small read-only root that every cell copies, put together as the worker describes it.
 *
 * The description is a bundle (cell.h).  FILE, DIR and LINK entries are written into a tmpfs; TREE entries
 * are folders or files of the machine, or of the operator's own root file system, that are bound over a DIR
 * or FILE of the same path; COVER names a file below a tree that is hidden behind an empty one without
 * permissions. What is to be shown and hidden is the worker's to find out: that takes no privilege.
 *
 * The sources are cloned as detached trees first (open_tree(2)), so that the tmpfs that becomes the
 * root may hide any path of the machine; then each tree is attached, and the old root goes.  Sources
 * are not found through links: who changes a file system while we start makes us fail, and leads us nowhere.
 * What is made in the tmpfs has the places that the worker describes, below no link of its own. */
#include "cell_internal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define STAGE "/tmp" /* where the new root is put together; in our own namespace only */
#define STAGE_OPTIONS "mode=0755,size=512m"
#define COVER ".cover"

struct tree {
    char path[CELL_PATH_MAX + 1];
    int fd;
};

struct root {
    struct bytes description;
    int machine, own; /* folders that sources lie in */
    int stage;
    struct tree trees[CELL_TREES_MAX];
    size_t count;
};

static const struct {
    const char *path;
    unsigned minor; /* of major 1 */
} devices[] = {{"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}};

/* ---- sources -------------------------------------------------------------------------- */

static int clone_mount(int fd, uint64_t attributes)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | attributes};
    int tree = (int)syscall(SYS_open_tree, fd, "",
                            AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

    if (tree >= 0 &&
        syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) != 0)
        closep(&tree);
    return tree;
}

/* As who has `dir` for its root, and through no link. */
static int open_plain(int dir, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .mode = mode,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int add_tree(struct root *r, int from, const char *source, const char *path, uint64_t attributes,
                    struct err *reterr)
{
    CLEAN_FD int fd = open_plain(from, source, O_PATH, 0);
    struct tree *t = &r->trees[r->count];

    if (r->count == CELL_TREES_MAX)
        return err_set(reterr, ERR_CONFIG, "more than %d paths to show in cells", CELL_TREES_MAX);
    if (fd < 0 || (t->fd = clone_mount(fd, MOUNT_ATTR_RDONLY | attributes)) < 0)
        return err_sys(reterr, "clone the mounts of `%s`", source);
    snprintf(t->path, sizeof(t->path), "%s", path);
    r->count++;
    return 0;
}

static int add_devices(struct root *r, struct err *reterr)
{
    for (size_t i = 0; i < COUNT_OF(devices); i++) {
        struct stat st;
        int rc = add_tree(r, r->machine, devices[i].path, devices[i].path + 1, 0, reterr);

        if (rc != 0)
            return rc;
        if (fstat(r->trees[r->count - 1].fd, &st) != 0 || !S_ISCHR(st.st_mode) ||
            st.st_rdev != makedev(1, devices[i].minor))
            return err_set(reterr, ERR_CONFIG, "`%s` is not the device of that name", devices[i].path);
    }
    return 0;
}

static int text_of(const char *bytes, uint64_t len, char out[CELL_PATH_MAX + 1])
{
    if (len > CELL_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(out, bytes, (size_t)len);
    out[len] = '\0';
    return 0;
}

/* An entry of the description before anything is mounted: where sources are, and what they are. */
static int take_source(struct root *r, const struct cell_entry_view *e, char *path, struct err *reterr)
{
    char body[CELL_PATH_MAX + 1];

    if (text_of(e->body, e->head.body_len, body) != 0)
        return err_set(reterr, ERR_INTERNAL, "a path to show is too long");
    if (e->head.kind == CELL_ENTRY_TREE)
        return add_tree(r, e->head.mode != 0 ? r->machine : r->own, body, path, MOUNT_ATTR_NODEV, reterr);
    closep(&r->own);
    r->own = open_plain(r->machine, body, O_PATH | O_DIRECTORY, 0);
    return r->own >= 0 ? 0 : err_sys(reterr, "open the root file system `%s`", body);
}

/* ---- the new root ------------------------------------------------------------------- */

static int move_to(const struct root *r, int tree, const char *path, struct err *reterr)
{
    CLEAN_FD int target = open_plain(r->stage, path, O_PATH, 0);

    if (target < 0 ||
        syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return err_sys(reterr, "show `/%s`", path);
    return 0;
}

/* The folder that `path` lies in, made where it is missing, and the last part of the path.  Each part is
 * opened below the one before: no link that is already there leads the rest of the way elsewhere. */
static int open_parent(const struct root *r, char *path, const char **ret_name)
{
    int dir = open_plain(r->stage, ".", O_PATH | O_DIRECTORY, 0);
    char *part = path;

    for (char *slash; dir >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        CLEAN_FD int above = dir;

        *slash = '\0';
        dir = mkdirat(above, part, 0755) == 0 || errno == EEXIST
                  ? open_plain(above, part, O_PATH | O_DIRECTORY, 0)
                  : -1;
        *slash = '/';
    }
    *ret_name = part;
    return dir;
}

static int write_file(int dir, const char *path, uint32_t mode, const char *body, uint64_t left)
{
    CLEAN_FD int fd = open_plain(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    while (fd >= 0 && left > 0) {
        ssize_t n = write(fd, body, (size_t)MIN(left, UINT64_C(1) << 30));

        if (n <= 0)
            return -1;
        body += n;
        left -= (uint64_t)n;
    }
    return fd >= 0 ? fchmod(fd, mode & 0555) : -1;
}

static int make_link(int dir, const char *name, const struct cell_entry_view *e)
{
    char target[CELL_PATH_MAX + 1];

    return text_of(e->body, e->head.body_len, target) == 0 ? symlinkat(target, dir, name) : -1;
}

static int write_entry(struct root *r, const struct cell_entry_view *e, char *path, struct err *reterr)
{
    const char *name = NULL;
    CLEAN_FD int dir = -1;
    int rc = 0;

    if ((dir = open_parent(r, path, &name)) < 0)
        rc = -1;
    else if (e->head.kind == CELL_ENTRY_FILE)
        rc = write_file(dir, name, e->head.mode, e->body, e->head.body_len);
    else if (e->head.kind == CELL_ENTRY_LINK)
        rc = make_link(dir, name, e);
    else if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
        rc = -1;
    return rc == 0 ? 0 : err_sys(reterr, "make `/%s` of the root", path);
}

static int cover(struct root *r, const struct cell_entry_view *e, char *path, struct err *reterr)
{
    CLEAN_FD int file = -1;
    CLEAN_FD int tree = -1;

    (void)e;
    if ((file = open_plain(r->stage, COVER, O_PATH, 0)) < 0 ||
        (tree = clone_mount(file, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)) < 0)
        return err_sys(reterr, "make a cover");
    return move_to(r, tree, path, reterr);
}

typedef int (*entry_fn)(struct root *r, const struct cell_entry_view *e, char *path, struct err *reterr);
#define KIND(name) (UINT64_C(1) << CELL_ENTRY_##name)

/* Those of `kinds`, in their order. */
static int each_entry(struct root *r, uint64_t kinds, entry_fn fn, struct err *reterr)
{
    char path[CELL_PATH_MAX + 1];
    struct cell_entry_view e;
    size_t at = 0;
    int rc = 0, more;

    while (rc == 0 && (more = cell_entry_next(r->description, &at, &e)) != 0)
        if (more < 0 || text_of(e.path, e.head.path_len, path) != 0)
            rc = err_set(reterr, ERR_INTERNAL, "the description of the root is malformed");
        else if (e.head.kind <= CELL_ENTRY_COVER && (kinds >> e.head.kind & 1) != 0)
            rc = fn(r, &e, path, reterr);
    return rc;
}

static int open_stage(struct root *r, struct err *reterr)
{
    int rc = 0;

    if (mount("root", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, STAGE_OPTIONS) != 0 ||
        (r->stage = open(STAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_sys(reterr, "mount a tmpfs for the new root");
    if (mkdirat(r->stage, "dev", 0755) != 0)
        return err_sys(reterr, "make /dev");
    for (size_t i = 0; rc == 0 && i < COUNT_OF(devices); i++)
        rc = write_file(r->stage, devices[i].path + 1, 0444, "", 0);
    return rc == 0 && write_file(r->stage, COVER, 0, "", 0) == 0
               ? 0
               : err_sys(reterr, "make the first files of the root");
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up under the new one and is detached. */
static int pivot(const struct root *r, struct err *reterr)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

    if (unlinkat(r->stage, COVER, 0) != 0 || fchdir(r->stage) != 0 ||
        syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return err_sys(reterr, "pivot into the new root");
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0u, &attr, sizeof(attr)) != 0)
        return err_sys(reterr, "make the new root read-only");
    return 0;
}

/* In a user namespace the kernel allows a new procfs only where a whole one, which is not read-only, is
 * visible: so ours lies beneath those of the cells there, covered for good.  We map the ids of zygotes by it.
 */
static int clone_proc(int machine)
{
    CLEAN_FD int proc = open_plain(machine, "proc", O_PATH | O_DIRECTORY, 0);

    return proc < 0 ? -1 : clone_mount(proc, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int build(struct root *r, struct err *reterr)
{
    CLEAN_FD int proc = -1;
    int rc;

    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return err_sys(reterr, "make the mounts private");
    if ((r->machine = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_sys(reterr, "open /");
    if ((rc = add_devices(r, reterr)) != 0 ||
        (rc = each_entry(r, KIND(ROOT) | KIND(TREE), take_source, reterr)) != 0)
        return rc;
    if ((proc = clone_proc(r->machine)) < 0)
        return err_sys(reterr, "clone the mounts of /proc");
    if ((rc = open_stage(r, reterr)) != 0 ||
        (rc = each_entry(r, KIND(FILE) | KIND(DIR) | KIND(LINK), write_entry, reterr)) != 0)
        return rc;
    for (size_t i = 0; i < r->count; i++)
        if ((rc = move_to(r, r->trees[i].fd, r->trees[i].path, reterr)) != 0)
            return rc;
    if ((rc = each_entry(r, KIND(COVER), cover, reterr)) != 0 || (rc = move_to(r, proc, "proc", reterr)) != 0)
        return rc;
    return pivot(r, reterr);
}

int cell_root_enter(struct bytes description, struct err *reterr)
{
    struct root *r = NEW(struct root);
    mode_t mask = umask(022);
    int rc;

    r->description = description;
    r->machine = r->own = r->stage = -1;
    rc = build(r, reterr);
    for (size_t i = 0; i < r->count; i++)
        closep(&r->trees[i].fd);
    closep(&r->machine);
    closep(&r->own);
    closep(&r->stage);
    free(r);
    umask(mask);
    return rc;
}
