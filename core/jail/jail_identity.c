/* jail_identity.c - whether cells still show the same files.
 *
 * Told by what a file's inode says: whoever changes, replaces or adds a file changes its size, its times or
 * its number.  What the jailer copied cannot change any more and counts with its bytes.  Links are not
 * followed, and what cannot be read here no cell reads either (jail_scan.c). */
#include "jail_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/cell.h"

#define DEPTH_MAX 64

struct look {
    jail_bytes_fn add;
    void *arg;
};

static void add_stat(const struct look *l, const struct stat *st)
{
    const int64_t facts[] = {st->st_mode,         st->st_uid,         st->st_gid,
                             (int64_t)st->st_ino, st->st_size,        st->st_mtim.tv_sec,
                             st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec};

    l->add(l->arg, facts, sizeof(facts));
}

static int look_at(const struct look *l, int dir, const char *name, unsigned depth, struct err *reterr);

/* Takes fd. */
static int look_into(const struct look *l, int fd, unsigned depth, struct err *reterr)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    int rc = 0;

    if (d == NULL) {
        rc = err_sys(reterr, "read a folder that cells show");
        close(fd);
        return rc;
    }
    while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = look_at(l, dirfd(d), e->d_name, depth, reterr);
    if (rc == 0 && errno != 0)
        rc = err_sys(reterr, "read a folder that cells show");
    closedir(d);
    l->add(l->arg, "", 1); /* its end */
    return rc;
}

static int look_at(const struct look *l, int dir, const char *name, unsigned depth, struct err *reterr)
{
    struct stat st;
    int fd;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_sys(reterr, "look at `%.100s`, which cells show", name);
    l->add(l->arg, name, strlen(name) + 1);
    add_stat(l, &st);
    if (!S_ISDIR(st.st_mode))
        return 0;
    if (depth == DEPTH_MAX)
        return err_set(reterr, ERR_CONFIG, "`%.100s` is too deep", name);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES && (st.st_mode & 0005) == 0
                   ? 0
                   : err_sys(reterr, "open `%.100s`, which cells show", name);
    return look_into(l, fd, depth + 1, reterr);
}

/* The source of a TREE: a path without links. */
static int look_at_tree(const struct look *l, const struct cell_entry_view *e, const char *root,
                        struct err *reterr)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%.*s", e->head.mode == 1 || strcmp(root, "/") == 0 ? "" : root,
                     (int)e->head.body_len, e->body);

    return n < 0 || n >= (int)sizeof(path) ? err_set(reterr, ERR_CONFIG, "a path that cells show is too long")
                                           : look_at(l, AT_FDCWD, path, 0, reterr);
}

static int look_at_all(const struct look *l, struct bytes bundle, struct err *reterr)
{
    char root[CELL_PATH_MAX + 1] = "/";
    struct cell_entry_view e;
    size_t at = 0;
    int rc = 0, more;

    while (rc == 0 && (more = cell_entry_next(bundle, &at, &e)) != 0) {
        if (more < 0 || (e.head.kind == CELL_ENTRY_ROOT && e.head.body_len > CELL_PATH_MAX))
            return err_set(reterr, ERR_INTERNAL, "the description of the cells' files is malformed");
        if (e.head.kind == CELL_ENTRY_ROOT)
            snprintf(root, sizeof(root), "%.*s", (int)e.head.body_len, e.body);
        else if (e.head.kind == CELL_ENTRY_TREE)
            rc = look_at_tree(l, &e, root, reterr);
    }
    return rc;
}

int jail_root_identity(int root_fd, jail_bytes_fn add, void *arg, struct err *reterr)
{
    const struct look look = {add, arg};
    struct bytes bundle;
    int rc = cell_bundle_map(root_fd, &bundle, reterr);

    if (rc != 0)
        return rc;
    add(arg, bundle.ptr, bundle.len);
    rc = look_at_all(&look, bundle, reterr);
    cell_bundle_unmap(&bundle);
    return rc;
}
