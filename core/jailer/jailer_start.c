/* jailer_start.c - the handshake: what the worker wants, what this machine can do. */
#include "jailer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOUNTS_MAX 64
#define VERIFY_MS 10000

struct hello {
    struct jail_hello h;
    char *words[MOUNTS_MAX + 1]; /* mounts */
    char *cgroup_root;           /* NULL: found */
};

static int read_hello(struct jailer *j, struct hello *ret, struct err *reterr)
{
    struct jail_message m;
    struct cell_entry_view e;
    struct bytes bundle;
    size_t fd_count, at = 0, count = 0;
    CLEAN_FD int fd = -1;
    ssize_t n = cell_message_recv(j->socket, &m, sizeof(m), &fd, 1, &fd_count, 0);
    int rc;

    if (n <= 0 || m.type != JAIL_HELLO || m.u.hello.version != JAIL_PROTOCOL_VERSION || fd_count != 1)
        return err_set(reterr, ERR_INTERNAL, "execd and execd-jailer are not of one build");
    ret->h = m.u.hello;
    if (ret->h.cells < 1 || ret->h.cells + ret->h.spare > JAIL_CELLS_MAX / 2 || ret->h.spare < 1)
        return err_set(reterr, ERR_CONFIG, "worker.slots: %u cells at once; at most %d are possible",
                       ret->h.cells, JAIL_CELLS_MAX / 4);
    if ((rc = cell_bundle_map(fd, &bundle, reterr)) != 0)
        return rc;
    while ((rc = cell_entry_next(bundle, &at, &e)) == 1) {
        char *word = strndup(e.body, (size_t)e.head.body_len);

        if (e.head.kind == CELL_ENTRY_ENV)
            ret->cgroup_root = word;
        else if (count < MOUNTS_MAX)
            ret->words[count++] = word;
        else
            rc = -E2BIG;
        if (rc < 0)
            break;
    }
    cell_bundle_unmap(&bundle);
    return rc < 0 ? err_set(reterr, ERR_CONFIG, "the languages ask for more than %d paths", MOUNTS_MAX) : 0;
}

/* Everything that holds once a verification cell came back clean, and what depends on the machine. */
static void fill_facts(struct jail_facts *f, const struct cell_host_facts *host)
{
    const uint32_t always = JAIL_PROTECT_USERNS | JAIL_PROTECT_PIDNS | JAIL_PROTECT_MOUNTNS |
                            JAIL_PROTECT_NETNS | JAIL_PROTECT_IPCNS | JAIL_PROTECT_UTSNS |
                            JAIL_PROTECT_CGROUPNS | JAIL_PROTECT_SECCOMP | JAIL_PROTECT_ROOTFS |
                            JAIL_PROTECT_CAPS | JAIL_PROTECT_PROC;
    const struct {
        uint32_t bit;
        bool held;
    } some[] = {{JAIL_PROTECT_CGROUP_MEMORY, host->memory}, {JAIL_PROTECT_CGROUP_PIDS, host->pids},
                {JAIL_PROTECT_CGROUP_CPU, host->cpu},       {JAIL_PROTECT_SWAP, host->swap},
                {JAIL_PROTECT_OOM_GROUP, host->oom_group},  {JAIL_PROTECT_UID, host->as_root}};

    f->enforced = always;
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        if (some[i].held)
            f->enforced |= some[i].bit;
        else
            f->missing |= some[i].bit;
    }
    f->cgroup_version = host->cgroup_version;
    f->as_root = host->as_root;
    snprintf(f->cgroup_root, sizeof(f->cgroup_root), "%s", host->cgroup_root);
    snprintf(f->detail, sizeof(f->detail), "%.300s%s%s", host->detail,
             host->detail[0] != '\0' && !host->as_root ? "; " : "",
             host->as_root
                 ? ""
                 : "uid: only a jailer started as root gives each cell a uid of its own (start execd as "
                   "root: it keeps that for its jailer alone)");
}

/* ---- the verification cell ------------------------------------------------------------- */

static int make_check(struct cell_start *s, int *ret_args, int *ret_null, struct err *reterr)
{
    *s = (struct cell_start){.check = true, .profile = 1, .stdin_fd = -1};
    s->limits = (struct job_limits){.wall_ms = VERIFY_MS,
                                    .cpu_ms = VERIFY_MS,
                                    .memory_bytes = 256u << 20,
                                    .processes = 8,
                                    .file_bytes = 1u << 20,
                                    .open_files = 64,
                                    .box_bytes = 1u << 20,
                                    .box_inodes = 64,
                                    .stack_bytes = 8u << 20};
    *ret_args = memfd_create("args", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    *ret_null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (*ret_args < 0 || *ret_null < 0 ||
        fcntl(*ret_args, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) != 0)
        return err_sys(reterr, "prepare the verification cell");
    s->args_fd = *ret_args;
    s->stdout_fd = s->stderr_fd = *ret_null;
    return 0;
}

/* Waits until the cell is in `state` or dead. */
static int wait_for(struct cell *c, enum cell_state state, uint64_t end_ns, struct err *reterr)
{
    while (cell_state(c) != state && cell_state(c) != CELL_DEAD) {
        struct pollfd p[] = {{.fd = cell_ctl_fd(c), .events = POLLIN},
                             {.fd = cell_pid_fd(c), .events = POLLIN}};

        if (clock_mono_ns() > end_ns) {
            cell_kill(c, JOB_HIT_WALL);
            end_ns = UINT64_MAX;
        }
        poll(p, 2, 100);
        if (p[0].revents != 0)
            cell_on_ctl(c);
        if (p[1].revents != 0)
            cell_on_pid(c);
    }
    if (cell_state(c) != state) {
        struct cell_result r;

        cell_result_take(c, &r);
        closep(&r.kept_fd);
        *reterr = r.err;
        return err_add(reterr, "build a cell");
    }
    return 0;
}

static int check_cell(struct cell *c, struct err *reterr)
{
    uint64_t end = clock_mono_ns() + VERIFY_MS * UINT64_C(1000000);
    CLEAN_FD int args = -1;
    CLEAN_FD int null = -1;
    struct cell_start s;
    struct cell_result r;
    int rc;

    if ((rc = wait_for(c, CELL_READY, end, reterr)) != 0 ||
        (rc = make_check(&s, &args, &null, reterr)) != 0 || (rc = cell_start(c, &s, reterr)) != 0 ||
        (rc = wait_for(c, CELL_DEAD, end, reterr)) != 0)
        return rc;
    cell_result_take(c, &r);
    closep(&r.kept_fd);
    if (r.err.code != 0)
        *reterr = r.err;
    else if (!r.measure.ran || r.measure.exit_code != 0)
        err_set(&r.err, ERR_INTERNAL, "the verification cell ended with exit code %d, signal %d",
                r.measure.exit_code, r.measure.signal);
    *reterr = r.err;
    return r.err.code;
}

static int verify(struct jailer *j, struct err *reterr)
{
    struct cell *c;
    int rc = cell_new(j->host, 0, &c, reterr);

    if (rc != 0)
        return rc;
    rc = check_cell(c, reterr);
    if (cell_state(c) != CELL_DEAD) {
        struct err ignored = {0};

        cell_kill(c, JOB_HIT_NONE);
        (void)wait_for(c, CELL_DEAD, UINT64_MAX, &ignored);
    }
    for (int i = 0; i < 200 && !cell_free(c); i++)
        usleep(5000);
    return rc;
}

int jailer_open(struct jailer *j, struct err *reterr)
{
    struct jail_message ready = {.type = JAIL_READY};
    struct hello hello = {0};
    struct cell_host_facts host;
    int rc = read_hello(j, &hello, reterr);

    if (rc == 0) {
        const struct cell_host_options o = {.cgroup_root = hello.cgroup_root,
                                            .uid_base = hello.h.uid_base,
                                            .mounts = (const char *const *)hello.words};

        rc = cell_host_open(&o, &j->host, &host, reterr);
    }
    if (rc == 0)
        rc = verify(j, reterr);
    for (size_t i = 0; i < MOUNTS_MAX; i++)
        free(hello.words[i]);
    free(hello.cgroup_root);
    if (rc != 0)
        return rc;
    j->cells = hello.h.cells;
    j->spare = hello.h.spare;
    fill_facts(&ready.u.facts, &host); /* what may be missing is the worker's to judge */
    return jailer_send(j, &ready, -1);
}
