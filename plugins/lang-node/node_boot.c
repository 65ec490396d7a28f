/* node_boot.c - runs in a cell: becomes a node that has boot.js preloaded.
 *
 * node_boot SCRIPT NODE ARGUMENTS...: writes boot.js to SCRIPT, where nobody looks and where it may stay (a
 * Worker reads it again), removes itself, and executes NODE.  The socket is moved out of the way: node's own
 * descriptors then have the numbers that they always have, and so has the first file that a program opens. */
#include <execd/plugin.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "embed.h"

EMBED(script, BOOT_SCRIPT);

enum { FD_AWAY = 200 };

static int script_write(const char *path)
{
    struct execd_bytes body = EMBEDDED(script);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    int rc = fd >= 0 && write(fd, body.ptr, (size_t)body.len) == (ssize_t)body.len ? 0 : -1;

    if (fd >= 0)
        close(fd);
    return rc;
}

static int socket_move(void)
{
    char number[16];
    int fd = fcntl(EXECD_WARM_FD, F_DUPFD, FD_AWAY);

    if (fd < 0)
        return -1;
    close(EXECD_WARM_FD);
    snprintf(number, sizeof(number), "%d", fd);
    return setenv("EXECD_BOOT_FD", number, 1);
}

int main(int argc, char **argv)
{
    char options[256];

    if (argc < 3)
        return 2;
    snprintf(options, sizeof(options), "--require=%s", argv[1]);
    if (script_write(argv[1]) != 0 || socket_move() != 0 || setenv("NODE_OPTIONS", options, 1) != 0 ||
        unlink(argv[0]) != 0) {
        perror("node_boot");
        return 1;
    }
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 1;
}
