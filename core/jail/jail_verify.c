/* jail_verify.c - what this machine and this build really enforce, found out by a program in a cell.
 *
 * execd-probe runs as an ordinary job before anything else, with each system call profile, and once to pass
 * its memory limit.  What it says and what is known about the machine make the facts; a protection that it
 * does not speak of does not hold.  core/probe/probe.h has the form of its report; a line `*: ok` says that
 * everything holds, for a stand-in where a test wants a cell that is known to be weak. */
#include "jail_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERIFY_MS 30000
#define BIT(protection) (UINT32_C(1) << (protection))
#define KNOWN_BEFORE (BIT(JAIL_PROTECT_CGROUP_CPU) | BIT(JAIL_PROTECT_SWAP) | BIT(JAIL_PROTECT_OOM_GROUP))

static const struct job_limits order = {.wall_ms = 25000,
                                        .cpu_ms = 60000, /* a machine may be busy, or emulated */
                                        .memory_bytes = 256u << 20,
                                        .processes = 16,
                                        .output_bytes = 1u << 20,
                                        .file_bytes = 2u << 20,
                                        .open_files = 64,
                                        .box_bytes = 4u << 20,
                                        .box_inodes = 64,
                                        .stack_bytes = 8u << 20};
#define TIGHT_MEMORY (UINT64_C(16) << 20)

struct verify {
    struct jail *jail;
    struct jail_run *zygote; /* NULL, or the zygote in whose cell it is tried, ... */
    char lacks[160];         /* ... and what was found to lack there */
    uint32_t uid_base;       /* of the cells, where they have uids of their own */
    uint32_t held;           /* said to be ok, by the run that is read */
    bool end, all;           /* the last line; the stand-in's word */
    char report[16384];
};

/* ---- one run ------------------------------------------------------------------------ */

/* The loop does not turn yet, and nobody else's answer can come. */
static int await_answer(struct jail *j, struct jail_message *m, struct err *reterr)
{
    struct pollfd p = {.fd = j->fd, .events = POLLIN};
    size_t count = 0;
    int kept = -1, ready;
    ssize_t n;

    while ((ready = poll(&p, 1, VERIFY_MS)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        return err_set(reterr, ERR_INTERNAL, "execd-probe did not end within %d s", VERIFY_MS / 1000);
    n = cell_message_recv(j->fd, m, sizeof(*m), &kept, 1, &count, 0);
    closep(&kept);
    if (n <= 0)
        return err_set(reterr, ERR_INTERNAL, "the jailer ended while execd-probe ran");
    if (m->type == JAIL_DONE)
        return 0;
    m->u.err.text[sizeof(m->u.err.text) - 1] = '\0';
    err_set(reterr, m->type == JAIL_FAILED ? m->u.err.code : ERR_INTERNAL, "execd-probe: %.250s",
            m->type == JAIL_FAILED ? m->u.err.text : "the jailer speaks of something else");
    return reterr->code < 0 ? reterr->code : ERR_INTERNAL;
}

/* The report fits into the pipe, so it is read when all is over. */
static int run_probe(struct verify *v, int bundle, const char *const *argv, enum jail_profile profile,
                     const struct job_limits *limits, struct job_measure *ret, struct err *reterr)
{
    struct jail_step step = {.argv = argv,
                             .bundles = {bundle},
                             .bundle_count = 1,
                             .stdin_fd = -1,
                             .limits = limits,
                             .profile = profile,
                             .zygote = v->zygote,
                             .flags = v->zygote != NULL ? JAIL_STEP_EXECUTES : 0};
    struct jail_message m = {0};
    size_t got = 0;
    ssize_t n;
    int out[2], rc;

    if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_sys(reterr, "pipe for execd-probe");
    step.stdout_fd = step.stderr_fd = out[1];
    rc = jail_send_start(v->jail, ++v->jail->next_id, &step, reterr);
    close(out[1]);
    if (rc == 0)
        rc = await_answer(v->jail, &m, reterr);
    if (rc == 0 && v->zygote != NULL && m.id == v->zygote->id)
        rc = err_set(reterr, ERR_INTERNAL, "execd-zygote ended");
    while (got < sizeof(v->report) - 1 &&
           (n = read(out[0], v->report + got, sizeof(v->report) - 1 - got)) > 0)
        got += (size_t)n;
    v->report[got] = '\0';
    close(out[0]);
    if (rc == 0)
        *ret = m.u.done.measure;
    return rc;
}

/* ---- the report ---------------------------------------------------------------------- */

static int find(const char *name)
{
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++)
        if (strcmp(jail_protect_name(i), name) == 0)
            return (int)i;
    return -1;
}

/* In a zygote's cell nothing more may lack than in others. */
static void miss(struct verify *v, unsigned which, const char *why)
{
    if (v->zygote == NULL)
        jail_facts_miss(&v->jail->facts, which, why);
    else if ((v->jail->facts.missing & BIT(which)) == 0)
        snprintf(v->lacks, sizeof(v->lacks), "%s: %.120s", jail_protect_name(which), why);
}

static int take_line(struct verify *v, char *line, struct err *reterr)
{
    char *text = strstr(line, ": ");
    bool ok;
    int which;

    if (text == NULL)
        return err_set(reterr, ERR_INTERNAL, "execd-probe says `%.100s`", line);
    *text = '\0';
    text += 2;
    ok = strcmp(text, "ok") == 0;
    if (strcmp(line, "end") == 0 || strcmp(line, "*") == 0) {
        v->end = v->end || line[0] == 'e';
        v->all = v->all || (line[0] == '*' && ok);
        return 0;
    }
    which = find(line);
    if (which < 0)
        return err_set(reterr, ERR_INTERNAL,
                       "execd-probe knows a protection `%.40s`: it is not of this build", line);
    if (ok)
        v->held |= BIT(which);
    else
        miss(v, (unsigned)which, text);
    return 0;
}

static int take_report(struct verify *v, struct err *reterr)
{
    char *rest = v->report, *line;
    int rc = 0;

    v->held = 0;
    v->end = v->all = false;
    while (rc == 0 && (line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            rc = take_line(v, line, reterr);
    return rc;
}

/* ---- the runs ----------------------------------------------------------------------------- */

/* Asked here: a cell's /proc does not show it.  What cannot be read may be. */
static bool core_is_piped(void)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");

    return f == NULL || fgetc(f) == '|';
}

static int verify_profile(struct verify *v, int bundle, enum jail_profile profile, struct err *reterr)
{
    struct jail_facts *f = &v->jail->facts;
    bool pids = (f->missing & BIT(JAIL_PROTECT_CGROUP_PIDS)) == 0;
    char words[11][48];
    const char *argv[] = {"/box/execd-probe", words[0], words[1], words[2], words[3],  words[4], words[5],
                          words[6],           words[7], words[8], words[9], words[10], NULL};
    struct job_measure m = {0};
    int rc;

    snprintf(words[0], sizeof(words[0]), "root=%d", f->as_root);
    snprintf(words[1], sizeof(words[1]), "processes=%llu", pids ? (unsigned long long)order.processes : 0);
    snprintf(words[2], sizeof(words[2]), "open_files=%llu", (unsigned long long)order.open_files);
    snprintf(words[3], sizeof(words[3]), "file_bytes=%llu", (unsigned long long)order.file_bytes);
    snprintf(words[4], sizeof(words[4]), "stack_bytes=%llu", (unsigned long long)order.stack_bytes);
    snprintf(words[5], sizeof(words[5]), "cpu_seconds=%llu", (unsigned long long)order.cpu_ms / 1000 + 2);
    snprintf(words[6], sizeof(words[6]), "box_bytes=%llu", (unsigned long long)order.box_bytes);
    snprintf(words[7], sizeof(words[7]), "box_inodes=%llu", (unsigned long long)order.box_inodes);
    snprintf(words[8], sizeof(words[8]), "core_piped=%d", core_is_piped());
    snprintf(words[9], sizeof(words[9]), "uid_base=%u", v->zygote != NULL ? CELL_UID_FIRST : v->uid_base);
    snprintf(words[10], sizeof(words[10]), "uid_count=%d", f->as_root ? JAIL_CELLS_MAX : 0);
    if ((rc = run_probe(v, bundle, argv, profile, &order, &m, reterr)) != 0 ||
        (rc = take_report(v, reterr)) != 0)
        return rc;
    if (!v->end && !v->all)
        return err_set(reterr, ERR_INTERNAL,
                       "execd-probe ended half-way (exit code %d, signal %d%s%s) with profile %d",
                       m.exit_code, m.signal, m.hit != JOB_HIT_NONE ? ", limit: " : "",
                       job_limit_hit_name(m.hit), (int)profile);
    if (v->all)
        v->held = JAIL_PROTECT_ALL;
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++)
        if (((v->held | f->missing | KNOWN_BEFORE | BIT(JAIL_PROTECT_CGROUP_MEMORY)) & BIT(i)) == 0)
            miss(v, i, "execd-probe did not try it");
    return 0;
}

static int verify_memory(struct verify *v, int bundle, struct err *reterr)
{
    const char *argv[] = {"/box/execd-probe", "memory", NULL};
    struct job_limits tight = order;
    struct job_measure m = {0};
    char why[120];
    int rc;

    tight.memory_bytes = TIGHT_MEMORY;
    if ((rc = run_probe(v, bundle, argv, JAIL_PROFILE_STRICT, &tight, &m, reterr)) != 0 ||
        (rc = take_report(v, reterr)) != 0)
        return rc;
    if (!v->all && !m.oom && m.hit != JOB_HIT_MEMORY) {
        snprintf(why, sizeof(why),
                 "a program beyond its limit of memory ended otherwise (exit code %d, signal %d%s%s)",
                 m.exit_code, m.signal, m.hit != JOB_HIT_NONE ? ", " : "", job_limit_hit_name(m.hit));
        jail_facts_miss(&v->jail->facts, JAIL_PROTECT_CGROUP_MEMORY, why);
    }
    return 0;
}

/* execd-zygote, its fork that executes the probe, and the end of both, which are two answers. */
static int verify_forked(struct verify *v, int probe, int zygote, struct err *reterr)
{
    const char *argv[] = {"/box/execd-zygote", NULL};
    CLEAN_FD int said =
        memfd_create("said", MFD_CLOEXEC); /* /dev/null is not for execd to write to any more */
    struct jail_run run = {.jail = v->jail, .id = ++v->jail->next_id};
    struct jail_step step = {.argv = argv,
                             .bundles = {zygote},
                             .bundle_count = 1,
                             .stdin_fd = -1,
                             .stdout_fd = said,
                             .stderr_fd = said,
                             .limits = &order,
                             .profile = JAIL_PROFILE_STRICT,
                             .flags = JAIL_STEP_ZYGOTE};
    struct jail_message kill = {.type = JAIL_KILL, .u.why = JOB_HIT_WALL}, m;
    struct err ignored = {0};
    int rc =
        said < 0 ? err_sys(reterr, "memfd for a zygote") : jail_send_start(v->jail, run.id, &step, reterr);

    if (rc != 0)
        return rc;
    v->zygote = &run;
    rc = verify_profile(v, probe, JAIL_PROFILE_STRICT, reterr);
    v->zygote = NULL;
    for (uint32_t id = run.id; id <= v->jail->next_id; id++) {
        kill.id = id;
        (void)cell_message_send(v->jail->fd, &kill, sizeof(kill), NULL, 0, MSG_DONTWAIT);
    }
    (void)await_answer(v->jail, &m, &ignored);
    return rc;
}

/* That there are none is no fault: jobs start cold then. */
static void verify_zygotes(struct verify *v, int probe, struct bytes program)
{
    struct jail_facts *f = &v->jail->facts;
    struct jail_bundle *b = jail_bundle_new("zygote");
    CLEAN_FD int bundle = -1;
    struct err err = {0};

    if (program.len == 0)
        err_set(&err, ERR_CONFIG, "execd-zygote is not beside the jailer");
    if (program.len == 0 || jail_bundle_file(b, "execd-zygote", program, 0755, &err) != 0)
        jail_bundle_free(b);
    else if (jail_bundle_seal(b, &bundle, &err) == 0)
        (void)verify_forked(v, probe, bundle, &err);
    f->zygotes = err.code == 0 && v->lacks[0] == '\0';
    snprintf(f->no_zygotes, sizeof(f->no_zygotes), "%.250s", err.code != 0 ? err.text : v->lacks);
}

int jail_verify(struct jail *j, struct bytes probe, struct bytes zygote, uint32_t uid_base,
                struct err *reterr)
{
    struct verify *v = NEW(struct verify);
    struct jail_bundle *b = jail_bundle_new("probe");
    CLEAN_FD int bundle = -1;
    int rc = jail_bundle_file(b, "execd-probe", probe, 0755, reterr);

    v->jail = j;
    v->uid_base = uid_base;
    if (rc != 0)
        jail_bundle_free(b);
    else
        rc = jail_bundle_seal(b, &bundle, reterr);
    for (int p = JAIL_PROFILE_STRICT; rc == 0 && p <= JAIL_PROFILE_JIT; p++)
        rc = verify_profile(v, bundle, (enum jail_profile)p, reterr);
    if (rc == 0 && (j->facts.missing & BIT(JAIL_PROTECT_CGROUP_MEMORY)) == 0)
        rc = verify_memory(v, bundle, reterr);
    if (rc == 0)
        verify_zygotes(v, bundle, zygote);
    free(v);
    if (rc == 0)
        j->facts.enforced = JAIL_PROTECT_ALL & ~j->facts.missing;
    return rc;
}
