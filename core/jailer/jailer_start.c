/* jailer_start.c - the handshake: what the worker wants. */
#include "jailer.h"

#include <unistd.h>

static int hear(struct jailer *j, struct jail_message *m, uint32_t type, int *fds, size_t max,
                size_t *ret_count, struct err *reterr)
{
    ssize_t n = cell_message_recv(j->socket, m, sizeof(*m), fds, max, ret_count, 0);

    if (n > 0 && m->type == type)
        return 0;
    for (size_t i = 0; i < *ret_count; i++)
        closep(&fds[i]);
    return err_set(reterr, ERR_INTERNAL, "execd and execd-jailer are not of one build");
}

/* Whatever was sent: a name ends, and what is a number there is none of our descriptors.  Returns how many
 * bases were announced; each is to come. */
static size_t settle_groups(struct cgroups *g)
{
    size_t announced = 0;

    g->name[sizeof(g->name) - 1] = '\0';
    for (int i = 0; i < CG_COUNT; i++)
        announced += g->bases[i] >= 0;
    return announced;
}

/* What is made and removed below the parents has a name of execd's, and a version says where limits are
 * written. */
static bool plausible(const struct cgroups *g, size_t announced)
{
    if (strchr(g->name, '/') != NULL)
        return false;
    if (g->version == 0)
        return announced == 0;
    return (g->version == 1 || g->version == 2) && announced > 0 &&
           strncmp(g->name, CGROUP_NAME_PREFIX, strlen(CGROUP_NAME_PREFIX)) == 0;
}

/* The directories that execd has prepared; their numbers in the message were execd's. */
static int hear_groups(struct jailer *j, struct cgroups *ret, struct err *reterr)
{
    int fds[CG_COUNT];
    struct jail_message m;
    size_t count, next = 0;
    int rc = hear(j, &m, JAIL_GROUPS, fds, CG_COUNT, &count, reterr);

    if (rc != 0)
        return rc;
    if (settle_groups(&m.u.groups) != count || !plausible(&m.u.groups, count)) {
        for (size_t i = 0; i < count; i++)
            closep(&fds[i]);
        return err_set(reterr, ERR_INTERNAL, "cgroups without directories");
    }
    *ret = m.u.groups;
    for (int i = 0; i < CG_COUNT; i++)
        ret->bases[i] = ret->bases[i] >= 0 ? fds[next++] : -1;
    return 0;
}

static int hear_hello(struct jailer *j, struct jail_hello *ret, struct bytes *ret_root, struct err *reterr)
{
    struct jail_message m;
    CLEAN_FD int fd = -1;
    size_t count;
    int rc = hear(j, &m, JAIL_HELLO, &fd, 1, &count, reterr);

    if (rc != 0)
        return rc;
    *ret = m.u.hello;
    if (ret->version != JAIL_PROTOCOL_VERSION)
        return err_set(reterr, ERR_INTERNAL, "execd and execd-jailer are not of one build");
    if (ret->cells < 1 || ret->cells + (uint64_t)ret->spare > JAIL_CELLS_MAX / 2 || ret->spare < 1)
        return err_set(reterr, ERR_CONFIG, "worker.slots: %u cells at once; at most %d are possible",
                       ret->cells, JAIL_CELLS_MAX / 4);
    if (ret->uid_base < 1000 || ret->uid_base > UINT32_MAX - JAIL_IDS_MAX) /* nobody's, least of all root's */
        return err_set(reterr, ERR_CONFIG, "worker.uid_base: %u; possible are 1000 to %u", ret->uid_base,
                       UINT32_MAX - JAIL_IDS_MAX);
    return cell_bundle_map(fd, ret_root, reterr);
}

/* What this machine lacks is the worker's to find out: it has a program run in a cell that tries. */
int jailer_open(struct jailer *j, struct err *reterr)
{
    struct jail_message ready = {.type = JAIL_READY,
                                 .u.as_root = geteuid() == 0}; /* before the host is made */
    struct cell_host_options o = {.groups = CGROUPS_NONE};
    struct jail_hello hello = {0};
    int rc = hear_groups(j, &o.groups, reterr);

    if (rc == 0)
        rc = hear_hello(j, &hello, &o.root, reterr);
    if (rc == 0) {
        o.uid_base = hello.uid_base;
        rc = cell_host_open(&o, &j->host, reterr);
    } else {
        cgroups_close(&o.groups);
    }
    cell_bundle_unmap(&o.root);
    if (rc != 0)
        return rc;
    j->cells = hello.cells;
    j->spare = hello.spare;
    return jailer_send(j, &ready, NULL, 0);
}
