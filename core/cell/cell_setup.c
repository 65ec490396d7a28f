/* cell_setup.c - from a fresh clone to a closed cell: mounts, identity, capabilities. */
#include "cell_internal.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its size is set when the job is known; until then nothing of a job is in it. */
#define BOX_START_OPTIONS "size=1m,nr_inodes=64,mode=0755"

/* One tmpfs for everything a program may write, so that one limit holds: shown at three places. */
static int mount_box(uid_t owner, int *ret_fs, struct err *reterr)
{
    static const struct {
        const char *from, *to;
        mode_t mode;
    } parts[] = {{"/run/box", "/box", 0755}, {"/run/tmp", "/tmp", 01777}, {"/run/shm", "/dev/shm", 01777}};

    if (mount("box", "/run", "tmpfs", MS_NOSUID | MS_NODEV, BOX_START_OPTIONS) != 0)
        return err_sys(reterr, "mount the box");
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (mkdir(parts[i].from, parts[i].mode) != 0 || chown(parts[i].from, owner, owner) != 0 ||
            chmod(parts[i].from, parts[i].mode) != 0)
            return err_sys(reterr, "make `%s`", parts[i].from);
        if (mount(parts[i].from, parts[i].to, NULL, MS_BIND, NULL) != 0)
            return err_sys(reterr, "show `%s`", parts[i].to);
    }
    *ret_fs = (int)syscall(SYS_fspick, AT_FDCWD, "/run", FSPICK_CLOEXEC);
    if (*ret_fs < 0)
        return err_sys(reterr, "pick the box");
    if (umount2("/run", MNT_DETACH) != 0)
        return err_sys(reterr, "hide the box's root");
    return 0;
}

static int set_caps(uint64_t caps)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
        {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)}};

    return (int)syscall(SYS_capset, &head, data);
}

/* As root: becomes the slot's own uid, and keeps just what making a user namespace takes where
 * that is forbidden to ordinary users. */
static int leave_root(uint32_t uid, struct err *reterr)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return err_sys(reterr, "become uid %u", uid);
    if (set_caps(UINT64_C(1) << CAP_SYS_ADMIN) != 0)
        return err_sys(reterr, "keep one capability");
    return 0;
}

static int write_text(const char *path, const char *text, struct err *reterr)
{
    CLEAN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return err_sys(reterr, "write %s", path);
    return 0;
}

/* user_namespaces(7): one id, our own, may be mapped without privilege once setgroups is denied. */
static int enter_user_namespace(uint32_t outer, struct err *reterr)
{
    char map[64];
    int rc;

    snprintf(map, sizeof(map), "%u %u 1", CELL_UID, outer);
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || unshare(CLONE_NEWUSER | CLONE_NEWCGROUP) != 0)
        return err_sys(
            reterr,
            "make a user namespace (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)");
    if ((rc = write_text("/proc/self/setgroups", "deny", reterr)) != 0 ||
        (rc = write_text("/proc/self/uid_map", map, reterr)) != 0)
        return rc;
    return write_text("/proc/self/gid_map", map, reterr);
}

static int drop_privileges(struct err *reterr)
{
    for (int cap = 0; cap < 64; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EINVAL)
            return err_sys(reterr, "drop capability %d", cap);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || set_caps(0) != 0)
        return err_sys(reterr, "drop every capability");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(reterr, "close the way to privileges");
    if (getuid() != CELL_UID || geteuid() != CELL_UID || getgid() != CELL_UID)
        return err_set(reterr, ERR_INTERNAL, "the cell runs as uid %u", (unsigned)getuid());
    return 0;
}

/* Nothing of the jailer's stays open: ctl moves to 3, the standard ones become /dev/null. */
static int close_others(int ctl, int fs, struct err *reterr)
{
    CLEAN_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    unsigned low = (unsigned)MIN(ctl, fs), high = (unsigned)MAX(ctl, fs);

    if (null < 0)
        return err_sys(reterr, "open /dev/null");
    for (int i = 0; i < 3; i++)
        if (dup2(null, i) < 0)
            return err_sys(reterr, "close the standard descriptors");
    closep(&null);
    if ((low > 3 && close_range(3, low - 1, 0) != 0) ||
        (high > low + 1 && close_range(low + 1, high - 1, 0) != 0) || close_range(high + 1, ~0u, 0) != 0)
        return err_sys(reterr, "close the jailer's descriptors");
    return 0;
}

int cell_setup(const struct cell_init *in, int *ret_fs, struct err *reterr)
{
    uint32_t outer =
        in->host->as_root ? in->uid : 0; /* an ordinary user's jailer is 0 in its own namespace */
    sigset_t none;
    int rc = cell_cgroup_join(in->cgroup);

    if (rc != 0)
        return err_set(reterr, rc, "join the cgroup: %s", strerror(-rc));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    if ((rc = mount_box(outer, ret_fs, reterr)) != 0)
        return rc;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return err_sys(reterr, "mount a /proc of the cell's own");
    if (sethostname("execd", 5) != 0 || chdir("/box") != 0)
        return err_sys(reterr, "name the cell");
    if ((rc = close_others(in->ctl, *ret_fs, reterr)) != 0)
        return rc;
    if ((in->host->as_root && (rc = leave_root(in->uid, reterr)) != 0) ||
        (rc = enter_user_namespace(outer, reterr)) != 0 || (rc = drop_privileges(reterr)) != 0)
        return rc;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) /* last: changes of identity clear it */
        return err_sys(reterr, "die with the jailer");
    return 0;
}
