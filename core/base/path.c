/* path.c - paths as they are seen by who has a folder as its root. */
#include "base.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int path_open_in(int root, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

    return fd >= 0 ? fd : -errno;
}

/* Where a descriptor is, in this process's own view of the machine. */
static int fd_path(int fd, char out[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, out, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    out[n] = '\0';
    return out[0] == '/' ? 0 : -ENOENT;
}

int path_real_in(int root, const char *path, char *out, size_t size)
{
    char at[PATH_MAX], above[PATH_MAX];
    CLEAN_FD int fd = path_open_in(root, path, O_PATH, 0);
    size_t n;
    int rc;

    if (fd < 0)
        return fd;
    if ((rc = fd_path(fd, at)) != 0 || (rc = fd_path(root, above)) != 0)
        return rc;
    n = strcmp(above, "/") == 0 ? 0 : strlen(above);
    if (strncmp(at, above, n) != 0 || (at[n] != '/' && at[n] != '\0'))
        return -EXDEV; /* it was moved away just now */
    if ((size_t)snprintf(out, size, "%s", at[n] == '\0' ? "/" : at + n) >= size)
        return -ENAMETOOLONG;
    return 0;
}
