/* root.c - the template root with holes, made around the real one (core/cell/cell_root.c, which is compiled
 * here with its function named cell_root_enter_whole). */
#include "cell_internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

int cell_root_enter_whole(struct bytes description, struct err *reterr);

/* Before the old root is gone: what is to be shown in place of ours. */
static int clone_tree(const char *defence, const char *path)
{
    return cell_defence(defence) ? -1
                                 : (int)syscall(SYS_open_tree, AT_FDCWD, path,
                                                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static int show(int tree, const char *path, struct err *reterr)
{
    if (tree < 0 || syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0)
        return 0;
    return err_sys(reterr, "show the machine's `%s`", path);
}

int cell_root_enter(struct bytes description, struct err *reterr)
{
    CLEAN_FD int dev = clone_tree("dev_minimal", "/dev");
    CLEAN_FD int proc = clone_tree("proc_own", "/proc");
    CLEAN_FD int etc = clone_tree("etc_standins", "/etc");
    struct mount_attr weaker = {.attr_clr = (cell_defence("rootfs_readonly") ? 0 : MOUNT_ATTR_RDONLY) |
                                            (cell_defence("rootfs_nosuid") ? 0 : MOUNT_ATTR_NOSUID) |
                                            (cell_defence("rootfs_nodev") ? 0 : MOUNT_ATTR_NODEV)};
    int rc = cell_root_enter_whole(description, reterr);

    if (rc != 0 || (rc = show(dev, "/dev", reterr)) != 0 || (rc = show(proc, "/proc", reterr)) != 0 ||
        (rc = show(etc, "/etc", reterr)) != 0)
        return rc;
    if (weaker.attr_clr != 0 &&
        syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &weaker, sizeof(weaker)) != 0)
        return err_sys(reterr, "weaken the root");
    return 0;
}
