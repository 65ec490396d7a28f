/* jail_facts.c - the protections by name, what a machine lacks of them, and whether that is accepted. */
#include "jail_internal.h"

static const struct {
    const char *name, *advice;
} protections[JAIL_PROTECT_COUNT] = {
    [JAIL_PROTECT_CGROUP_MEMORY] = {"cgroup_memory", ""},
    [JAIL_PROTECT_CGROUP_PIDS] = {"cgroup_pids", ""},
    [JAIL_PROTECT_CGROUP_CPU] = {"cgroup_cpu", ""},
    [JAIL_PROTECT_SWAP] = {"swap", ""},
    [JAIL_PROTECT_UID] = {"uid", "start execd as root: it keeps that for its jailer alone"},
    [JAIL_PROTECT_OOM_GROUP] = {"oom_group", ""},
    [JAIL_PROTECT_USERNS] = {"userns", "sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone"},
    [JAIL_PROTECT_PIDNS] = {"pidns", ""},
    [JAIL_PROTECT_MOUNTNS] = {"mountns", ""},
    [JAIL_PROTECT_NETNS] = {"netns", ""},
    [JAIL_PROTECT_IPCNS] = {"ipcns", ""},
    [JAIL_PROTECT_UTSNS] = {"utsns", ""},
    [JAIL_PROTECT_CGROUPNS] = {"cgroupns", ""},
    [JAIL_PROTECT_SECCOMP] = {"seccomp", "a kernel with CONFIG_SECCOMP_FILTER"},
    [JAIL_PROTECT_ROOTFS] = {"rootfs", ""},
    [JAIL_PROTECT_CAPS] = {"caps", ""},
    [JAIL_PROTECT_PROC] = {"proc", ""},
    [JAIL_PROTECT_IDS] = {"ids", ""},
    [JAIL_PROTECT_NO_NEW_PRIVS] = {"no_new_privs", ""},
    [JAIL_PROTECT_SESSION] = {"session", ""},
    [JAIL_PROTECT_INIT] = {"init", ""},
    [JAIL_PROTECT_DESCRIPTORS] = {"descriptors", ""},
    [JAIL_PROTECT_RLIMITS] = {"rlimits", ""},
    [JAIL_PROTECT_CORE_DUMPS] = {"core_dumps", ""},
    [JAIL_PROTECT_BOX] = {"box", ""},
    [JAIL_PROTECT_SOCKETS] = {"sockets", ""},
    [JAIL_PROTECT_NAMESPACES] = {"namespaces", ""},
    [JAIL_PROTECT_MOUNT_API] = {"mount_api", ""},
    [JAIL_PROTECT_TRACING] = {"tracing", ""},
    [JAIL_PROTECT_KERNEL_SURFACE] = {"kernel_surface", ""},
    [JAIL_PROTECT_ARGUMENTS] = {"arguments", ""},
    [JAIL_PROTECT_FOREIGN_CALLS] = {"foreign_calls", ""},
};

const char *jail_protect_name(unsigned protection)
{
    return protection < JAIL_PROTECT_COUNT ? protections[protection].name : NULL;
}

static void add_detail(struct jail_facts *f, const char *text)
{
    size_t len = strlen(f->detail);

    snprintf(f->detail + len, sizeof(f->detail) - len, "%s%s", len > 0 ? "; " : "", text);
}

void jail_facts_miss(struct jail_facts *f, unsigned protection, const char *why)
{
    const char *advice = protections[protection].advice;
    char text[400];

    if ((f->missing & (UINT32_C(1) << protection)) != 0 && strstr(f->detail, why) != NULL)
        return; /* another profile's run said so */
    f->missing |= UINT32_C(1) << protection;
    snprintf(text, sizeof(text), "%s: %s%s%s%s", protections[protection].name, why,
             advice[0] != '\0' ? " (" : "", advice, advice[0] != '\0' ? ")" : "");
    add_detail(f, text);
}

/* What is known before a cell is tried.  The reasons for what cgroups lack are in their own detail. */
void jail_facts_begin(struct jail_facts *f, const struct cgroup_facts *cg, bool as_root)
{
    const struct {
        unsigned protection;
        bool held;
    } known[] = {{JAIL_PROTECT_CGROUP_MEMORY, cg->memory}, {JAIL_PROTECT_CGROUP_PIDS, cg->pids},
                 {JAIL_PROTECT_CGROUP_CPU, cg->cpu},       {JAIL_PROTECT_SWAP, cg->swap},
                 {JAIL_PROTECT_OOM_GROUP, cg->oom_group},  {JAIL_PROTECT_UID, as_root}};

    *f = (struct jail_facts){.cgroup_version = cg->version, .as_root = as_root};
    snprintf(f->cgroup_root, sizeof(f->cgroup_root), "%s", cg->root);
    snprintf(f->detail, sizeof(f->detail), "%s", cg->detail);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        uint32_t bit = UINT32_C(1) << known[i].protection;

        f->enforced |= known[i].held ? bit : 0;
        f->missing |= known[i].held ? 0 : bit;
    }
    if (!as_root)
        jail_facts_miss(f, JAIL_PROTECT_UID,
                        "only a jailer started as root gives each cell a uid of its own");
}

int jail_facts_judge(const struct jail_facts *f, uint32_t accepted, struct err *reterr)
{
    uint32_t refused = f->missing & ~accepted;
    char names[160] = "";

    if (refused == 0)
        return 0;
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++) {
        size_t len = strlen(names);

        if ((refused & (UINT32_C(1) << i)) != 0)
            snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "", jail_protect_name(i));
    }
    return err_set(reterr, ERR_CONFIG,
                   "cannot be enforced here: %s. %.150s. Or accept by name: worker.accept_missing", names,
                   f->detail);
}
