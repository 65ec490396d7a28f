/* cell_message.c - one datagram with descriptors over a SOCK_SEQPACKET (unix(7)). */
#include "cell_wire.h"

#include <sys/socket.h>

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * 16)];
};

int cell_message_send(int fd, const void *body, size_t size, const int *fds, size_t count, int flags)
{
    union control control = {0};
    struct iovec iov = {(void *)(uintptr_t)body, size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (count > 16)
        return -E2BIG;
    if (count > 0) {
        struct cmsghdr *c = &control.align;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    do
        n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? 0 : -errno;
}

/* Keeps up to max descriptors, closes the others. */
static size_t take_fds(struct msghdr *msg, int *fds, size_t max)
{
    size_t count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        size_t n = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
                       ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int)
                       : 0;

        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (count < max)
                fds[count++] = fd;
            else
                closep(&fd);
        }
    }
    return count;
}

ssize_t cell_message_recv(int fd, void *body, size_t size, int *fds, size_t max, size_t *ret_count, int flags)
{
    union control control = {0};
    struct iovec iov = {body, size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    do
        n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *ret_count = 0;
    if (n < 0)
        return -errno;
    *ret_count = take_fds(&msg, fds, max);
    /* Not ours: whole ones only.  (Too few descriptors, for want of room for more here, are the caller's to
     * see.) */
    if (((size_t)n != size || (msg.msg_flags & MSG_TRUNC) != 0) && (n == 0 || cell_defence("message_size"))) {
        for (size_t i = 0; i < *ret_count; i++)
            closep(&fds[i]);
        *ret_count = 0;
        return n == 0 ? 0 : -EBADMSG;
    }
    return n;
}
