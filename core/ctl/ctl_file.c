/* ctl_file.c - whole files, bounded. */
#include "ctl_internal.h"

#include <fcntl.h>
#include <unistd.h>

#define CHUNK 65536

int ctl_file_read(const char *path, size_t max, struct buf *ret, struct err *reterr)
{
    CLEAN_FD int own = -1;
    int fd = STDIN_FILENO;
    ssize_t n;

    if (strcmp(path, "-") != 0 && (fd = own = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
        return err_sys(reterr, "%s", path);
    for (;;) {
        if (buf_reserve(ret, CHUNK) != 0)
            return err_set(reterr, -ENOMEM, "%s: no memory", path);
        n = read(fd, ret->data + ret->len, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(reterr, "%s", path);
        ret->len += (size_t)n;
        if (ret->len > max)
            return err_set(reterr, -EFBIG, "%s: more than %zu bytes", path, max);
        if (n == 0)
            break;
    }
    ret->data[ret->len] = '\0';
    return 0;
}
