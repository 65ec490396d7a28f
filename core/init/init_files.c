/* init_files.c - files into and out of the box, from inside the cell only.
 *
 * Every path is resolved by openat2(2) beneath the box's own descriptor, without links and without
 * crossing mounts, so that what a program left there leads nowhere. */
#include "init.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 16
#define ENTRIES_MAX 65536

static int open_beneath(int dir, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags | O_CLOEXEC | O_NOFOLLOW,
                           .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                                      RESOLVE_NO_XDEV};

    if (!cell_defence("resolve")) {
        how.flags &= ~(uint64_t)O_NOFOLLOW;
        how.resolve = 0;
    }

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* ---- in ------------------------------------------------------------------------------ */

/* Opens the directory that `path` is in, making what is missing; *ret_name is the last component. */
static int open_parent(int box, char *path, const char **ret_name)
{
    int dir = dup(box);
    char *slash;

    while (dir >= 0 && (slash = strchr(path, '/')) != NULL) {
        int next;

        *slash = '\0';
        if (mkdirat(dir, path, 0755) != 0 && errno != EEXIST) {
            closep(&dir);
            return -1;
        }
        next = open_beneath(dir, path, O_RDONLY | O_DIRECTORY, 0);
        closep(&dir);
        dir = next;
        path = slash + 1;
    }
    *ret_name = path;
    return dir;
}

static int write_all(int fd, const char *bytes, uint64_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, MIN(len, (uint64_t)1 << 30));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (uint64_t)n;
    }
    return 0;
}

static int unpack_one(int box, const struct cell_entry_view *e, struct err *reterr)
{
    char path[CELL_PATH_MAX + 1];
    const char *name;
    CLEAN_FD int dir = -1;
    CLEAN_FD int fd = -1;

    memcpy(path, e->path, e->head.path_len);
    path[e->head.path_len] = '\0';
    dir = open_parent(box, path, &name);
    if (dir < 0)
        return err_sys(reterr, "make the directories of a file of the box");
    if (e->head.kind == CELL_ENTRY_DIR)
        return mkdirat(dir, name, 0755) == 0 || errno == EEXIST
                   ? 0
                   : err_sys(reterr, "make a directory of the box");
    fd = open_beneath(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write_all(fd, e->body, e->head.body_len) != 0 || fchmod(fd, e->head.mode & 0777) != 0)
        return err_sys(reterr, "write `%s` into the box", name);
    return 0;
}

int init_unpack(int box, int bundle_fd, struct err *reterr)
{
    struct cell_entry_view e;
    struct bytes bundle;
    size_t at = 0;
    int rc = cell_bundle_map(bundle_fd, &bundle, reterr), more;

    if (rc != 0)
        return rc;
    while (rc == 0 && (more = cell_entry_next(bundle, &at, &e)) != 0)
        rc = more < 0 ? err_set(reterr, ERR_INTERNAL, "a bundle of files is malformed")
                      : unpack_one(box, &e, reterr);
    cell_bundle_unmap(&bundle);
    return rc;
}

/* ---- out ------------------------------------------------------------------------------ */

struct keeper {
    int out;
    uint64_t left;
    unsigned entries;
};

static int put_header(struct keeper *k, uint32_t kind, uint32_t mode, const char *path, uint64_t len,
                      struct err *reterr)
{
    struct cell_entry head = {.magic = CELL_ENTRY_MAGIC,
                              .kind = kind,
                              .mode = mode,
                              .path_len = (uint32_t)strlen(path),
                              .body_len = len};

    if (++k->entries > ENTRIES_MAX && cell_defence("keep_entries"))
        return err_set(reterr, ERR_REQUEST, "more than %d files were made", ENTRIES_MAX);
    if (write_all(k->out, (const char *)&head, sizeof(head)) != 0 ||
        write_all(k->out, path, head.path_len) != 0)
        return err_sys(reterr, "keep `%s`", path);
    return 0;
}

static int keep_file(struct keeper *k, int fd, const char *path, const struct stat *st, struct err *reterr)
{
    uint64_t len = (uint64_t)st->st_size;
    int rc;

    if (len > k->left && cell_defence("keep_bytes"))
        return err_set(reterr, ERR_REQUEST, "`%s` and what was made with it are too large to keep", path);
    k->left -= len;
    if ((rc = put_header(k, CELL_ENTRY_FILE, st->st_mode & 0777, path, len, reterr)) != 0)
        return rc;
    while (len > 0) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, (size_t)MIN(len, (uint64_t)sizeof(chunk)));

        if (n <= 0 || write_all(k->out, chunk, (uint64_t)n) != 0)
            return err_sys(reterr, "keep `%s`", path);
        len -= (uint64_t)n;
    }
    return 0;
}

static int keep_path(struct keeper *k, int box, const char *path, unsigned depth, struct err *reterr);

static int keep_dir(struct keeper *k, int box, int *fd, const char *path, unsigned depth, struct err *reterr)
{
    int rc = put_header(k, CELL_ENTRY_DIR, 0755, path, 0, reterr);
    DIR *d = depth > DEPTH_MAX ? NULL : fdopendir(*fd);
    struct dirent *e;

    if (rc == 0 && d == NULL)
        rc = err_set(reterr, ERR_REQUEST, "`%s` is too deep to keep", path);
    if (d != NULL)
        *fd = -1; /* the stream's */
    while (rc == 0 && (e = readdir(d)) != NULL) {
        char below[CELL_PATH_MAX + 1];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= (int)sizeof(below))
            rc = err_set(reterr, ERR_REQUEST, "a path in `%s` is too long to keep", path);
        else
            rc = keep_path(k, box, below, depth + 1, reterr);
    }
    if (d != NULL)
        closedir(d);
    return rc;
}

static int keep_path(struct keeper *k, int box, const char *path, unsigned depth, struct err *reterr)
{
    CLEAN_FD int fd = open_beneath(box, path, O_RDONLY | O_NONBLOCK, 0);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(reterr, ERR_REQUEST, "`%s` was not made (%s)", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return keep_dir(k, box, &fd, path, depth, reterr);
    if (!S_ISREG(st.st_mode) && cell_defence("keep_regular"))
        return err_set(reterr, ERR_REQUEST, "`%s` is no regular file", path);
    return keep_file(k, fd, path, &st, reterr);
}

int init_keep(int box, char *const *paths, uint64_t max_bytes, int *ret_fd, struct err *reterr)
{
    struct keeper k = {.left = max_bytes};
    int rc = 0;

    k.out = memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (k.out < 0)
        return err_sys(reterr, "make a bundle of kept files");
    for (size_t i = 0; rc == 0 && paths[i] != NULL; i++)
        rc = keep_path(&k, box, paths[i], 0, reterr);
    if (rc == 0 && cell_defence("keep_seal") &&
        fcntl(k.out, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        rc = err_sys(reterr, "seal the kept files");
    if (rc != 0) {
        closep(&k.out);
        return rc;
    }
    *ret_fd = k.out;
    return 0;
}
