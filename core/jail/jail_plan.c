/* jail_plan.c - one thing after another that cells are to show, written down for the jailer (cell.h has the
 * entries).
 *
 * A path is what it is below the root file system, links taken as a cell takes them, and keeps its name: what
 * leads to something that is shown becomes a link.  Small files become copies in the root's tmpfs: a mount
 * each would cost every cell, and a copy has neither set-user-id bits nor capabilities.  Folders and large
 * files are bound, and what no cell should have in them is covered. */
#include "jail_plan.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MAX (4u << 20) /* a file above is bound, not copied */

/* ---- what is shown already -------------------------------------------------------------- */

static bool within(const char *path, const char *top)
{
    size_t n = strlen(top);

    return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_shown(const struct jail_plan *p, const char *path)
{
    for (size_t i = 0; i < p->count; i++)
        if (within(path, p->shown[i].path))
            return true;
    return false;
}

static int note(struct jail_plan *p, const char *path, const char *real, struct err *reterr)
{
    if (p->count == JAIL_SHOWN_MAX)
        return err_set(reterr, ERR_CONFIG, "more than %d paths to show in cells", JAIL_SHOWN_MAX);
    p->shown[p->count].path = mem_dup(path);
    p->shown[p->count++].real = mem_dup(real);
    return 0;
}

/* Places that each cell has for itself, or that we fill: nothing else can be shown there. */
bool jail_plan_taken(const char *path)
{
    static const char *const ours[] = {"/tmp", "/box", "/run", "/dev", "/proc", "/sys"};

    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (within(path, ours[i]))
            return true;
    return strcmp(path, "/") == 0 || strcmp(path, "/etc") == 0;
}

/* ---- entries -------------------------------------------------------------------------------- */

int jail_plan_put(struct jail_plan *p, uint32_t kind, uint32_t mode, const char *path, struct bytes body,
                  struct err *reterr)
{
    if (strlen(path) > CELL_PATH_MAX || (kind != CELL_ENTRY_FILE && body.len > CELL_PATH_MAX))
        return err_set(reterr, ERR_CONFIG, "`%.80s...` is too long to be shown in cells", path);
    return jail_bundle_put(p->bundle, kind, mode, path + (path[0] == '/'), body, reterr);
}

int jail_plan_link(struct jail_plan *p, const char *path, const char *text, struct err *reterr)
{
    return jail_plan_put(p, CELL_ENTRY_LINK, 0, path, bytes_of(text), reterr);
}

struct below {
    struct jail_plan *plan;
    const char *path;
};

static int on_found(void *arg, const char *rest, struct err *reterr)
{
    struct below *b = arg;
    CLEAN_FREE char *path = mem_printf("%s%s", b->path, rest);

    if (b->plan->covers++ == CELL_COVERS_MAX)
        return err_set(reterr, ERR_CONFIG,
                       "`%s` has more than %d set-user-id files, sockets, pipes or devices; remove them",
                       b->path, CELL_COVERS_MAX);
    return jail_plan_put(b->plan, CELL_ENTRY_COVER, 0, path, bytes_of(""), reterr);
}

/* The machine's own files are its administrator's to guard, who is who they guard against. */
static bool guarded(const struct jail_plan *p, int from)
{
    return p->own && from == p->root;
}

/* The folder or file `real` of `from`, bound to `path`. */
int jail_plan_bind(struct jail_plan *p, int from, const char *real, const char *path, bool is_dir,
                   struct err *reterr)
{
    struct below b = {p, path};
    const struct jail_scan scan = {on_found, &b, guarded(p, from), &p->left};
    int rc;

    if (p->trees++ == CELL_TREES_MAX / 2)
        return err_set(reterr, ERR_CONFIG, "the languages ask for more than %d paths", CELL_TREES_MAX / 2);
    if ((rc = jail_plan_put(p, is_dir ? CELL_ENTRY_DIR : CELL_ENTRY_FILE, 0444, path, bytes_of(""),
                            reterr)) != 0 ||
        (rc = jail_plan_put(p, CELL_ENTRY_TREE, from == p->machine, path, bytes_of(real), reterr)) != 0 ||
        (rc = is_dir ? jail_scan(&scan, from, real, reterr) : 0) != 0)
        return rc;
    return note(p, path, NULL, reterr);
}

/* One that others may not read is nothing for cells, even where we can read it. */
static int copy_file(struct jail_plan *p, int fd, const struct stat *st, const char *real, const char *path,
                     struct err *reterr)
{
    size_t size = (size_t)st->st_size;
    void *body = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    int rc;

    if (body == MAP_FAILED)
        return err_sys(reterr, "read `%s`", path);
    rc = jail_plan_put(p, CELL_ENTRY_FILE, (st->st_mode & 0111) != 0 ? 0555 : 0444, path,
                       (struct bytes){body, size}, reterr);
    if (size > 0)
        munmap(body, size);
    return rc == 0 ? note(p, path, real, reterr) : rc;
}

static int show_file(struct jail_plan *p, int from, const char *real, const char *path, struct err *reterr)
{
    CLEAN_FD int fd = path_open_in(from, real, O_RDONLY | O_NONBLOCK, RESOLVE_NO_SYMLINKS);
    struct stat st;

    errno = fd < 0 ? -fd : 0;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "read `%s`", real);
    if (!S_ISREG(st.st_mode))
        return err_set(reterr, ERR_CONFIG, "`%s` is not the file any more that it was", real);
    if (guarded(p, from) && jail_scan_others(&st))
        return jail_scan_refuse(real, "", &st, reterr);
    if ((st.st_mode & 0004) == 0)
        return err_set(reterr, ERR_CONFIG, "`%s` may not be read by everybody, so cells cannot show it",
                       real);
    if (st.st_size > COPY_MAX && !jail_scan_privileged(from, real + 1, st.st_mode))
        return jail_plan_bind(p, from, real, path, false, reterr);
    return copy_file(p, fd, &st, real, path, reterr);
}

static int show_real(struct jail_plan *p, int from, const char *real, const char *path, struct err *reterr)
{
    CLEAN_FD int fd = path_open_in(from, real, O_PATH, RESOLVE_NO_SYMLINKS);
    struct stat st;

    errno = fd < 0 ? -fd : 0;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "look at `%s`", real);
    if (S_ISDIR(st.st_mode))
        return jail_plan_bind(p, from, real, path, true, reterr);
    if (S_ISREG(st.st_mode))
        return show_file(p, from, real, path, reterr);
    return err_set(reterr, ERR_CONFIG, "`%s` is neither a file nor a folder", real);
}

/* ---- what languages name ----------------------------------------------------------------------- */

/* `path` with the links of its folder resolved, its own name kept: where it is found in a cell too. */
static int place_of(const struct jail_plan *p, const char *path, char out[PATH_MAX])
{
    CLEAN_FREE char *dir = mem_dup(path);
    char *slash = strrchr(dir, '/');
    size_t n;
    int rc;

    *slash = '\0';
    if ((rc = path_real_in(p->root, slash == dir ? "/" : dir, out, PATH_MAX)) != 0)
        return rc;
    n = strcmp(out, "/") == 0 ? 0 : strlen(out);
    return (size_t)snprintf(out + n, PATH_MAX - n, "/%s", slash + 1) < PATH_MAX - n ? 0 : -ENAMETOOLONG;
}

static int fault(bool must, const char *path, int rc, struct err *reterr)
{
    if (!must && (rc == -ENOENT || rc == -ENOTDIR))
        return 0;
    return err_set(reterr, ERR_CONFIG, "a language needs `%s`: %s", path, strerror(-rc));
}

static int refuse_taken(const char *path, struct err *reterr)
{
    return err_set(reterr, ERR_CONFIG,
                   "a language needs `%s`, and that place in a cell is the cell's own; install it elsewhere",
                   path);
}

/* Where cells find what `real` is, if they do and it is elsewhere: itself, or its copy under another name. */
static const char *shown_of(const struct jail_plan *p, const char *real, const char *place)
{
    if (strcmp(place, real) != 0 && is_shown(p, real))
        return real;
    for (size_t i = 0; i < p->count; i++)
        if (p->shown[i].real != NULL && strcmp(p->shown[i].real, real) == 0)
            return p->shown[i].path;
    return NULL;
}

int jail_plan_show(struct jail_plan *p, const char *path, bool must, struct err *reterr)
{
    char real[PATH_MAX], place[PATH_MAX];
    const char *there;
    int rc = path_real_in(p->root, path, real, sizeof(real));

    if (rc == 0)
        rc = place_of(p, path, place);
    if (rc != 0)
        return fault(must, path, rc, reterr);
    if (jail_plan_taken(place))
        return refuse_taken(path, reterr);
    if (!is_shown(p, place) && (there = shown_of(p, real, place)) != NULL) /* a link there too */
        return (rc = jail_plan_link(p, place, there, reterr)) != 0 ? rc : note(p, place, NULL, reterr);
    if (!is_shown(p, place))
        return show_real(p, p->root, real, place, reterr);
    if (is_shown(p, real)) /* a link in a folder that is shown may lead elsewhere */
        return 0;
    return jail_plan_taken(real) ? refuse_taken(real, reterr) : show_real(p, p->root, real, real, reterr);
}

/* From any place of the machine, whatever the root file system is. */
static int show_as(struct jail_plan *p, const char *from, const char *path, bool must, struct err *reterr)
{
    char real[PATH_MAX];
    int rc = path_real_in(p->machine, from, real, sizeof(real));

    if (rc != 0)
        return fault(must, from, rc, reterr);
    if (jail_plan_taken(path))
        return refuse_taken(path, reterr);
    if (is_shown(p, path))
        return err_set(reterr, ERR_CONFIG, "mount `%s` as `%s`: cells show something else there", from, path);
    return show_real(p, p->machine, real, path, reterr);
}

/* "[!]PATH" or "[!]FROM:PATH" */
int jail_plan_mount(struct jail_plan *p, const char *text, struct err *reterr)
{
    bool must = text[0] == '!';
    CLEAN_FREE char *from = mem_dup(text + must);
    char *colon = strstr(from, ":/");

    if (colon != NULL)
        *colon = '\0';
    if (from[0] != '/' || strstr(text, "/../") != NULL)
        return err_set(reterr, ERR_CONFIG, "mount `%s`: an absolute path without `..` is needed", text);
    return colon == NULL ? jail_plan_show(p, from, must, reterr) : show_as(p, from, colon + 1, must, reterr);
}

/* ---- links ------------------------------------------------------------------------------------ */

/* The links in a folder that is not shown, as far as they lead to what is. */
int jail_plan_links(struct jail_plan *p, const char *dir, struct err *reterr)
{
    char place[PATH_MAX], real[PATH_MAX];
    struct dirent *e;
    DIR *d;
    int fd, rc = 0;

    if (path_real_in(p->root, dir, place, sizeof(place)) != 0 || is_shown(p, place))
        return 0;
    fd = path_open_in(p->root, place, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    if (fd < 0 || (d = fdopendir(fd)) == NULL)
        return err_set(reterr, ERR_CONFIG, "read the folder `%s`: %s", dir, strerror(fd < 0 ? -fd : errno));
    while (rc == 0 && (e = readdir(d)) != NULL) {
        CLEAN_FREE char *path = mem_printf("%s/%s", place, e->d_name);

        if (path_real_in(p->root, path, real, sizeof(real)) == 0 && is_shown(p, real) && !is_shown(p, path) &&
            (rc = jail_plan_link(p, path, real, reterr)) == 0)
            rc = note(p, path, NULL, reterr);
    }
    closedir(d);
    return rc;
}
