#include <sys/mount.h>
int main(void)
{
    static const struct { const char *name; int family, type, protocol; } odd[] = {
        {"tipc", 30, SOCK_STREAM, 0}, {"sctp", AF_INET, SOCK_STREAM, 132}, {"dccp", AF_INET, 6, 33}, {"can", 29, SOCK_RAW, 1},
        {"rds", 21, SOCK_SEQPACKET, 0}, {"l2tp", AF_INET, SOCK_DGRAM, 115}, {"atm", 20, SOCK_DGRAM, 0},
        {"appletalk", 5, SOCK_DGRAM, 0}, {"x25", 9, SOCK_SEQPACKET, 0}, {"bluetooth", 31, SOCK_RAW, 1},
        {"nfc", 39, SOCK_SEQPACKET, 0}, {"vsock", 40, SOCK_STREAM, 0}, {"kcm", 41, SOCK_DGRAM, 0}, {"qipcrtr", 42, SOCK_DGRAM, 0},
        {"smc", 43, SOCK_STREAM, 0}, {"xdp", 44, SOCK_RAW, 0}, {"mctp", 45, SOCK_DGRAM, 0}, {"alg", 38, SOCK_SEQPACKET, 0},
        {"netlink-netfilter", 16, SOCK_RAW, 12}, {"mptcp", AF_INET, SOCK_STREAM, 262}};
    for (int i = 0; i < 20; i++)
        TRY(odd[i].name, socket(odd[i].family, odd[i].type, odd[i].protocol));
    TRY("ioctl-netdev", ioctl(0, 0x8946 /* SIOCETHTOOL */, "sit0"));
    TRY("ioctl-loadmodule", ioctl(0, 0x8933 /* SIOCGIFINDEX */, "tunl0"));
    TRY("mount-type", mount("none", "/box", "ntfs", 0, NULL));
    TRY("fsopen", syscall(SYS_fsopen, "xfs", 0));
    TRY("quotactl", syscall(SYS_quotactl, 0x800002, "/", 0, NULL));
    int fd = open("/box/odd", O_CREAT | O_WRONLY, 0755);
    TRY("write", write(fd, "\x7f\x01\x02\x03no known format", 20)); /* request_module("binfmt-...") */
    close(fd);
    TRY_APART("binfmt", execl("/box/odd", "odd", NULL));
    TRY("xattr-crypto", syscall(SYS_keyctl, 0));
}
