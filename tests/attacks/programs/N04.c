#include <sys/un.h>
int main(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "\0channel"}, path = {.sun_family = AF_UNIX, .sun_path = "/tmp/channel"};
    int pair[2] = {-1, -1};
    TRY("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("socket-dgram", socket(AF_UNIX, SOCK_DGRAM, 0));
    TRY("pair-dgram", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    TRY("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY("bind-abstract", bind(pair[0], (struct sockaddr *)&to, sizeof(sa_family_t) + 8));
    TRY("bind-tmp", bind(pair[0], (struct sockaddr *)&path, sizeof(path)));
    TRY("listen", listen(pair[0], 1));
    TRY("connect", connect(pair[0], (struct sockaddr *)&to, sizeof(sa_family_t) + 8));
    TRY("sendto", sendto(pair[0], "x", 1, 0, (struct sockaddr *)&to, sizeof(sa_family_t) + 8));
    TRY("passcred", setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
    TRY("send", send(pair[0], "x", 1, 0));
}
