/* jail_cell_test.c - real cells through the real jailer: what they run, what they refuse, what they leave. */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cells.h"

static void shell(struct ran *r, const char *script, const struct job_limits *limits)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", NULL};
    struct jail_step s = {.argv = argv, .env = env, .stdin_fd = -1, .limits = limits};

    run(r, &s);
}

static void python(struct ran *r, const char *script, const struct job_limits *limits)
{
    const char *argv[] = {"/usr/bin/python3", "-I", "-S", "-c", script, NULL};
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .limits = limits};

    run(r, &s);
}

static bool have_python(void)
{
    return access("/usr/bin/python3", X_OK) == 0;
}

/* ---- what runs --------------------------------------------------------------------- */

static void test_hello(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "echo hello; echo wrong >&2", NULL);
    assert_int_equal(r.err.code, 0);
    assert_string_equal(r.out, "hello\n");
    assert_string_equal(r.errs, "wrong\n");
    assert_true(r.outcome.measure.ran);
    assert_int_equal(r.outcome.measure.exit_code, 0);
    assert_int_equal(r.outcome.measure.signal, 0);
    assert_true(r.outcome.measure.wall_ns > 0);
    assert_true(r.outcome.measure.cpu_ns > 0);
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_NONE);
}

static void test_exit_codes_and_signals(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "exit 7", NULL);
    assert_int_equal(r.outcome.measure.exit_code, 7);
    shell(&r, "kill -SEGV $$", NULL);
    assert_int_equal(r.outcome.measure.signal, SIGSEGV);
    assert_int_equal(r.outcome.measure.exit_code, -1);
}

static void test_stdin(void **state)
{
    const char *argv[] = {"/bin/cat", NULL};
    static struct ran r;
    struct err err = {0};
    struct jail_step s = {.argv = argv};

    (void)state;
    assert_int_equal(jail_memfd("stdin", bytes_of("a\nb\n"), &s.stdin_fd, &err), 0);
    run(&r, &s);
    close(s.stdin_fd);
    assert_string_equal(r.out, "a\nb\n");
}

static void test_without_input(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "read line || echo none; ls -l /proc/self/fd/0", NULL);
    assert_memory_equal(r.out, "none\n", 5);
    assert_non_null(strstr(r.out, " -> /dev/null\n"));
}

static void test_missing_program_is_our_fault(void **state)
{
    const char *argv[] = {"/nowhere/program", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};

    (void)state;
    finish(&r, begin(&r, &s));
    assert_int_not_equal(r.err.code, 0);
    assert_non_null(strstr(r.err.text, "/nowhere/program"));
}

static void test_files_in_and_out(void **state)
{
    const char *argv[] = {"/bin/sh", "-c",
                          "cat dir/in; mkdir -p out/deep; echo made > out/deep/file; chmod 755 out/deep/file",
                          NULL};
    const char *again[] = {"/bin/sh", "-c", "cat out/deep/file; test -x out/deep/file && echo runs", NULL};
    const char *keep[] = {"out", NULL};
    static struct ran r;
    struct err err = {0};
    struct jail_bundle *b = jail_bundle_new("files");
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .bundle_count = 1, .keep = keep, .keep_bytes = MIB};
    struct jail_step t = {.argv = again, .stdin_fd = -1, .bundle_count = 1};

    (void)state;
    assert_int_equal(jail_bundle_file(b, "../x", bytes_of("x"), 0644, &err), ERR_REQUEST);
    assert_int_equal(jail_bundle_file(b, "/x", bytes_of("x"), 0644, &err), ERR_REQUEST);
    assert_int_equal(jail_bundle_file(b, "a//b", bytes_of("x"), 0644, &err), ERR_REQUEST);
    assert_int_equal(jail_bundle_file(b, "dir/in", bytes_of("given\n"), 0444, &err), 0);
    assert_int_equal(jail_bundle_seal(b, &s.bundles[0], &err), 0);
    run(&r, &s);
    close(s.bundles[0]);
    assert_string_equal(r.out, "given\n");
    assert_true(r.outcome.kept_fd >= 0);
    t.bundles[0] = r.outcome.kept_fd;
    run(&r, &t);
    close(t.bundles[0]);
    assert_string_equal(r.out, "made\nruns\n");
}

static void keep_fails(const char *script, uint64_t keep_bytes, const char *why)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *keep[] = {"out", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .keep = keep, .keep_bytes = keep_bytes};

    finish(&r, begin(&r, &s));
    assert_int_equal(r.err.code, ERR_REQUEST);
    assert_non_null(strstr(r.err.text, why));
}

static void test_what_may_not_be_kept(void **state)
{
    (void)state;
    keep_fails("true", MIB, "not made");
    keep_fails("ln -s /etc/passwd out", MIB, "not made");
    keep_fails("mkdir out; ln -s /etc out/etc", MIB, "not made");
    keep_fails("mkfifo out", MIB, "no regular file");
    keep_fails("head -c 100000 /dev/zero > out", 1000, "too large");
}

/* ---- limits --------------------------------------------------------------------------- */

/* What would read as "no limit" in the end, by itself or by what is added to it, is refused by name. */
static void test_limits_that_are_none(void **state)
{
    const char *argv[] = {"/bin/true", NULL};
    struct job_limits l = usual;
    static struct ran r;
    struct {
        uint64_t *field, value;
        const char *text;
    } bad[] = {{&l.processes, UINT64_MAX, "processes of 18446744073709551615"},
               {&l.memory_bytes, 0, "memory_bytes of 0"},
               {&l.box_bytes, 0, "box_bytes of 0"},
               {&l.wall_ms, UINT64_C(1) << 43, "wall_ms of 8796093022208"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct jail_step s = {.argv = argv, .stdin_fd = -1, .limits = &l};

        l = usual;
        *bad[i].field = bad[i].value;
        finish(&r, begin(&r, &s));
        assert_int_equal(r.err.code, ERR_INTERNAL);
        assert_non_null(strstr(r.err.text, bad[i].text));
    }
    shell(&r, "echo alive", NULL);
    assert_string_equal(r.out, "alive\n");
}

static void test_wall_limit(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.wall_ms = 100;
    do { /* a limit that a slow machine reaches behind the first word */
        l.wall_ms *= 2;
        shell(&r, "echo before; sleep 60", &l);
        assert_int_equal(r.outcome.measure.hit, JOB_HIT_WALL);
        assert_in_range(r.outcome.measure.wall_ns / 1000000, l.wall_ms, l.wall_ms + 4800);
    } while (r.out[0] == '\0' && l.wall_ms < 20000);
    assert_string_equal(r.out, "before\n");
}

static void test_cpu_limit(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.cpu_ms = 300;
    shell(&r, "while :; do :; done & while :; do :; done", &l);
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_CPU);
    assert_in_range(r.outcome.measure.cpu_ns / 1000000, 300, 2000);
}

static void test_memory_limit(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.memory_bytes = 32 * MIB;
    shell(&r, "a=x; while :; do a=$a$a; done", &l); /* quick even on an emulated machine */
    if (!r.outcome.measure.oom)
        fail_msg("stopped by limit %d, signal %d, after %llu ms", (int)r.outcome.measure.hit,
                 r.outcome.measure.signal, (unsigned long long)(r.outcome.measure.wall_ns / 1000000));
    assert_in_range(r.outcome.measure.memory_bytes, 30 * MIB, 32 * MIB);
}

static void test_box_counts_as_memory_and_is_bounded(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.box_bytes = 4 * MIB;
    shell(&r, "head -c 10000000 /dev/zero > /tmp/a || echo full; wc -c < /tmp/a", &l);
    assert_non_null(strstr(r.out, "full\n4194304\n"));
    l.box_bytes = 64 * MIB;
    l.file_bytes = 64 * MIB;
    l.memory_bytes = 16 * MIB;
    shell(&r, "head -c 40000000 /dev/zero > /dev/shm/a", &l);
    assert_true(r.outcome.measure.oom);
    l.box_inodes = 16;
    shell(&r, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do : > f$i || echo full; done",
          &l);
    assert_non_null(strstr(r.errs, "f1"));
}

static void test_fork_bomb(void **state)
{
    struct job_limits l = usual;
    static struct ran r;

    (void)state;
    l.wall_ms = 500;
    l.processes = 16;
    do { /* a limit that a slow machine reaches with sixteen of them */
        l.wall_ms *= 2;
        shell(&r, "bomb() { bomb | bomb & }; bomb; sleep 60", &l);
    } while (r.outcome.processes_hit == 0 && l.wall_ms < 20000);
    assert_true(r.outcome.processes_hit > 0);
    shell(&r, "echo alive", NULL);
    assert_string_equal(r.out, "alive\n");
}

static void test_resource_limits(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "ulimit -n; ulimit -c; ulimit -f", NULL);
    assert_non_null(strstr(r.out, "64\n0\n"));
}

static void test_result_is_fixed_when_the_program_ends(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "sleep 20 & exit 3", NULL);
    assert_int_equal(r.outcome.measure.exit_code, 3);
    assert_true(r.outcome.measure.wall_ns < UINT64_C(8000000000));
}

static void test_kill(void **state)
{
    const char *argv[] = {"/bin/sleep", "20", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};
    struct begun b;

    (void)state;
    b = begin(&r, &s);
    jail_kill(b.run, JOB_HIT_OUTPUT);
    finish(&r, b);
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_OUTPUT);
    assert_true(r.outcome.measure.ran);
}

/* ---- walls -------------------------------------------------------------------------------- */

/* What all cells use can be read while they run. */
static void test_usage_of_all(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "head -c 20000000 /dev/zero > /tmp/x; echo there; exec sleep 60",
                          NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};
    uint64_t memory, cpu, before;
    struct pollfd p;
    struct begun b;

    (void)state;
    jail_usage(jail, &memory, &before);
    b = begin(&r, &s);
    p = (struct pollfd){.fd = b.out, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 60000), 1);
    jail_usage(jail, &memory, &cpu);
    jail_kill(b.run, JOB_HIT_WALL);
    finish(&r, b);
    assert_string_equal(r.out, "there\n");
    assert_in_range(memory, 10000000, 200 * MIB); /* the kernel adds its counters up in batches */
    assert_in_range(cpu, before + 1, before + 10000000000u);
}

static void test_processes_and_identity(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r,
          "echo $$ $(id -u) $(id -g) $(hostname); ls -d /proc/[0-9]* | wc -l; grep -E "
          "'Cap(Eff|Bnd)|NoNew|Seccomp:' /proc/self/status",
          NULL);
    assert_non_null(strstr(r.out, "2 1000 1000 execd\n"));
    assert_non_null(strstr(r.out, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(r.out, "CapBnd:\t0000000000000000"));
    assert_non_null(strstr(r.out, "NoNewPrivs:\t1"));
    assert_non_null(strstr(r.out, "Seccomp:\t2"));
}

static void test_root_is_read_only(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r,
          "for d in / /etc /usr /dev /proc /run; do (: > $d/x) 2>/dev/null && echo wrote $d; done; ls /; ls "
          "/run",
          NULL);
    assert_null(strstr(r.out, "wrote"));
    assert_null(strstr(r.out, "root\n"));
    assert_null(strstr(r.out, "home"));
}

static void test_shown_elsewhere(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "ls -d /shown/lib; touch /shown/lib/x || echo read-only; ls /x", NULL);
    assert_string_equal(r.out, "/shown/lib\nread-only\n");
}

static void test_places_of_the_cell_are_refused(void **state)
{
    static const char *const hidden[] = {"/usr/lib:/tmp/lib", NULL};
    static const char *const twice[] = {"/usr/lib:/shown", "/usr/bin:/shown", NULL};
    struct jail *old = jail;
    struct err err = {0};

    (void)state;
    assert_int_not_equal(open_jail(1, hidden, &err), 0);
    assert_non_null(
        strstr(err.text, "a language needs `/tmp/lib`, and that place in a cell is the cell's own"));
    assert_int_not_equal(open_jail(1, twice, &err), 0);
    assert_non_null(strstr(err.text, "cells show something else there"));
    jail = old;
}

static void test_no_network(void **state)
{
    static struct ran r;

    (void)state;
    if (!have_python()) {
        print_message("skipped: no /usr/bin/python3 here\n");
        skip();
    }
    python(&r,
           "import socket\n"
           "for f in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, 16, 17, 40):\n"
           "  try:\n    socket.socket(f, socket.SOCK_DGRAM); print('open', f)\n  except OSError as e: pass\n"
           "a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))",
           NULL);
    assert_string_equal(r.out, "b'x'\n");
}

static void test_nothing_is_shared_between_cells(void **state)
{
    static struct ran r;

    (void)state;
    for (int i = 0; i < 8; i++) {
        shell(&r, "ls -A /box /tmp /dev/shm; touch /box/a /tmp/a /dev/shm/a", NULL);
        assert_null(strstr(r.out, "a\n"));
    }
}

static void test_init_cannot_be_touched(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r,
          "kill -9 1; kill -STOP 1; kill -TERM 1; cat /proc/1/environ /proc/1/maps 2>/dev/null; echo still",
          NULL);
    assert_string_equal(r.out, "still\n");
    assert_int_equal(r.outcome.measure.exit_code, 0);
}

static void test_descriptors_are_three(void **state)
{
    static struct ran r;

    (void)state;
    shell(&r, "for i in 3 4 5 6 7 8 9; do (: <&$i) 2>/dev/null && echo open $i; done; echo end", NULL);
    assert_string_equal(r.out, "end\n");
}

/* ---- many, and the end ----------------------------------------------------------------------- */

static size_t open_fds(pid_t pid)
{
    char path[64];
    DIR *d;
    size_t n = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    d = opendir(path);
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n;
}

static void test_many_in_sequence_leak_nothing(void **state)
{
    static struct ran r;
    size_t ours, theirs;

    (void)state;
    shell(&r, ":", NULL);
    ours = open_fds(getpid());
    theirs = open_fds(jailer_pid);
    for (int i = 0; i < 100; i++) {
        shell(&r, "echo x", NULL);
        assert_string_equal(r.out, "x\n");
    }
    assert_int_equal(open_fds(getpid()), ours);
    assert_true(open_fds(jailer_pid) <= theirs + 60); /* cells that are being built or buried */
}

static void test_all_cells_at_once(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "sleep 0.2; echo x", NULL};
    static struct ran r[4], extra;
    struct begun b[4];
    struct err err = {0};
    struct jail_run *run_handle;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};

    (void)state;
    for (int i = 0; i < 4; i++)
        b[i] = begin(&r[i], &s);
    assert_int_equal(jail_run(jail, &s, on_done, &extra, &run_handle, &err), ERR_FULL);
    for (int i = 0; i < 4; i++) {
        finish(&r[i], b[i]);
        assert_string_equal(r[i].out, "x\n");
    }
}

static void on_lost(void *arg)
{
    *(bool *)arg = true;
}

static void test_lost_jailer(void **state)
{
    const char *argv[] = {"/bin/sleep", "20", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};
    struct jail *old = jail;
    struct err err = {0};
    struct begun b;
    bool lost = false;

    (void)state;
    if (open_jail(1, usual_mounts, &err) != 0)
        fail_msg("%s", err.text);
    jail_on_lost(jail, on_lost, &lost);
    b = begin(&r, &s);
    kill(jailer_pid, SIGKILL);
    finish(&r, b);
    assert_int_equal(r.err.code, ERR_AGAIN);
    assert_true(lost);
    jail_free(jail);
    jail = old;
}

/* Stopped, it neither answers nor ends: its runs end all the same. */
static void test_jailer_that_hangs(void **state)
{
    const char *argv[] = {"/bin/sleep", "20", NULL};
    static struct ran r;
    struct job_limits l = usual;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .limits = &l};
    struct jail *old = jail;
    struct err err = {0};
    struct begun b;
    bool lost = false;

    (void)state;
    l.wall_ms = 100;
    if (open_jail(1, usual_mounts, &err) != 0)
        fail_msg("%s", err.text);
    jail_on_lost(jail, on_lost, &lost);
    b = begin(&r, &s);
    kill(jailer_pid, SIGSTOP);
    while (!r.over)
        loop_run(loop);
    kill(jailer_pid, SIGCONT);
    assert_int_equal(r.err.code, ERR_AGAIN);
    assert_string_equal(r.err.text, "the jailer does not answer");
    assert_true(lost);
    jail_free(jail);
    close(b.out);
    close(b.err);
    jail = old;
}

/* The worker's end closes: every cell dies, the jailer goes, its cgroups go. */
static void test_end_of_the_worker(void **state)
{
    const char *argv[] = {"/bin/sleep", "20", NULL};
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};
    struct jail *old = jail;
    struct err err = {0};
    struct begun b;
    char out;

    (void)state;
    if (open_jail(1, usual_mounts, &err) != 0)
        fail_msg("%s", err.text);
    b = begin(&r, &s);
    jail_free(jail);
    assert_int_equal(kill(jailer_pid, 0), -1);
    /* Both ends that the program held are closed: it is dead. */
    assert_int_equal(read(b.out, &out, 1), 0);
    close(b.out);
    close(b.err);
    jail = old;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_exit_codes_and_signals),
        cmocka_unit_test(test_stdin),
        cmocka_unit_test(test_without_input),
        cmocka_unit_test(test_missing_program_is_our_fault),
        cmocka_unit_test(test_files_in_and_out),
        cmocka_unit_test(test_what_may_not_be_kept),
        cmocka_unit_test(test_limits_that_are_none),
        cmocka_unit_test(test_wall_limit),
        cmocka_unit_test(test_cpu_limit),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_box_counts_as_memory_and_is_bounded),
        cmocka_unit_test(test_fork_bomb),
        cmocka_unit_test(test_resource_limits),
        cmocka_unit_test(test_result_is_fixed_when_the_program_ends),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_usage_of_all),
        cmocka_unit_test(test_processes_and_identity),
        cmocka_unit_test(test_root_is_read_only),
        cmocka_unit_test(test_shown_elsewhere),
        cmocka_unit_test(test_places_of_the_cell_are_refused),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_nothing_is_shared_between_cells),
        cmocka_unit_test(test_init_cannot_be_touched),
        cmocka_unit_test(test_descriptors_are_three),
        cmocka_unit_test(test_many_in_sequence_leak_nothing),
        cmocka_unit_test(test_all_cells_at_once),
        cmocka_unit_test(test_lost_jailer),
        cmocka_unit_test(test_jailer_that_hangs),
        cmocka_unit_test(test_end_of_the_worker),
    };

    cmocka_set_test_filter(getenv("EXECD_TEST_FILTER")); /* tests/mutation: one of them, with a mutant */
    return cmocka_run_group_tests(tests, setup, teardown);
}
