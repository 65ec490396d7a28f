/* jail_warm_test.c - programs that wait in real cells: how they get a job, and what holds for it from then
 * on.
 *
 * The waiting program is a shell: it says READY on its socket, waits for one frame, closes the socket and
 * goes on as its job. */
#include "waiting.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ---- a job -------------------------------------------------------------------------- */

static void test_job(void **state)
{
    static struct waiting w;
    struct jail_go g = {.bundle_count = 2};
    struct err err = {0};

    (void)state;
    start_shell(&w, "test -e job && echo early; " WAIT_FOR_GO
                    "cat job dir/more; od -An -tu1 /tmp/frame; ls /proc/self/fd | wc -l; echo e >&2; exit 5");
    assert_true(await_ready(&w));
    g.bundles[0] = bundle_of("job", "one\n");
    g.bundles[1] = bundle_of("dir/more", "two\n");
    assert_int_equal(go(&w, &g, &err), 0);
    assert_int_equal(go(&w, &g, &err), ERR_INTERNAL); /* once */
    assert_non_null(strstr(err.text, "does not wait"));
    close(g.bundles[0]);
    close(g.bundles[1]);
    end(&w);
    assert_int_equal(w.ran.err.code, 0);
    assert_string_equal(w.ran.out, "one\ntwo\n   4   0   0   0   0   0   0   0\n4\n");
    assert_string_equal(w.ran.errs, "e\n");
    assert_int_equal(w.ran.outcome.measure.exit_code, 5);
    assert_true(w.ran.outcome.measure.ran);
    assert_int_equal(w.ran.outcome.measure.hit, JOB_HIT_NONE);
    assert_true(w.ran.outcome.measure.cpu_ns > 0 && w.ran.outcome.measure.wall_ns > 0);
    assert_int_equal(EXECD_FRAME_GO, 4);
}

/* The socket is the program's descriptor 3, and there is nothing else. */
static void test_descriptors(void **state)
{
    static struct waiting w;

    (void)state;
    start_shell(&w, "for i in 3 4 5 6 7 8 9; do (: <&$i) 2>/dev/null && echo open $i; done; "
                    "test -S /proc/self/fd/3 && echo socket; " WAIT_FOR_GO ":");
    assert_true(await_ready(&w));
    jail_kill(w.begun.run, JOB_HIT_WALL);
    end(&w);
    assert_string_equal(w.ran.out, "open 3\nsocket\n");
}

static void test_stdin_is_filled_before_go(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", WAIT_FOR_GO "cat; (echo x >&0) 2>/dev/null || echo sealed", NULL};
    static struct waiting w;
    struct jail_step s = {.argv = argv, .stdin_fd = memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    struct jail_go g = {.bundle_count = 0};
    struct err err = {0};

    (void)state;
    assert_true(s.stdin_fd >= 0);
    start(&w, &s);
    assert_true(await_ready(&w));
    assert_int_equal(pwrite(s.stdin_fd, "a\nb\n", 4, 0), 4);
    assert_return_code(fcntl(s.stdin_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), errno);
    assert_int_equal(go(&w, &g, &err), 0);
    end(&w);
    close(s.stdin_fd);
    assert_string_equal(w.ran.out, "a\nb\nsealed\n");
}

/* What came before GO is measured nowhere: a boot may take longer and cost more than the job may. */
static void test_clocks_start_at_go(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;
    struct jail_go g = {.limits = &l};
    struct err err = {0};
    uint64_t memory, before, boot, then;

    (void)state;
    jail_usage(jail, &memory, &before);
    start_shell(&w, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; " WAIT_FOR_GO "echo done");
    assert_true(await_ready(&w));
    jail_usage(jail, &memory, &boot);
    poll(NULL, 0, 300); /* time that must not count */
    l.cpu_ms = (boot - before) / 1000000;
    assert_true(l.cpu_ms > 0);
    then = clock_mono_ns();
    assert_true(w.begun.run->answer_by_ms == UINT64_MAX); /* nor is an answer late */
    assert_int_equal(go(&w, &g, &err), 0);
    assert_true(w.begun.run->answer_by_ms != UINT64_MAX);
    end(&w);
    then = clock_mono_ns() - then;
    assert_int_equal(w.ran.err.code, 0);
    assert_string_equal(w.ran.out, "done\n");
    assert_int_equal(w.ran.outcome.measure.hit, JOB_HIT_NONE);
    assert_in_range(w.ran.outcome.measure.wall_ns, 1, then);
    assert_in_range(w.ran.outcome.measure.cpu_ns, 1, boot - before);
}

static void test_kept_files(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", WAIT_FOR_GO "cat job > out", NULL};
    const char *again[] = {"/bin/cat", "out", NULL};
    const char *keep[] = {"out", NULL};
    static struct waiting w;
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .keep = keep, .keep_bytes = MIB};
    struct jail_step t = {.argv = again, .stdin_fd = -1, .bundle_count = 1};
    struct jail_go g = {.bundle_count = 1};
    struct err err = {0};

    (void)state;
    start(&w, &s);
    assert_true(await_ready(&w));
    g.bundles[0] = bundle_of("job", "kept\n");
    assert_int_equal(go(&w, &g, &err), 0);
    close(g.bundles[0]);
    end(&w);
    assert_true(w.ran.outcome.kept_fd >= 0);
    t.bundles[0] = w.ran.outcome.kept_fd;
    run(&r, &t);
    close(t.bundles[0]);
    assert_string_equal(r.out, "kept\n");
}

/* ---- no job ------------------------------------------------------------------------------ */

static void test_ends_before_go(void **state)
{
    static struct waiting w;
    struct jail_go g = {.bundle_count = 0};
    struct err err = {0};

    (void)state;
    start_shell(&w, "exit 3");
    assert_false(await_ready(&w));
    assert_int_equal(go(&w, &g, &err), 0); /* they cross: still no verdict */
    end(&w);
    assert_no_verdict(&w, "");
    start_shell(&w, "exit 3");
    end(&w);
    assert_no_verdict(&w, "ended before its job (exit code 3, signal 0)");
}

static void test_kill_before_go(void **state)
{
    static struct waiting w;

    (void)state;
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    jail_kill(w.begun.run, JOB_HIT_WALL);
    end(&w);
    assert_no_verdict(&w, "ended before its job");
    assert_string_equal(w.ran.out, "");
}

/* A boot that never comes to its end does come to one, also where no process of it uses much. */
static void test_loops_before_go(void **state)
{
    const char *argv[] = {"/bin/sh", "-c",
                          "while :; do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done); done", NULL};
    static struct waiting w;
    struct job_limits l = bounds;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .limits = &l};

    (void)state;
    l.cpu_ms = 300;
    start(&w, &s);
    end(&w);
    assert_no_verdict(&w, "ended before its job");
}

static void test_grows_before_go(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "a=x; while :; do a=$a$a; done", NULL};
    static struct waiting w;
    struct job_limits l = bounds;
    struct jail_step s = {.argv = argv, .stdin_fd = -1, .limits = &l};

    (void)state;
    l.memory_bytes = 32 * MIB;
    start(&w, &s);
    end(&w);
    assert_no_verdict(&w, "");
}

/* Its end of the socket is closed, or what is to be told is no socket: it cannot be told of a job. */
static void test_cannot_be_told(void **state)
{
    static struct waiting w;
    struct jail_go g = {.limits = &usual, .go_fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
    struct err err = {0};
    char byte;

    (void)state;
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    assert_int_equal(jail_go(w.begun.run, &g, &err), 0);
    end(&w);
    close(g.go_fd);
    assert_no_verdict(&w, "cannot be told");
    start_shell(&w, "exec 3<&-; exec sleep 20");
    assert_int_equal(read(w.ours, &byte, 1), 0);
    assert_int_equal(go(&w, &g, &err), 0);
    end(&w);
    assert_no_verdict(&w, "cannot be told");
}

/* Into the box, or, where the box is larger than that, into the job's memory: whoever is killed for it, it is
 * before GO. */
static void test_files_that_do_not_fit(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;
    struct jail_go g = {.limits = &l, .bundle_count = 1};
    CLEAN_FREE char *text = mem_zero(24 * MIB, 1);
    struct err err = {0};

    (void)state;
    memset(text, 'x', 24 * MIB - 1);
    g.bundles[0] = bundle_of("job", text);
    for (int i = 0; i < 2; i++) {
        l.box_bytes = i == 0 ? MIB : 64 * MIB;
        l.memory_bytes = i == 0 ? usual.memory_bytes : 16 * MIB;
        start_shell(&w, WAIT_FOR_GO "echo job");
        assert_true(await_ready(&w));
        assert_int_equal(go(&w, &g, &err), 0);
        end(&w);
        assert_no_verdict(&w, "");
        assert_string_equal(w.ran.out, "");
    }
    close(g.bundles[0]);
}

/* ---- a worker that says anything ---------------------------------------------------------- */

/* What jail_go() would not send. */
static void say_go(const struct jail_run *r, const struct job_limits *l, uint32_t bundles, size_t fd_count)
{
    struct jail_message m = {.type = JAIL_GO, .id = r->id};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int fds[] = {null, null, null};

    m.u.order = (struct cell_order){.limits = *l, .bundle_count = bundles};
    assert_int_equal(cell_message_send(r->jail->fd, &m, sizeof(m), fds, fd_count, 0), 0);
    close(null);
}

static void test_malformed_go(void **state)
{
    static struct waiting w;
    struct job_limits none = usual;

    (void)state;
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    say_go(w.begun.run, &usual, 2, 2);
    end(&w);
    assert_int_equal(w.ran.err.code, ERR_INTERNAL);
    assert_non_null(strstr(w.ran.err.text, "a GO with 2 bundles, 2 descriptors"));
    none.memory_bytes = 0;
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    say_go(w.begun.run, &none, 0, 1);
    end(&w);
    assert_int_equal(w.ran.err.code, ERR_INTERNAL);
    assert_non_null(strstr(w.ran.err.text, "memory_bytes of 0"));
}

/* Sent in one breath with the starts, to more than there are cells ready: each is answered, job or none. */
static void test_go_before_ready(void **state)
{
    static struct waiting w[4];
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct jail_go g = {.bundle_count = 0};

        start_shell(&w[i], WAIT_FOR_GO "echo job");
        assert_int_equal(go(&w[i], &g, &err), 0);
    }
    for (int i = 0; i < 4; i++) {
        end(&w[i]);
        if (w[i].ran.err.code != 0)
            assert_no_verdict(&w[i], "no cell yet");
        else
            assert_string_equal(w[i].ran.out, "job\n");
    }
}

/* To one that does not wait, or no more, or is not there, it is nothing. */
static void test_go_to_nobody(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "sleep 0.3; echo cold", NULL};
    static struct waiting w;
    static struct ran r;
    struct jail_step s = {.argv = argv, .stdin_fd = -1};
    struct jail_run nobody = {.jail = jail, .id = UINT32_MAX};
    struct job_limits l = usual;
    struct jail_go g = {.limits = &usual};
    struct err err = {0};
    struct begun b;

    (void)state;
    l.wall_ms = l.cpu_ms = 1;
    b = begin(&r, &s);
    g.go_fd = STDERR_FILENO;
    assert_int_equal(jail_go(b.run, &g, &err), ERR_INTERNAL);
    say_go(b.run, &l, 0, 1);
    say_go(&nobody, &l, 0, 1);
    finish(&r, b);
    assert_string_equal(r.out, "cold\n");
    assert_int_equal(r.outcome.measure.hit, JOB_HIT_NONE);
    start_shell(&w, WAIT_FOR_GO "sleep 0.3; echo warm");
    assert_true(await_ready(&w));
    assert_int_equal(go(&w, &g, &err), 0);
    say_go(w.begun.run, &l, 0, 1);
    end(&w);
    assert_string_equal(w.ran.out, "warm\n");
    assert_int_equal(w.ran.outcome.measure.hit, JOB_HIT_NONE);
}

/* With the worker's end, and with the jailer's, a program that waits ends. */
static void test_nobody_is_left_waiting(void **state)
{
    static struct waiting w;
    struct jail *old = jail;
    struct err err = {0};
    char byte;

    (void)state;
    if (open_jail(1, usual_mounts, &err) != 0)
        fail_msg("%s", err.text);
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    jail_free(jail);
    assert_int_equal(read(w.ours, &byte, 1), 0);
    close(w.ours);
    close(w.begun.out);
    close(w.begun.err);
    if (open_jail(1, usual_mounts, &err) != 0)
        fail_msg("%s", err.text);
    start_shell(&w, WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    kill(jailer_pid, SIGKILL);
    end(&w);
    assert_no_verdict(&w, "");
    jail_free(jail);
    jail = old;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_stdin_is_filled_before_go),
        cmocka_unit_test(test_clocks_start_at_go),
        cmocka_unit_test(test_kept_files),
        cmocka_unit_test(test_ends_before_go),
        cmocka_unit_test(test_kill_before_go),
        cmocka_unit_test(test_loops_before_go),
        cmocka_unit_test(test_grows_before_go),
        cmocka_unit_test(test_cannot_be_told),
        cmocka_unit_test(test_files_that_do_not_fit),
        cmocka_unit_test(test_malformed_go),
        cmocka_unit_test(test_go_before_ready),
        cmocka_unit_test(test_go_to_nobody),
        cmocka_unit_test(test_nobody_is_left_waiting),
    };

    cmocka_set_test_filter(getenv("EXECD_TEST_FILTER"));
    return cmocka_run_group_tests(tests, setup, teardown);
}
