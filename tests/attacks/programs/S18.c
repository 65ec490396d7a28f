int main(void)
{
    static const int protocols[] = {0, 1, 2, 6, 17, 58, 132, 255};
    int tried = 0, wrong = 0;
    for (int family = 0; family < 64; family++)
        for (int type = 0; type < 16; type++)
            for (int p = 0; p < 8; p++) {
                int pair[2], fd = socket(family, type, protocols[p]), code = errno;
                tried++;
                if (fd >= 0)
                    SAY("socket %d %d %d\n", family, type, protocols[p]);
                else
                    wrong += code != EPERM;
                if (socketpair(family, type, protocols[p], pair) == 0) {
                    SAY("pair %d %d %d\n", family, type, protocols[p]);
                    close(pair[0]);
                    close(pair[1]);
                } else if (errno != EPERM)
                    SAY("pair %d %d %d %s\n", family, type, protocols[p], strerrorname_np(errno));
            }
    SAY("tried %d\nwrong %d\n", tried, wrong);
    TRY("alg", socket(38, SOCK_SEQPACKET, 0));
    TRY("vsock", socket(40, SOCK_STREAM, 0));
    TRY("netlink", socket(16, SOCK_RAW, 0));
    TRY("packet", socket(17, SOCK_RAW, 0));
    TRY("xdp", socket(44, SOCK_RAW, 0));
    TRY("high-bits", syscall(SYS_socket, 2 | 1ull << 32, 1, 0));
}
