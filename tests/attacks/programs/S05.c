#include <sys/mount.h>
int main(void)
{
    CALL(mount, "none", "/box", "tmpfs", 0, NULL);
    TRY("mount-remount", mount("", "/", "", MS_REMOUNT | MS_BIND, NULL));
    TRY("mount-proc", mount("proc", "/box", "proc", 0, NULL));
    TRY("mount-bind", mount("/proc", "/box", NULL, MS_BIND, NULL));
    CALL(umount2, "/proc", MNT_DETACH);
    CALL(pivot_root, "/box", "/box");
    CALL(fsopen, "tmpfs", 0);
    CALL(fsconfig, 0, 6, NULL, NULL, 0);
    CALL(fsmount, 0, 0, 0);
    CALL(move_mount, 0, "", AT_FDCWD, "/box", 4);
    CALL(open_tree, AT_FDCWD, "/", 1);
    CALL(mount_setattr, AT_FDCWD, "/", 0, "", 32);
    CALL(fspick, AT_FDCWD, "/", 0);
}
