/* cell_cgroup_file.c - the kernel's small files below directory fds. */
#include "cell_cgroup_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define REMOVE_TRIES 200 /* of 1 ms */

int cg_open_dir(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

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
    if (n < 0 || (size_t)n >= sizeof(text))
        return -EINVAL;
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

    for (const char *p = text; p != NULL; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return strtoull(p + len + 1, NULL, 10);
        if (*p == '\0')
            break;
    }
    return 0;
}

bool cg_has_word(const char *text, char separator, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; p != NULL; p = strchr(p, separator)) {
        p += *p == separator;
        if (strncmp(p, word, len) == 0 && (p[len] == separator || p[len] == '\n' || p[len] == '\0'))
            return true;
        if (*p == '\0')
            break;
    }
    return false;
}

bool cg_has_file(int dir, const char *file)
{
    return faccessat(dir, file, F_OK, 0) == 0;
}

size_t cg_each_process(int dir, int signal)
{
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    CLEAN(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];
    size_t count = 0;
    int64_t pid;

    if (f == NULL) {
        closep(&fd);
        return 0;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        count++; /* 0 stands for a process that our pid namespace does not see */
        if (signal != 0 && num_i64(line, 2, INT32_MAX, &pid) == 0 && pid != getpid())
            kill((pid_t)pid, signal);
    }
    return count;
}

/* A cell below a base.  v1 removes late: EBUSY for a moment after the last process is gone. */
static bool remove_cell(int base, const char *name)
{
    CLEAN_FD int cell = cg_open_dir(base, name);

    if (cell >= 0 && cg_has_file(cell, "freezer.state"))
        cg_write(cell, "freezer.state", "THAWED"); /* the frozen do not die */
    if (cell >= 0 && cg_has_file(cell, "cgroup.freeze"))
        cg_write(cell, "cgroup.freeze", "0");
    for (int i = 0; i < REMOVE_TRIES; i++) {
        if (cell >= 0)
            cg_each_process(cell, SIGKILL);
        if (unlinkat(base, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY)
            return false;
        usleep(1000);
    }
    return false;
}

bool cg_remove_tree(int parent, const char *name)
{
    int base = cg_open_dir(parent, name);
    CLEAN_FD int copy = base < 0 ? -1 : cg_open_dir(base, ".");
    DIR *d = base < 0 ? NULL : fdopendir(base);
    const struct dirent *e;

    if (d == NULL) {
        closep(&base);
        return errno == ENOENT;
    }
    while ((e = readdir(d)) != NULL)
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            remove_cell(copy, e->d_name);
    closedir(d);
    return remove_cell(parent, name);
}
