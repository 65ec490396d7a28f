/* cell_host.c - what is made once: namespaces, the root. */
#include "cell_internal.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef EXECD_MUTATE
#define CELL_INIT "execd-init-mutant"
#else
#define CELL_INIT "execd-init"
#endif

/* user_namespaces(7): only there all ids map to themselves. */
static bool in_first_user_namespace(void)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/self/uid_map", "re");
    unsigned inside, outside, count;

    return f != NULL && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
           outside == 0 && count == UINT32_MAX;
}

/* What building cells takes, and nothing else, for as long as this process lives. */
static int keep_few_capabilities(bool as_root, struct err *reterr)
{
    const uint64_t caps = CELL_CAPS_BUILD | CELL_CAP(SYS_RESOURCE) | (as_root ? 0 : CELL_CAP(SETFCAP));
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct had[2];

    if (syscall(SYS_capget, &head, had) != 0)
        return err_sys(reterr, "read capabilities");
    /* a container may have taken some already */
    if (cell_defence("jailer_caps") &&
        cell_set_caps(caps & ((uint64_t)had[1].permitted << 32 | had[0].permitted)) != 0)
        return err_sys(reterr, "give up capabilities");
    return cell_close_privileges(reterr);
}

/* What runs inside of cells lies beside us. */
static int open_init(int *ret_fd, struct err *reterr)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(CELL_INIT));

    path[MAX(n, (ssize_t)0)] = '\0';
    if (strrchr(path, '/') != NULL)
        memcpy(strrchr(path, '/') + 1, CELL_INIT, sizeof(CELL_INIT));
    *ret_fd = open(path, O_PATH | O_CLOEXEC);
    return *ret_fd >= 0 ? 0 : err_sys(reterr, "open `%s`, which belongs beside the jailer", path);
}

static int enter(struct cell_host *h, const struct cell_host_options *o, struct err *reterr)
{
    int rc;

    if (!h->as_root && /* root of a namespace in which only its own id exists */
        (rc = cell_enter_userns(CLONE_NEWUSER, 0, geteuid(), getegid(), reterr)) != 0)
        return rc;
    if ((rc = open_init(&h->init_fd, reterr)) != 0)
        return rc;
    h->first_userns = in_first_user_namespace();
    if (h->as_root && cell_defence("groups") && setgroups(0, NULL) != 0)
        return err_sys(reterr, "drop supplementary groups");
    if (unshare(CLONE_NEWNS | (cell_defence("netns") ? CLONE_NEWNET : 0) | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return err_sys(
            reterr, "make mount, network, IPC and UTS namespaces (needs CAP_SYS_ADMIN or a user namespace)");
    if ((rc = cell_root_enter(o->root, reterr)) != 0)
        return rc;
    return keep_few_capabilities(h->as_root, reterr);
}

int cell_host_open(const struct cell_host_options *o, struct cell_host **ret, struct err *reterr)
{
    struct cell_host *h = NEW(struct cell_host);
    int rc;

    h->init_fd = -1;
    h->as_root = geteuid() == 0;
    h->cores =
        (uint64_t)MAX(sysconf(_SC_NPROCESSORS_CONF), 1L); /* now: it reads files that cells do not show */
    h->uid_base = o->uid_base;
    h->cgroups = o->groups;
    rc = enter(h, o, reterr);
    if (rc != 0) {
        cell_host_free(h);
        return rc;
    }
    *ret = h;
    return 0;
}

void cell_host_free(struct cell_host *h)
{
    if (h == NULL)
        return;
    cgroups_close(&h->cgroups);
    closep(&h->init_fd);
    free(h);
}
