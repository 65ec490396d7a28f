int main(void)
{
    char cwd[PATH_MAX];
    struct { unsigned bytes; int type; unsigned char h[128]; } handle = {8, 1, {2}};
    int root = open("/", O_RDONLY | O_DIRECTORY), reached = 0;
    mkdir("/box/jail", 0755);
    TRY("chroot", chroot("/box/jail"));
    TRY("fchdir", fchdir(root));
    for (int i = 0; i < 100; i++)
        chdir("..");
    struct stat up, down;
    TRY("stat", stat(".", &up) | stat("/", &down));
    SAY("same %d\n", up.st_ino == down.st_ino && up.st_dev == down.st_dev);
    SAY("cwd %s\n", getcwd(cwd, sizeof(cwd)));
    TRY("chroot-dot", chroot("."));
    for (unsigned inode = 0; inode < 4096; inode++) {
        memcpy(handle.h, &inode, sizeof(inode));
        errno = 0;
        reached += syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY) >= 0 || errno != EPERM;
    }
    SAY("handles %d\n", reached);
    TRY("pivot_root", syscall(SYS_pivot_root, ".", "."));
}
