int main(void)
{
    void *wild = (void *)0x7ffffffff000, *kernel = (void *)0xffff800000000000;
    void *bad[] = {NULL, wild, kernel, (void *)-1};
    const char *kind[] = {"null", "wild", "kernel", "minus"};
    char name[60];
    for (int i = 0; i < 4; i++) {
#define BAD(what, call) (snprintf(name, sizeof(name), "%s-%s", what, kind[i]), (void)0); TRY(name, call)
        BAD("open", syscall(SYS_openat, AT_FDCWD, bad[i], 0));
        BAD("stat", syscall(SYS_newfstatat, AT_FDCWD, bad[i], wild, 0));
        BAD("execve", syscall(SYS_execve, bad[i], bad[i], bad[i]));
        BAD("execve-argv", syscall(SYS_execve, "/bin/true", i == 0 ? wild : bad[i], NULL));
        BAD("readlink", syscall(SYS_readlinkat, AT_FDCWD, bad[i], wild, 10));
        BAD("rename", syscall(SYS_renameat, AT_FDCWD, bad[i], AT_FDCWD, bad[i]));
        BAD("mknod", syscall(SYS_mknodat, AT_FDCWD, bad[i], S_IFIFO | 0600, 0));
        BAD("chmod", syscall(SYS_fchmodat, AT_FDCWD, bad[i], 0700));
        BAD("socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad[i]));
        BAD("sendto", syscall(SYS_sendto, 1, "x", 1, 0, bad[i], 16));
        BAD("connect", syscall(SYS_connect, 0, bad[i], 16));
        BAD("bind", syscall(SYS_bind, 0, bad[i], 16));
        BAD("ioctl", syscall(SYS_ioctl, 0, bad[i], bad[i]));
    }
}
