#include <dirent.h>
#include <sys/sysmacros.h>
int main(void)
{
    static const char *const nodes[] = {"mem", "kmem", "port", "kvm", "fuse", "net/tun", "ptmx", "pts/0", "sda", "vda", "nvme0n1", "loop0",
                                        "loop-control", "dm-0", "mapper/control", "tty", "tty0", "console", "vsock", "vhost-net",
                                        "dri/card0", "snd/timer", "input/event0", "hpet", "rtc0", "cuse", "uinput", "kmsg", "nvram"};
    static const struct { const char *name; int type, major, minor; } made[] = {
        {"mknod-mem", S_IFCHR, 1, 1}, {"mknod-null", S_IFCHR, 1, 3}, {"mknod-disk", S_IFBLK, 8, 0}, {"mknod-tty", S_IFCHR, 5, 0},
        {"mknod-fuse", S_IFCHR, 10, 229}, {"mknod-whiteout", S_IFCHR, 0, 0}, {"mknod-socket", S_IFSOCK, 0, 0}};
    for (int i = 0; i < 7; i++) {
        TRY(made[i].name, mknod("/box/node", made[i].type | 0666, makedev(made[i].major, made[i].minor)));
        unlink("/box/node");
    }
    TRY("mkfifo", mkfifo("/box/fifo", 0600));
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char path[100];
        snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
        TRY(nodes[i], open(path, O_RDWR | O_NONBLOCK));
    }
    DIR *d = opendir("/dev");
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            SAY("dev:%s there\n", e->d_name);
    TRY("full", write(open("/dev/full", O_WRONLY), "x", 1));
    TRY("null", write(open("/dev/null", O_WRONLY), "x", 1));
    TRY("create", open("/dev/new", O_CREAT | O_WRONLY, 0600));
}
