/* cell_host.c - what is made once: cgroups, namespaces, the root, the filters. */
#include "cell_internal.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int write_self(const char *path, const char *text)
{
    CLEAN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* An ordinary user becomes root of a namespace in which only its own id exists. */
static int become_root_inside(struct err *reterr)
{
    char uid[64], gid[64];

    snprintf(uid, sizeof(uid), "0 %u 1", (unsigned)geteuid());
    snprintf(gid, sizeof(gid), "0 %u 1", (unsigned)getegid());
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || unshare(CLONE_NEWUSER) != 0)
        return err_sys(reterr, "make a user namespace (as an ordinary user this needs sysctl "
                               "kernel.unprivileged_userns_clone=1 and user.max_user_namespaces > 0)");
    if (write_self("/proc/self/setgroups", "deny") != 0 || write_self("/proc/self/uid_map", uid) != 0 ||
        write_self("/proc/self/gid_map", gid) != 0)
        return err_sys(reterr, "map the user into its namespace");
    return 0;
}

/* What building cells takes, and nothing else, for as long as this process lives. */
static int keep_few_capabilities(bool as_root, struct err *reterr)
{
    static const int caps[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,    CAP_KILL,        CAP_SETGID,
                               CAP_SETUID, CAP_SETPCAP,      CAP_SYS_ADMIN, CAP_SYS_RESOURCE};
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}}, had[2];

    if (syscall(SYS_capget, &head, had) != 0)
        return err_sys(reterr, "read capabilities");
    for (size_t i = 0; i < COUNT_OF(caps); i++)
        data[caps[i] / 32].permitted |= 1u << (caps[i] % 32);
    if (!as_root) /* the kernel lets cells map our 0 only if we had it (user_namespaces(7), since Linux 5.12)
                   */
        data[CAP_SETFCAP / 32].permitted |= 1u << (CAP_SETFCAP % 32);
    for (size_t i = 0; i < 2; i++) { /* a container may have taken some already */
        data[i].permitted &= had[i].permitted;
        data[i].effective = data[i].permitted;
    }
    if (syscall(SYS_capset, &head, data) != 0)
        return err_sys(reterr, "give up capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(reterr, "close the way to privileges");
    return 0;
}

static int build_filters(struct cell_host *h, struct err *reterr)
{
    for (int i = 0; i < CELL_PROFILES; i++) {
        int rc = cell_seccomp_build((enum cell_profile)(i + 1), &h->filters[i], reterr);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int enter(struct cell_host *h, const struct cell_host_options *o, struct cell_host_facts *facts,
                 struct err *reterr)
{
    struct cell_cgroups_facts cg;
    int rc;

    if (!h->as_root && (rc = become_root_inside(reterr)) != 0)
        return rc;
    if ((rc = cell_cgroups_open(o->cgroup_root, &h->cgroups, &cg, reterr)) != 0 ||
        (rc = build_filters(h, reterr)) != 0)
        return rc;
    facts->cgroup_version = cg.version;
    facts->memory = cg.memory;
    facts->pids = cg.pids;
    facts->cpu = cg.cpu;
    facts->swap = cg.swap;
    facts->oom_group = cg.oom_group;
    snprintf(facts->cgroup_root, sizeof(facts->cgroup_root), "%s", cg.root);
    snprintf(facts->detail, sizeof(facts->detail), "%s", cg.detail);
    if (h->as_root && setgroups(0, NULL) != 0)
        return err_sys(reterr, "drop supplementary groups");
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return err_sys(
            reterr, "make mount, network, IPC and UTS namespaces (needs CAP_SYS_ADMIN or a user namespace)");
    if ((rc = cell_root_enter(o->mounts, reterr)) != 0)
        return rc;
    return keep_few_capabilities(h->as_root, reterr);
}

int cell_host_open(const struct cell_host_options *o, struct cell_host **ret, struct cell_host_facts *facts,
                   struct err *reterr)
{
    struct cell_host *h = NEW(struct cell_host);
    int rc;

    *facts = (struct cell_host_facts){.as_root = geteuid() == 0};
    h->as_root = facts->as_root;
    h->uid_base = o->uid_base;
    rc = enter(h, o, facts, reterr);
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
    cell_cgroups_free(h->cgroups);
    for (int i = 0; i < CELL_PROFILES; i++)
        cell_seccomp_done(&h->filters[i]);
    free(h);
}
