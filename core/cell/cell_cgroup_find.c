/* cell_cgroup_find.c - where our own cgroup is, and small file access below directory fds. */
#include "cell_cgroup_internal.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

int cg_write(int dir, const char *file, const char *fmt, ...)
{
    char text[64];
    CLEAN_FD int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
    va_list ap;
    int n;

    if (fd < 0)
        return -errno;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

int cg_read(int dir, const char *file, char *text, size_t size)
{
    CLEAN_FD int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    text[0] = '\0';
    if (fd < 0)
        return -errno;
    n = read(fd, text, size - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    return 0;
}

uint64_t cg_read_u64(int dir, const char *file)
{
    char text[64];

    return cg_read(dir, file, text, sizeof(text)) == 0 ? strtoull(text, NULL, 10) : 0;
}

uint64_t cg_keyed(const char *text, const char *key)
{
    size_t len = strlen(key);

    for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return strtoull(p + len + 1, NULL, 10);
    }
    return 0;
}

size_t cg_kill_listed(int dir)
{
    CLEAN_FD int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    size_t count = 0;
    int pid;

    if (f == NULL)
        return 0;
    fd = -1; /* the stream's */
    while (fscanf(f, "%d", &pid) == 1) {
        count++;
        if (pid > 1)
            kill(pid, SIGKILL);
    }
    fclose(f);
    return count;
}

/* Is `word` one of the comma-separated `list`? */
static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p != NULL; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, len) == 0 && (p[len] == ',' || p[len] == '\0'))
            return true;
    }
    return false;
}

/* Our path within a hierarchy, from /proc/self/cgroup ("4:memory:/a/b", v2 "0::/a/b"). */
static bool own_path(const char *controller, char *ret, size_t size)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX + 256];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');

        if (path == NULL)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        found = controller == NULL ? strcmp(line, "0:") == 0 || (line[0] == '0' && controllers[1] == '\0')
                                   : listed(controllers + 1, controller);
        if (found)
            snprintf(ret, size, "%s", path);
    }
    return found;
}

/* The mount of a hierarchy, from /proc/self/mountinfo (proc(5)): its mount point and its root within the hierarchy. */
static bool find_mount(const char *controller, char *point, char *root, size_t size)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/self/mountinfo", "re");
    char line[2 * PATH_MAX + 512];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        char mount_root[PATH_MAX], mount_point[PATH_MAX], type[32], options[512];
        char *rest = strstr(line, " - ");

        if (rest == NULL || sscanf(line, "%*d %*d %*s %4095s %4095s", mount_root, mount_point) != 2 ||
            sscanf(rest, " - %31s %*s %511s", type, options) != 2)
            continue;
        found = controller == NULL ? strcmp(type, "cgroup2") == 0
                                   : strcmp(type, "cgroup") == 0 && listed(options, controller);
        if (found) {
            snprintf(point, size, "%s", mount_point);
            snprintf(root, size, "%s", mount_root);
        }
    }
    return found;
}

int cg_find(const char *controller, int *ret_own, int *ret_top, char *path, size_t size)
{
    char point[PATH_MAX], root[PATH_MAX], own[PATH_MAX], full[2 * PATH_MAX];
    const char *below;
    size_t root_len;

    if (!find_mount(controller, point, root, sizeof(point)) || !own_path(controller, own, sizeof(own)))
        return -ENOENT;
    root_len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    /* A container sees the mount of a part: our path begins with that part's. */
    below = strncmp(own, root, root_len) == 0 && (own[root_len] == '/' || own[root_len] == '\0') ? own + root_len : "";
    snprintf(full, sizeof(full), "%s%s", point, below);
    *ret_top = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *ret_own = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_own < 0 || *ret_top < 0) {
        int rc = -errno;

        closep(ret_own);
        closep(ret_top);
        return rc;
    }
    snprintf(path, size, "%.*s", (int)size - 1, full);
    return 0;
}
