/* cell_setup.c - from a fresh clone to a closed cell: mounts, identity, capabilities. */
#include "cell_setup.h"

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
    const unsigned long flags =
        (cell_defence("box_nosuid") ? MS_NOSUID : 0) | (cell_defence("box_nodev") ? MS_NODEV : 0);
    static const struct {
        const char *from, *to;
        mode_t mode;
    } parts[] = {{"/run/box", "/box", 0755}, {"/run/tmp", "/tmp", 01777}, {"/run/shm", "/dev/shm", 01777}};

    if (mount("box", "/run", "tmpfs", flags, BOX_START_OPTIONS) != 0)
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

/* A /proc of the cell's own, of processes alone (proc(5), subset): what else is there tells of the machine,
 * and as an ordinary user a program's uid is the one that owns the network namespace, which cells share, and
 * could write the settings of that for others to read. */
static int mount_proc(bool above_proc, struct err *reterr)
{
    const unsigned long flags = cell_defence("proc_flags") ? MS_NOSUID | MS_NODEV | MS_NOEXEC : 0;

    if (!cell_defence("proc_own"))
        return 0;
    if (above_proc && umount2("/proc", MNT_DETACH) != 0)
        return err_sys(reterr, "hide another's /proc");
    if (mount("proc", "/proc", "proc", flags, cell_defence("proc_subset") ? "subset=pid" : NULL) != 0)
        return err_sys(reterr, "mount a /proc of the cell's own (an ordinary user may only where no part of "
                               "/proc is covered; in a pod that takes procMount: Unmasked)");
    return 0;
}

int cell_set_caps(uint64_t caps)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
        {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)}};

    return (int)syscall(SYS_capset, &head, data);
}

static int write_text(const char *path, const char *text, struct err *reterr)
{
    CLEAN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return err_sys(reterr, "write %s", path);
    return 0;
}

/* user_namespaces(7): one id, our own, may be mapped without privilege once setgroups is denied. */
int cell_enter_userns(int flags, uint32_t inner, uid_t uid, gid_t gid, struct err *reterr)
{
    char uid_map[64], gid_map[64];
    int rc;

    snprintf(uid_map, sizeof(uid_map), "%u %u 1", inner, (unsigned)uid);
    snprintf(gid_map, sizeof(gid_map), "%u %u 1", inner, (unsigned)gid);
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || (flags != 0 && unshare(flags) != 0))
        return err_sys(reterr, "make a user namespace (as an ordinary user this needs sysctl "
                               "kernel.unprivileged_userns_clone=1 and user.max_user_namespaces > 0)");
    if ((rc = write_text("/proc/self/setgroups", "deny", reterr)) != 0 ||
        (rc = write_text("/proc/self/uid_map", uid_map, reterr)) != 0)
        return rc;
    return write_text("/proc/self/gid_map", gid_map, reterr);
}

/* A zygote's cell is born in its user namespace.  As root the host maps many ids there, else we do our own.
 */
static int become_zygote(bool as_root, struct err *reterr)
{
    char mapped;
    size_t count;

    if (!as_root)
        return cell_enter_userns(0, 0, 0, 0, reterr);
    if (cell_message_recv(CELL_FD_CTL, &mapped, sizeof(mapped), NULL, 0, &count, 0) != sizeof(mapped))
        return err_set(reterr, ERR_INTERNAL, "a zygote's ids were not mapped");
    if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
        return err_sys(reterr, "become root of a zygote's user namespace");
    return 0;
}

/* As root: becomes the slot's own uid, and keeps just what making a user namespace takes where
 * that is forbidden to ordinary users. */
static int leave_root(uint32_t uid, struct err *reterr)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || (cell_defence("groups") && setgroups(0, NULL) != 0) ||
        setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
        return err_sys(reterr, "become uid %u", uid);
    if (cell_set_caps(CELL_CAP(SYS_ADMIN)) != 0)
        return err_sys(reterr, "keep one capability");
    return 0;
}

int cell_close_privileges(struct err *reterr)
{
    if ((cell_defence("no_new_privs") && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(reterr, "close the way to privileges");
    return 0;
}

static int drop_privileges(uint64_t keep, uid_t uid, struct err *reterr)
{
    int rc;

    for (int cap = 0; cap < 64 && cell_defence("caps_bounding"); cap++)
        if ((keep >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EINVAL &&
            cell_defence("userns"))
            return err_sys(reterr, "drop capability %d", cap);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
        (cell_defence("caps_drop") && cell_set_caps(keep) != 0))
        return err_sys(reterr, "drop every capability");
    if ((rc = cell_close_privileges(reterr)) != 0 || !cell_defence("userns"))
        return rc;
    if (getuid() != uid || geteuid() != uid || getgid() != uid)
        return err_set(reterr, ERR_INTERNAL, "the cell runs as uid %u", (unsigned)getuid());
    return 0;
}

/* Nothing of the jailer's stays open: what execd-init needs goes to its places, the standard descriptors
 * become /dev/null. */
static int place_descriptors(int fs, int init, struct err *reterr)
{
    const int from[] = {CELL_FD_CTL, fs, init};
    int high[COUNT_OF(from)], null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; i < 3; i++)
        if (null < 0 || dup2(null, i) < 0)
            return err_sys(reterr, "close the standard descriptors");
    for (size_t i = 0; i < COUNT_OF(from); i++) /* out of the way first */
        if ((high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 16)) < 0)
            return err_sys(reterr, "move a descriptor");
    if (dup2(high[0], CELL_FD_CTL) < 0 || dup2(high[1], CELL_FD_BOX) < 0 ||
        dup3(high[2], CELL_FD_INIT, O_CLOEXEC) < 0 || syscall(SYS_close_range, CELL_FD_INIT + 1, ~0u, 0) != 0)
        return err_sys(reterr, "close the jailer's descriptors");
    return 0;
}

int cell_setup(const struct cell_child *in, struct err *reterr)
{
    bool as_root = in->uid != 0;
    uint32_t outer = /* an ordinary user's jailer is 0 in its own namespace */
        !as_root || in->zygote ? 0
        : cell_defence("uid")  ? in->uid
                               : 1;
    sigset_t none;
    int rc, fs = -1;

    if (dup2(in->ctl, CELL_FD_CTL) < 0) /* before all: the worker's socket was in this place */
        _exit(1);
    if (in->joined != 0)
        return err_set(reterr, in->joined, "join the cgroup: %s", strerror(-in->joined));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    if ((in->zygote && (rc = become_zygote(as_root, reterr)) != 0) ||
        (rc = mount_box(outer, &fs, reterr)) != 0 || (rc = mount_proc(in->above_proc, reterr)) != 0)
        return rc;
    if ((cell_defence("hostname") && sethostname("execd", 5) != 0) || chdir("/box") != 0)
        return err_sys(reterr, "name the cell");
    if ((rc = place_descriptors(fs, in->init_fd, reterr)) != 0)
        return rc;
    if ((as_root && !in->zygote && (rc = leave_root(outer, reterr)) != 0) ||
        (cell_defence("userns") && !in->zygote &&
         (rc = cell_enter_userns(CLONE_NEWUSER | (cell_defence("cgroupns") ? CLONE_NEWCGROUP : 0), CELL_UID,
                                 outer, outer, reterr)) != 0) ||
        (rc = drop_privileges(in->zygote ? CELL_CAPS_BUILD | CELL_CAP(SETFCAP) : 0, in->zygote ? 0 : CELL_UID,
                              reterr)) != 0)
        return rc;
    if (cell_defence("pdeathsig") &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) /* last: changes of identity clear it */
        return err_sys(reterr, "die with the jailer");
    return 0;
}

/* The jailer's memory ends here: from now on nothing inside of the cell has seen more than the cell. */
void cell_setup_main(const struct cell_child *in)
{
#ifdef EXECD_MUTATE
    char *const *argv = cell_defence_argv("execd-init");
#else
    static char *const argv[] = {(char *)(uintptr_t) "execd-init", NULL};
#endif
    static char *const none[] = {NULL};
    char *const *env = cell_defence("environment") ? none : environ;
    struct cell_news failed = {.kind = CELL_NEWS_FAILED};

    if (cell_setup(in, &failed.err) == 0) {
        syscall(SYS_execveat, CELL_FD_INIT, "", argv, env, AT_EMPTY_PATH);
        err_sys(&failed.err, "execute execd-init");
    }
    cell_message_send(CELL_FD_CTL, &failed, sizeof(failed), NULL, 0, 0);
    _exit(1);
}
