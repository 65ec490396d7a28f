#include <sys/xattr.h>
int main(void)
{
    static char value[65536];
    int fd = open("file", O_CREAT | O_RDWR, 0600), set = 0;
    char name[40];
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "user.x%d", i);
        if (fsetxattr(fd, name, value, sizeof(value), 0) != 0)
            break;
        set++;
    }
    SAY("set %d\n", set);
    TRY("user", setxattr("file", "user.x", value, 100, 0));
    TRY("trusted", setxattr("file", "trusted.x", value, 100, 0));
    TRY("security", setxattr("file", "security.capability", value, 20, 0));
    TRY("acl", setxattr("file", "system.posix_acl_access", value, 44, 0));
    TRY("lset", lsetxattr("file", "user.x", value, 100, 0));
    TRY("list", listxattr("file", NULL, 0));
}
