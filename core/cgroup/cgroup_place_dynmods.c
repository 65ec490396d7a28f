/* cgroup_place_dynmods.c - moves between cgroups that hold up nobody.
 *
 * A process that is moved into a cgroup waits for a grace period of RCU, some 10 ms, and while it waits no
 * process of the machine begins or ends.  Cells that cannot be born inside their group (v1; forks of a
 * zygote) move as they are built, beside jobs that run.  The mount option favordynmods (cgroup-v2.rst, since
 * Linux 6.0) spares that at the cost of a slightly dearer fork and exit, for v1 hierarchies as well, because
 * all share one lock.  A remount replaces all options, so those that are there are named again; the kernel
 * heeds it from the first cgroup namespace only. */
#include "cgroup_place_internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPTION "favordynmods"

static bool has_option(const struct cg_at *at, const char *name)
{
    return cg_has_word(at->options, ',', name);
}

/* Words of /proc/self/mountinfo that are none of the file system's own flags. */
static bool set_option(int fs, char *name)
{
    return strcmp(name, "rw") == 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, name, NULL, 0) == 0;
}

bool cgroup_favor_dynmods(struct err *reterr)
{
    struct cg_at at;
    CLEAN_FD int fs = -1;
    bool ok;

    if (cg_find("/proc/self/cgroup", "/proc/self/mountinfo", NULL, &at) != 0) {
        err_set(reterr, ERR_CONFIG, "no cgroup2 file system is mounted, whose option `" OPTION "` it is");
        return false;
    }
    if (has_option(&at, OPTION))
        return true;
    fs = (int)syscall(SYS_fspick, AT_FDCWD, at.top, FSPICK_CLOEXEC);
    ok = fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, OPTION, NULL, 0) == 0;
    for (char *save = NULL, *word = strtok_r(at.options, ",\n", &save); ok && word != NULL;
         word = strtok_r(NULL, ",\n", &save))
        ok = set_option(fs, word);
    if (ok && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0 &&
        cg_find("/proc/self/cgroup", "/proc/self/mountinfo", NULL, &at) == 0 && has_option(&at, OPTION))
        return true;
    err_sys(reterr, "remount `%.100s` with " OPTION, at.top);
    return false;
}
