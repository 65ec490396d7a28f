/* jail_root.c - what cells show: decided here, written down by jail_plan.c.
 *
 * From the machine's files: the shared libraries, a shell with the usual small tools, C.UTF-8, time zones,
 * stand-ins for /etc, and what the languages name.
 *
 * From the operator's own root file system: its folders, all of them but those that each cell has for itself.
 * It is not ours, so nothing in it is found through a link that leads out of it, and what is no folder where
 * a folder belongs refuses the start. */
#include "jail_plan.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const system_dirs[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

/* What programs expect to be able to call; no package of these brings a privileged file among them. */
static const char *const tools[] = {
    "sh",      "dash",     "bash",      "ls",        "cat",      "cp",       "mv",     "rm",      "mkdir",
    "rmdir",   "ln",       "chmod",     "touch",     "head",     "tail",     "wc",     "sort",    "uniq",
    "cut",     "tr",       "tee",       "paste",     "join",     "comm",     "nl",     "fold",    "fmt",
    "expand",  "unexpand", "seq",       "expr",      "test",     "[",        "true",   "false",   "echo",
    "printf",  "pwd",      "basename",  "dirname",   "readlink", "realpath", "stat",   "date",    "sleep",
    "env",     "printenv", "id",        "whoami",    "uname",    "nproc",    "yes",    "od",      "base64",
    "md5sum",  "sha1sum",  "sha256sum", "sha512sum", "cksum",    "split",    "csplit", "tac",     "shuf",
    "factor",  "dd",       "du",        "timeout",   "nohup",    "nice",     "mktemp", "mkfifo",  "truncate",
    "install", "grep",     "egrep",     "fgrep",     "sed",      "awk",      "gawk",   "mawk",    "find",
    "xargs",   "diff",     "cmp",       "diff3",     "patch",    "tar",      "gzip",   "gunzip",  "zcat",
    "bzip2",   "bunzip2",  "xz",        "unxz",      "bc",       "dc",       "which",  "getconf", "rev",
    "column",  "hexdump",  "hostname",  "xxd",       "file"};

static const char *const etc_files[][2] = {
    {"etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\nrunner:x:1000:1000:runner:/box:/bin/sh\n"},
    {"etc/group", "root:x:0:\nrunner:x:1000:\n"},
    {"etc/hosts", "127.0.0.1 localhost execd\n::1 localhost\n"},
    {"etc/hostname", "execd\n"},
    {"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"}};

/* /bin -> usr/bin and the like, as the root file system has them. */
static int show_system_links(struct jail_plan *p, struct err *reterr)
{
    for (size_t i = 0; i < COUNT_OF(system_dirs); i++) {
        char text[PATH_MAX];
        ssize_t n = readlinkat(p->root, system_dirs[i] + 1, text, sizeof(text) - 1);
        int rc;

        if (n < 0)
            continue;
        text[n] = '\0';
        if (strncmp(text + (text[0] == '/'), "usr/", 4) != 0 || strstr(text, "..") != NULL)
            return err_set(reterr, ERR_CONFIG, "`%s` is a link to `%.100s`, not below /usr", system_dirs[i],
                           text);
        if ((rc = jail_plan_link(p, system_dirs[i], text, reterr)) != 0)
            return rc;
    }
    return 0;
}

/* ---- the machine's files ---------------------------------------------------------------------------- */

struct libraries {
    char *dir, *loader;
};

static int on_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct libraries *l = arg;
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    if (slash == NULL)
        return 0;
    if (l->dir == NULL && strncmp(slash, "/libc.so", strlen("/libc.so")) == 0)
        l->dir = mem_printf("%.*s", (int)(slash - info->dlpi_name), info->dlpi_name);
    if (l->loader == NULL && strncmp(slash, "/ld", strlen("/ld")) == 0)
        l->loader = mem_dup(info->dlpi_name);
    return 0;
}

/* Where this process has its C library from, there the others are; the loader has a name of its own. */
static int show_libraries(struct jail_plan *p, struct err *reterr)
{
    struct libraries l = {0};
    int rc;

    dl_iterate_phdr(on_library, &l);
    if (l.dir == NULL || l.loader == NULL)
        rc = err_set(reterr, ERR_INTERNAL, "cannot tell where the machine's shared libraries are");
    else if ((rc = jail_plan_show(p, l.dir, true, reterr)) == 0)
        rc = jail_plan_show(p, l.loader, true, reterr);
    if (rc == 0) /* some libraries are found through it */
        rc = jail_plan_links(p, "/etc/alternatives", reterr);
    free(l.dir);
    free(l.loader);
    return rc;
}

static int show_tools(struct jail_plan *p, struct err *reterr)
{
    static const char *const dirs[] = {"/usr/bin", "/bin"};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT_OF(tools) * COUNT_OF(dirs); i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/%s", dirs[i % COUNT_OF(dirs)], tools[i / COUNT_OF(dirs)]);
        rc = jail_plan_show(p, path, false, reterr);
    }
    return rc;
}

static int show_machine(struct jail_plan *p, struct err *reterr)
{
    static const char *const trees[] = {"/usr/lib/locale/C.utf8", "/usr/share/zoneinfo"};
    int rc = show_libraries(p, reterr);

    for (size_t i = 0; rc == 0 && i < COUNT_OF(trees); i++)
        rc = jail_plan_show(p, trees[i], false, reterr);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(etc_files); i++)
        rc = jail_plan_put(p, CELL_ENTRY_FILE, 0444, etc_files[i][0], bytes_of(etc_files[i][1]), reterr);
    return rc == 0 ? show_tools(p, reterr) : rc;
}

/* ---- an own root file system ----------------------------------------------------------------------------
 */

static int check_own(const struct jail_plan *p, struct err *reterr)
{
    struct stat st;

    if (fstat(p->root, &st) != 0)
        return err_sys(reterr, "look at it");
    if (jail_scan_others(&st))
        return err_set(
            reterr, ERR_CONFIG,
            "it belongs to uid %u, mode %04o; it must belong to root or to the user that starts execd, and "
            "nobody else may write it",
            (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
    if (fstatat(p->root, "usr", &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_set(reterr, ERR_CONFIG, "it has no /usr; `./dev rootfs DIR` makes one that fits");
    return 0;
}

static bool among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int show_top(struct jail_plan *p, const char *name, struct err *reterr)
{
    /* As folders or not at all: a link there is somebody's wish to have us mount elsewhere. */
    static const char *const folders[] = {"proc", "dev", "tmp", "run", "box", "sys", "etc", "usr"};
    CLEAN_FREE char *path = mem_printf("/%s", name);
    struct stat st;

    if (fstatat(p->root, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_sys(reterr, "look at its `%s`", path);
    if (!S_ISDIR(st.st_mode) && among(name, folders, COUNT_OF(folders)))
        return err_set(reterr, ERR_CONFIG, "its `%s` is no folder", path);
    if (!S_ISDIR(st.st_mode) || (jail_plan_taken(path) && strcmp(name, "etc") != 0))
        return 0;
    return jail_plan_bind(p, p->root, path, path, true, reterr);
}

static int show_own(struct jail_plan *p, struct err *reterr)
{
    int fd = path_open_in(p->root, "/", O_RDONLY | O_DIRECTORY, 0), rc = check_own(p, reterr);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (rc == 0 && d == NULL)
        rc = err_sys(reterr, "read it");
    while (rc == 0 && (e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = show_top(p, e->d_name, reterr);
    if (d != NULL)
        closedir(d);
    return rc;
}

/* ---- all of it
 * ---------------------------------------------------------------------------------------------- */

/* What every cell has beside the devices, which are the jailer's. */
static int show_frame(struct jail_plan *p, struct err *reterr)
{
    static const char *const dirs[] = {"etc", "dev/shm", "proc", "box", "tmp", "run", "usr/bin"};
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT_OF(dirs); i++)
        rc = jail_plan_put(p, CELL_ENTRY_DIR, 0, dirs[i], bytes_of(""), reterr);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(links); i++)
        rc = jail_plan_link(p, links[i][1], links[i][0], reterr);
    return rc == 0 ? show_system_links(p, reterr) : rc;
}

static int show_all(struct jail_plan *p, const struct jail_root *o, struct err *reterr)
{
    int rc = show_frame(p, reterr);

    if (rc == 0)
        rc = p->own ? show_own(p, reterr) : show_machine(p, reterr);
    if (rc != 0)
        return p->own ? err_add(reterr, "worker.rootfs `%.80s`", o->rootfs) : rc;
    for (size_t i = 0; rc == 0 && o->mounts != NULL && o->mounts[i] != NULL; i++)
        rc = jail_plan_mount(p, o->mounts[i], reterr);
    return rc;
}

static int open_roots(struct jail_plan *p, const struct jail_root *o, struct err *reterr)
{
    char real[PATH_MAX];

    if ((p->machine = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_sys(reterr, "open /");
    p->root = p->machine;
    if (o->rootfs == NULL || o->rootfs[0] == '\0')
        return jail_plan_put(p, CELL_ENTRY_ROOT, 0, "", bytes_of("/"), reterr);
    p->own = true;
    if (realpath(o->rootfs, real) == NULL ||
        (p->root = open(real, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        return err_sys(reterr, "worker.rootfs: open `%s` as uid %u, which execd serves as", o->rootfs,
                       (unsigned)geteuid());
    return jail_plan_put(p, CELL_ENTRY_ROOT, 0, "", bytes_of(real), reterr);
}

int jail_root_describe(const struct jail_root *o, int *ret_fd, struct err *reterr)
{
    struct jail_plan *p = NEW(struct jail_plan);
    int rc;

    p->bundle = jail_bundle_new("root");
    p->machine = p->root = -1;
    p->left = JAIL_LOOKED_AT_MAX;
    rc = open_roots(p, o, reterr);
    if (rc == 0)
        rc = show_all(p, o, reterr);
    if (rc == 0)
        rc = jail_bundle_seal(p->bundle, ret_fd, reterr);
    else
        jail_bundle_free(p->bundle);
    if (p->own)
        closep(&p->root);
    closep(&p->machine);
    for (size_t i = 0; i < p->count; i++) {
        free(p->shown[i].path);
        free(p->shown[i].real);
    }
    free(p);
    return rc;
}
