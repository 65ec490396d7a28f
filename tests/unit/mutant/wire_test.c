/* wire_test.c - what jailer and init refuse from each other's socket; run with a defence's name it must fail.
 *
 * No program of a cell comes near these sockets, so no attack row sees these two. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell_wire.h"

static int check(bool good, const char *what)
{
    if (!good)
        fprintf(stderr, "wire_test: %s\n", what);
    return good ? 0 : 1;
}

static bool refuses(int seals)
{
    CLEAN_FD int fd = memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct bytes mapped;
    struct err err = {0};

    return fd >= 0 && write(fd, "x", 1) == 1 && fcntl(fd, F_ADD_SEALS, seals) == 0 &&
           cell_bundle_map(fd, &mapped, &err) != 0;
}

static bool hears(size_t sent, size_t wanted)
{
    char body[64] = {0};
    size_t count;
    int pair[2];
    ssize_t n;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 || send(pair[0], body, sent, 0) < 0)
        return false;
    n = cell_message_recv(pair[1], body, wanted, NULL, 0, &count, 0);
    close(pair[0]);
    close(pair[1]);
    return n == (ssize_t)wanted || n == (ssize_t)sent;
}

int main(int argc, char **argv)
{
    const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    int wrong = 0;

    cell_defence_take(argc, argv);
    wrong += check(!refuses(all), "a sealed bundle is refused");
    wrong += check(refuses(F_SEAL_GROW | F_SEAL_SHRINK), "a bundle that can be written is taken");
    wrong += check(refuses(F_SEAL_WRITE | F_SEAL_SHRINK), "a bundle that can grow is taken");
    wrong += check(refuses(F_SEAL_WRITE | F_SEAL_GROW), "a bundle that can shrink is taken");
    wrong += check(hears(32, 32), "a whole message is refused");
    wrong += check(!hears(16, 32), "a short message is taken");
    wrong += check(!hears(48, 32), "a long message is taken");
    return wrong != 0;
}
