/* Socket pairs, filled with data; descriptors sent through them, pairs in pairs, without being received. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int pass(int through, int fd)
{
    char data = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec io = {&data, 1};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    return sendmsg(through, &m, MSG_DONTWAIT) == 1 ? 0 : errno;
}

int main(void)
{
    static char chunk[65536];
    int s[2], before[2] = {-1, -1}, pairs = 0, passed = 0, why_pass = 0, why_pair = 0;
    unsigned long filled = 0;

    while (pairs < 5000) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0) {
            why_pair = errno;
            break;
        }
        pairs++;
        if (before[0] >= 0) {
            for (int i = 0; i < 2; i++) {
                int rc = pass(s[0], before[i]);

                passed += rc == 0;
                why_pass = rc != 0 ? rc : why_pass;
                if (rc == 0)
                    close(before[i]); /* only in flight now */
            }
        }
        for (ssize_t n; (n = send(s[0], chunk, sizeof(chunk), MSG_DONTWAIT)) > 0;)
            filled += (unsigned long)n;
        memcpy(before, s, sizeof(s));
    }
    printf("pairs %d: %s\npassed %d: %s\nfilled %d\n", pairs, why_pair ? strerror(why_pair) : "no end",
           passed, why_pass ? strerror(why_pass) : "no end", filled > 0);
}
