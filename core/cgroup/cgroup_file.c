/* cgroup_file.c - the kernel's small files below directory fds. */
#include "cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

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
        return -(errno = EINVAL);
    return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

int cg_write_limit(int dir, const char *file, uint64_t value, const char *none, struct err *reterr)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    if (cg_write(dir, file, "%s", value == 0 ? none : text) != 0)
        return err_sys(reterr, "write %s to %s", value == 0 ? none : text, file);
    return 0;
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
    }
    return 0;
}

size_t cg_each_process(int dir, int signal)
{
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    CLEAN(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];
    size_t count = 0;

    if (f == NULL) {
        closep(&fd);
        return 0;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        pid_t pid = (pid_t)strtol(line, NULL, 10); /* 0: one that our pid namespace does not see */

        count++;
        if (signal != 0 && pid > 1 && pid != getpid())
            kill(pid, signal);
    }
    return count;
}
