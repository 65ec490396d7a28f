/* jail_bundle.c - writing sealed memfds; the format is cell.h's, read inside the cell. */
#include "jail_internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

struct jail_bundle {
    int fd;
};

static int write_all(int fd, const void *bytes, size_t len, struct err *reterr)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(reterr, "write a bundle");
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int seal(int fd, struct err *reterr)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return err_sys(reterr, "seal a memfd");
    return 0;
}

struct jail_bundle *jail_bundle_new(const char *name)
{
    struct jail_bundle *b = NEW(struct jail_bundle);

    b->fd =
        memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); /* a failure is reported by the first write */
    return b;
}

int jail_bundle_put(struct jail_bundle *b, uint32_t kind, uint32_t mode, const char *path, struct bytes body,
                    struct err *reterr)
{
    struct cell_entry head = {.magic = CELL_ENTRY_MAGIC,
                              .kind = kind,
                              .mode = mode,
                              .path_len = (uint32_t)strlen(path),
                              .body_len = body.len};
    int rc = write_all(b->fd, &head, sizeof(head), reterr);

    if (rc == 0)
        rc = write_all(b->fd, path, head.path_len, reterr);
    return rc == 0 ? write_all(b->fd, body.ptr, body.len, reterr) : rc;
}

/* Relative, without empty, "." or ".." components, each of at most 255 bytes. */
static bool path_fits(const char *path)
{
    if (path[0] == '\0' || strlen(path) > CELL_PATH_MAX)
        return false;
    for (const char *p = path; p != NULL; p = strchr(p, '/')) {
        size_t n;

        p += *p == '/' && p != path;
        n = strcspn(p, "/");
        if (n == 0 || n > 255 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        if (p[n] == '\0')
            break;
    }
    return true;
}

int jail_bundle_file(struct jail_bundle *b, const char *path, struct bytes body, uint32_t mode,
                     struct err *reterr)
{
    if (!path_fits(path))
        return err_set(reterr, ERR_REQUEST, "`%.80s` is no path for a file of the box", path);
    return jail_bundle_put(b, CELL_ENTRY_FILE, mode, path, body, reterr);
}

int jail_bundle_word(struct jail_bundle *b, uint32_t kind, const char *word, struct err *reterr)
{
    return jail_bundle_put(b, kind, 0, "", bytes_of(word), reterr);
}

int jail_bundle_seal(struct jail_bundle *b, int *ret_fd, struct err *reterr)
{
    int rc = b->fd < 0 ? err_set(reterr, ERR_AGAIN, "no memfd for a bundle") : seal(b->fd, reterr);

    if (rc == 0)
        *ret_fd = steal_fd(&b->fd);
    jail_bundle_free(b);
    return rc;
}

void jail_bundle_free(struct jail_bundle *b)
{
    if (b == NULL)
        return;
    closep(&b->fd);
    free(b);
}

int jail_memfd(const char *name, struct bytes body, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int rc;

    if (fd < 0)
        return err_sys(reterr, "memfd");
    if ((rc = write_all(fd, body.ptr, body.len, reterr)) != 0 || (rc = seal(fd, reterr)) != 0)
        return rc;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_sys(reterr, "rewind a memfd");
    *ret_fd = steal_fd(&fd);
    return 0;
}
