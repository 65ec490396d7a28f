int main(void)
{
    TRY("vsock", socket(40, SOCK_STREAM, 0));
    TRY("netlink-usersock", socket(16, SOCK_RAW, 2));
    TRY("tipc", socket(30, SOCK_RDM, 0));
    TRY("alg", socket(38, SOCK_SEQPACKET, 0));
    TRY("rds", socket(21, SOCK_SEQPACKET, 0));
    TRY("dev-vsock", open("/dev/vsock", O_RDONLY));
}
