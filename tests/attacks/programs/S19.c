int main(void)
{
    static const struct { const char *name; int protocol; } kinds[] = {
        {"route", 0}, {"usersock", 2}, {"xfrm", 6}, {"audit", 9}, {"netfilter", 12}, {"kobject", 15}, {"generic", 16}};
    for (int i = 0; i < 7; i++)
        TRY(kinds[i].name, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, kinds[i].protocol));
    TRY("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNET));
    TRY("pair", socketpair(AF_NETLINK, SOCK_RAW, 0, (int[2]){0}));
}
