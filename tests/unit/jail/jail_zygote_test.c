/* jail_zygote_test.c - cells forked by zygotes: as closed as others, and nothing is left of them. */
#include "cells.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "jail_internal.h"

/* A zygote and the run that it is. */
struct zygote {
    struct ran ran;
    struct begun begun;
};

static int bundle_of(const char *path, const char *name)
{
    struct jail_bundle *b = jail_bundle_new(name);
    struct err err = {0};
    struct bytes body;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), sealed;
    char *bytes;

    assert_return_code(fstat(fd, &st), errno);
    bytes = malloc((size_t)st.st_size);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    body = (struct bytes){bytes, (size_t)st.st_size};
    if (jail_bundle_file(b, name, body, 0755, &err) != 0 || jail_bundle_seal(b, &sealed, &err) != 0)
        fail_msg("%s", err.text);
    free(bytes);
    return sealed;
}

static void zygote_begin(struct zygote *z, const char *path)
{
    const char *argv[] = {"/box/zygote_jobs", NULL};
    struct job_limits l = usual;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .flags = JAIL_STEP_ZYGOTE, .limits = &l};

    l.box_bytes = 64 * MIB;
    l.open_files = 256;
    l.wall_ms = 1; /* has none */
    s.bundles[0] = bundle_of(path, "zygote_jobs");
    s.bundle_count = 1;
    z->begun = begin(&z->ran, &s);
    close(s.bundles[0]);
}

static void zygote_end(struct zygote *z)
{
    jail_kill(z->begun.run, JOB_HIT_WALL);
    finish(&z->ran, z->begun);
    assert_int_equal(z->ran.err.code, 0);
    assert_int_equal(z->ran.outcome.measure.hit, JOB_HIT_WALL);
}

/* ---- the same walls ------------------------------------------------------------------------- */

static void probe(struct ran *r, struct jail_run *zygote, enum jail_profile profile, const char *path)
{
    char root[16], base[32], uids[32];
    const char *argv[] = {"/box/execd-probe",
                          root,
                          "processes=32",
                          "open_files=64",
                          "file_bytes=16777216",
                          "stack_bytes=8388608",
                          "cpu_seconds=12",
                          "box_bytes=33554432",
                          "box_inodes=512",
                          "core_piped=0",
                          base,
                          uids,
                          NULL};
    struct jail_step s = {.argv = argv,
                          .stdin_fd = -1,
                          .zygote = zygote,
                          .profile = profile,
                          .flags = zygote != NULL ? JAIL_STEP_EXECUTES : 0};

    snprintf(root, sizeof(root), "root=%d", jail_facts(jail)->as_root);
    /* the map of a user namespace is told in the ids of the one around it */
    snprintf(base, sizeof(base), "uid_base=%u", zygote != NULL ? CELL_UID_FIRST : 1900000000u);
    snprintf(uids, sizeof(uids), "uid_count=%d", jail_facts(jail)->as_root ? JAIL_CELLS_MAX : 0);
    s.bundles[0] = bundle_of(path, "execd-probe");
    s.bundle_count = 1;
    run(r, &s);
    close(s.bundles[0]);
    if (r->err.code != 0)
        fail_msg("%s", r->err.text);
    assert_non_null(strstr(r->out, "end: ok"));
}

static void test_a_forked_cell_is_as_closed_as_a_cold_one(void **state)
{
    static struct ran cold, warm;
    static struct zygote z;

    (void)state;
    zygote_begin(&z, EXECD_ZYGOTE);
    for (int p = JAIL_PROFILE_STRICT; p <= JAIL_PROFILE_JIT; p++) {
        probe(&cold, NULL, (enum jail_profile)p, EXECD_PROBE);
        if (z.ran.over) {
            finish(&z.ran, z.begun);
            fail_msg("the zygote ended: %d %s %s", z.ran.outcome.measure.exit_code, z.ran.err.text,
                     z.ran.errs);
        }
        probe(&warm, z.begun.run, (enum jail_profile)p, EXECD_PROBE);
        assert_string_equal(warm.out, cold.out);
    }
    zygote_end(&z);
}

/* ---- jobs ------------------------------------------------------------------------------- */

static struct zygote z; /* of zygote_jobs, for the tests below */
static int program;     /* a bundle with it */

static int with_zygote(void **state)
{
    (void)state;
    program = bundle_of(ZYGOTE_JOBS, "zygote_jobs");
    zygote_begin(&z, ZYGOTE_JOBS);
    return 0;
}

static int without_zygote(void **state)
{
    (void)state;
    zygote_end(&z);
    close(program);
    return 0;
}

static struct begun job_begin(struct ran *r, struct jail_run *of, const struct job_limits *l,
                              const char *what, const char *with)
{
    const char *argv[] = {"/box/zygote_jobs", what, with, NULL};
    const char *env[] = {"A=1", "B=two words", NULL};
    struct jail_step s = {.argv = argv,
                          .env = env,
                          .bundles = {program},
                          .bundle_count = of == NULL || strcmp(what, "facts") == 0,
                          .stdin_fd = -1,
                          .limits = l,
                          .zygote = of};

    return begin(r, &s);
}

static void job(struct ran *r, const struct job_limits *l, const char *what, const char *with)
{
    finish(r, job_begin(r, z.begun.run, l, what, with));
    if (r->err.code != 0)
        fail_msg("%s: %s; the zygote: %d %s", what, r->err.text, z.ran.over, z.ran.err.text);
}

/* Cold, the same program is executed: but for that a job cannot tell. */
static void test_a_job_finds_what_a_cold_one_finds(void **state)
{
    static struct ran cold, warm;

    (void)state;
    finish(&cold, job_begin(&cold, NULL, NULL, "facts", "with words"));
    job(&warm, NULL, "facts", "with words");
    assert_string_equal(warm.out, cold.out);
    assert_string_equal(warm.errs, "");
    assert_non_null(
        strstr(warm.out, "pid 2 1, session 1, group 1, uid 1000 1000, gid 1000 1000, groups 0\n"));
    assert_non_null(strstr(warm.out,
                           "argv: `/box/zygote_jobs` `facts` `with words`\nenv: `A=1` `B=two words`\n"
                           "descriptors: 0 1 2\n"));
    assert_non_null(strstr(warm.out, "/box: . .. zygote_jobs\n"));
}

static void test_how_a_job_ends(void **state)
{
    static struct ran r;

    (void)state;
    job(&r, NULL, "exit", "0");
    assert_int_equal(r.outcome.measure.exit_code, 0);
    job(&r, NULL, "exit", "42");
    assert_int_equal(r.outcome.measure.exit_code, 42);
    job(&r, NULL, "signal", "15");
    assert_int_equal(r.outcome.measure.signal, 15);
    job(&r, NULL, "signal", "6");
    assert_int_equal(r.outcome.measure.signal, 6);
    job(&r, NULL, "signal", "10"); /* SIGUSR1, which the zygote has a handler for */
    assert_int_equal(r.outcome.measure.exit_code, 77);
}

static void test_input(void **state)
{
    const char *argv[] = {"/box/zygote_jobs", "cat", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .zygote = z.begun.run};
    struct err err = {0};

    (void)state;
    assert_int_equal(jail_memfd("in", (struct bytes){"two\nlines\n", 10}, &s.stdin_fd, &err), 0);
    run(&r, &s);
    close(s.stdin_fd);
    assert_string_equal(r.out, "two\nlines\n");
    assert_int_equal(r.outcome.measure.exit_code, 0);
}

static void test_limits_of_time(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.wall_ms = 200;
    job(&r, &l, "stay", "wall");
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_WALL);
    assert_in_range(r.outcome.measure.wall_ns / 1000000, 200, 9000);
    l = usual;
    l.cpu_ms = 200;
    job(&r, &l, "burn", NULL);
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_CPU);
    assert_in_range(r.outcome.measure.cpu_ns / 1000000, 200, 2000);
}

static void test_limits_of_space(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.memory_bytes = 32 * MIB;
    job(&r, &l, "memory", NULL);
    assert_true(r.outcome.measure.oom);
    assert_in_range(r.outcome.measure.memory_bytes, 30 * MIB, 32 * MIB);
    l = usual;
    l.processes = 8;
    job(&r, &l, "fork", NULL);
    assert_true(r.outcome.processes_hit > 0);
    assert_non_null(strstr(r.out, "refused after 7:"));
    l = usual;
    l.box_bytes = 4 * MIB;
    job(&r, &l, "fill", "/tmp/a");
    assert_string_equal(r.out, "4194304: No space left on device\n");
    assert_true(r.outcome.measure.box_hit);
    l.box_bytes = 32 * MIB;
    l.file_bytes = MIB;
    job(&r, &l, "fill", "/box/a");
    assert_int_equal(r.outcome.measure.signal, SIGXFSZ);
}

static void test_jobs_do_not_see_each_other(void **state)
{
    static struct ran r;

    (void)state;
    for (int i = 0; i < 3; i++) {
        job(&r, NULL, "put", "/box/here");
        assert_string_equal(r.out, "");
        job(&r, NULL, "count", NULL);
        assert_string_equal(r.out, "1\n");
    }
}

/* ---- from outside -------------------------------------------------------------------------- */

/* A number behind `key` in /proc/PID/status; -1: the process is gone. */
static long status_number(pid_t pid, const char *key)
{
    char path[64], line[256];
    long n = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if ((f = fopen(path, "re")) == NULL)
        return -1;
    while (n < 0 && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            n = strtol(line + strlen(key), NULL, 10);
    fclose(f);
    return n;
}

static void name_of(pid_t pid, char name[64])
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    name[0] = '\0';
    if ((f = fopen(path, "re")) == NULL)
        return;
    if (fgets(name, 64, f) != NULL)
        name[strcspn(name, "\n")] = '\0';
    fclose(f);
}

static bool below_jailer(pid_t pid)
{
    while (pid > 1 && pid != jailer_pid)
        pid = (pid_t)status_number(pid, "PPid:");
    return pid == jailer_pid;
}

/* Those of our jailer's; the last one's pid, or -1. */
static unsigned processes_named(const char *name, pid_t *ret)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    unsigned n = 0;

    *ret = -1;
    while ((e = readdir(d)) != NULL) {
        pid_t pid = (pid_t)atoi(e->d_name);
        char is[64];

        if (pid <= 1 || !below_jailer(pid))
            continue;
        name_of(pid, is);
        if (name == NULL || strcmp(is, name) == 0) {
            *ret = pid;
            n++;
        }
    }
    closedir(d);
    return n;
}

static void await_line(const struct begun *b)
{
    struct pollfd p = {.fd = b->out, .events = POLLIN};

    assert_int_equal(poll(&p, 1, 60000), 1);
}

static void test_each_job_has_a_uid_of_its_own(void **state)
{
    static struct ran r[2];
    struct begun b[2];
    long uids[2], of_zygote;
    pid_t pid;

    (void)state;
    if (!jail_facts(jail)->as_root)
        skip();
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "job-one" : "job-two";

        b[i] = job_begin(&r[i], z.begun.run, NULL, "stay", name);
        await_line(&b[i]);
        assert_int_equal(processes_named(name, &pid), 1);
        uids[i] = status_number(pid, "Uid:");
        assert_in_range(uids[i], 1900000000, 1900000000 + JAIL_CELLS_MAX - 1);
    }
    assert_int_not_equal(uids[0], uids[1]);
    assert_true(processes_named("zygote_jobs", &pid) >= 1);
    of_zygote = status_number(pid, "Uid:");
    for (int i = 0; i < 2; i++) {
        jail_kill(b[i].run, JOB_HIT_WALL);
        finish(&r[i], b[i]);
    }
    /* the last that is named so is a fork that waits or the zygote: whichever, nobody's */
    assert_in_range(of_zygote, 1900000000, 1900000000 + 2 * JAIL_CELLS_MAX - 1);
}

static unsigned descriptors_of(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    if ((d = opendir(path)) == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

#define DESCRIPTORS_KEPT                                                                                     \
    100 /* of dead cells' cgroups, for the next ones; half of what one a job would be                        \
         */
/* Until what it builds ahead is there again, and what ended is gone. */
static void await_calm(unsigned processes, unsigned descriptors)
{
    unsigned now = 0, fds = 0;
    pid_t pid;

    for (int i = 0; i < 1000; i++) {
        now = processes_named(NULL, &pid);
        fds = descriptors_of(jailer_pid);
        if (now == processes && fds < descriptors + DESCRIPTORS_KEPT)
            return;
        usleep(10000);
    }
    fail_msg("%u processes and %u descriptors where there were %u and %u", now, fds, processes, descriptors);
}

static void test_many_in_sequence_leave_nothing(void **state)
{
    unsigned processes, descriptors;
    static struct zygote other;
    static struct ran r;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip(); /* another's descriptors are to be counted */
    job(&r, NULL, "count", NULL);
    /* the jailer, two plain cells ready, the zygote's init and itself, two forked cells of two processes each
     */
    processes = 1 + 2 + 2 + 2 * 2;
    for (int i = 0; i < 300 && processes_named(NULL, &pid) != processes; i++)
        usleep(10000);
    processes = processes_named(NULL, &pid); /* a plain cell more may be left of a run that was waited for */
    descriptors = descriptors_of(jailer_pid);
    for (int i = 0; i < 200; i++) {
        job(&r, NULL, "count", NULL);
        assert_string_equal(r.out, "1\n");
    }
    for (int i = 0; i < 5; i++) { /* before it has a cell, most likely */
        zygote_begin(&other, ZYGOTE_JOBS);
        zygote_end(&other);
    }
    await_calm(processes, descriptors);
}

/* ---- ends -------------------------------------------------------------------------------------- */

static void test_a_zygotes_end_is_its_jobs_end(void **state)
{
    static struct ran running, waiting, late, cold;
    struct begun a, b;
    struct zygote other;
    pid_t pid;

    (void)state;
    zygote_begin(&other, ZYGOTE_JOBS);
    a = job_begin(&running, other.begun.run, NULL, "stay", "job-lost");
    await_line(&a);
    assert_int_equal(processes_named("job-lost", &pid), 1);
    jail_kill(other.begun.run, JOB_HIT_WALL);
    b = job_begin(&waiting, other.begun.run, NULL, "count", NULL);
    finish(&running, a);
    finish(&waiting, b);
    finish(&other.ran, other.begun);
    assert_int_equal(running.err.code, ERR_AGAIN);
    assert_int_equal(waiting.err.code, ERR_AGAIN);
    assert_int_equal(processes_named("job-lost", &pid), 0);
    (void)late;
    /* nobody else's run is touched */
    finish(&cold, job_begin(&cold, NULL, NULL, "count", NULL));
    assert_string_equal(cold.out, "1\n");
    job(&cold, NULL, "count", NULL);
    assert_string_equal(cold.out, "1\n");
}

/* Killed by the machine, or by its own fault. */
static void test_a_zygote_that_dies(void **state)
{
    static struct ran running;
    struct begun a;
    struct zygote other;
    pid_t pid, parent;

    (void)state;
    if (geteuid() != 0)
        skip(); /* it is nobody's to kill but root's */
    zygote_begin(&other, ZYGOTE_JOBS);
    a = job_begin(&running, other.begun.run, NULL, "stay", "job-lost");
    await_line(&a);
    assert_int_equal(processes_named("job-lost", &pid), 1);
    parent = (pid_t)status_number((pid_t)status_number(pid, "PPid:"), "PPid:");
    assert_int_equal(kill(parent, SIGKILL), 0);
    finish(&running, a);
    finish(&other.ran, other.begun);
    assert_int_equal(running.err.code, ERR_AGAIN);
    assert_int_equal(other.ran.err.code, 0);
    assert_int_equal(other.ran.outcome.measure.signal, SIGKILL);
}

/* One that never serves keeps its own runs waiting, and nobody else's; a run of none is told so. */
static void test_a_zygote_that_does_not_serve(void **state)
{
    const char *argv[] = {"/bin/sleep", "1000", NULL}, *ends[] = {"/bin/true", NULL};
    static struct ran deaf, waiting, other, gone;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .flags = JAIL_STEP_ZYGOTE};
    struct begun a, b;

    (void)state;
    a = begin(&deaf, &s);
    b = job_begin(&waiting, a.run, NULL, "count", NULL);
    job(&other, NULL, "count", NULL);
    assert_false(waiting.over);
    jail_kill(b.run, JOB_HIT_WALL);
    finish(&waiting, b);
    assert_int_equal(waiting.outcome.measure.hit, JOB_HIT_WALL);
    b = job_begin(&waiting, a.run, NULL, "count", NULL);
    jail_kill(a.run, JOB_HIT_WALL);
    finish(&waiting, b);
    finish(&deaf, a);
    assert_int_equal(waiting.err.code, ERR_AGAIN);
    s.argv = ends;
    a = begin(&deaf, &s);
    b = job_begin(&gone, a.run, NULL, "count", NULL);
    finish(&gone, b);
    finish(&deaf, a);
    assert_int_equal(gone.err.code, ERR_AGAIN);
}

int main(void)
{
    const struct CMUnitTest walls[] = {
        cmocka_unit_test(test_a_forked_cell_is_as_closed_as_a_cold_one),
    };
    const struct CMUnitTest jobs[] = {
        cmocka_unit_test(test_a_job_finds_what_a_cold_one_finds),
        cmocka_unit_test(test_how_a_job_ends),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_limits_of_time),
        cmocka_unit_test(test_limits_of_space),
        cmocka_unit_test(test_jobs_do_not_see_each_other),
        cmocka_unit_test(test_each_job_has_a_uid_of_its_own),
        cmocka_unit_test(test_a_zygotes_end_is_its_jobs_end),
        cmocka_unit_test(test_a_zygote_that_dies),
        cmocka_unit_test(test_a_zygote_that_does_not_serve),
        cmocka_unit_test(test_many_in_sequence_leave_nothing),
    };
    int failed;

    if (setup(NULL) != 0)
        return 1;
    failed = cmocka_run_group_tests(walls, NULL, NULL);
    failed += cmocka_run_group_tests(jobs, with_zygote, without_zygote);
    teardown(NULL);
    return failed;
}
