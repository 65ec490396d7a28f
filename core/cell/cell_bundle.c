/* cell_bundle.c - reading bundles.  They come from our own side, and are still checked. */
#include "cell_wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int cell_entry_next(struct bytes bundle, size_t *at, struct cell_entry_view *ret)
{
    size_t left = bundle.len - *at;

    if (left == 0)
        return 0;
    if (left < sizeof(ret->head))
        return -EBADMSG;
    memcpy(&ret->head, bundle.ptr + *at, sizeof(ret->head));
    left -= sizeof(ret->head);
    if (ret->head.magic != CELL_ENTRY_MAGIC || ret->head.path_len > CELL_PATH_MAX ||
        ret->head.path_len > left || ret->head.body_len > left - ret->head.path_len)
        return -EBADMSG;
    ret->path = bundle.ptr + *at + sizeof(ret->head);
    ret->body = ret->path + ret->head.path_len;
    *at += sizeof(ret->head) + ret->head.path_len + (size_t)ret->head.body_len;
    return 1;
}

int cell_bundle_map(int fd, struct bytes *ret, struct err *reterr)
{
    const int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    void *p;

    *ret = (struct bytes){0};
    if ((seals < 0 || (seals & wanted) != wanted) && cell_defence("bundle_seals"))
        return err_set(reterr, ERR_INTERNAL, "a bundle is not sealed");
    if (fstat(fd, &st) != 0)
        return err_sys(reterr, "size of a bundle");
    if (st.st_size == 0)
        return 0;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(reterr, "map a bundle");
    *ret = (struct bytes){p, (size_t)st.st_size};
    return 0;
}

void cell_bundle_unmap(struct bytes *b)
{
    if (b->ptr != NULL)
        munmap((void *)(uintptr_t)b->ptr, b->len);
    *b = (struct bytes){0};
}
