/* jail_warm_limits_test.c - the limits of a job that a waiting program gets: as a cold one's. */
#include "waiting.h"

static void test_wall_and_cpu_limit(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;

    (void)state;
    l.wall_ms = 200;
    warm(&w, "echo before; sleep 20", &l);
    assert_int_equal(w.ran.outcome.measure.hit, JOB_HIT_WALL);
    assert_in_range(w.ran.outcome.measure.wall_ns / 1000000, 200, 5000);
    assert_string_equal(w.ran.out, "before\n");
    l.wall_ms = usual.wall_ms;
    l.cpu_ms = 300;
    warm(&w, "while :; do :; done", &l);
    assert_int_equal(w.ran.outcome.measure.hit, JOB_HIT_CPU);
    assert_in_range(w.ran.outcome.measure.cpu_ns / 1000000, 300, 2000);
}

static void test_memory_limit(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;

    (void)state;
    l.memory_bytes = 32 * MIB;
    warm(&w, "a=x; while :; do a=$a$a; done", &l);
    assert_int_equal(w.ran.err.code, 0);
    assert_true(w.ran.outcome.measure.oom);
    assert_in_range(w.ran.outcome.measure.memory_bytes, 30 * MIB, 32 * MIB);
}

static void test_box_limits(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;

    (void)state;
    l.box_bytes = 4 * MIB;
    warm(&w, "head -c 10000000 /dev/zero > /tmp/a || echo full; wc -c < /tmp/a", &l);
    assert_non_null(strstr(w.ran.out, "full\n41"));
    l.box_bytes = usual.box_bytes;
    l.box_inodes = 16;
    warm(&w, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do : > f$i || echo full; done", &l);
    assert_non_null(strstr(w.ran.errs, "f1"));
}

static void test_processes_limit(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;

    (void)state;
    l.wall_ms = 500;
    l.processes = 16;
    do { /* a limit that a slow machine reaches with sixteen of them */
        l.wall_ms *= 2;
        warm(&w, "bomb() { bomb | bomb & }; bomb; sleep 60", &l);
    } while (w.ran.outcome.processes_hit == 0 && l.wall_ms < 20000);
    assert_true(w.ran.outcome.processes_hit > 0);
}

/* Soft and hard are what a cold program would have, RLIMIT_CPU later by what the boot used. */
static void test_resource_limits(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;

    (void)state;
    l.file_bytes = MIB;
    l.stack_bytes = 4 * MIB;
    warm(&w,
         "for k in S H; do ulimit -$k -n; ulimit -$k -f; ulimit -$k -s; ulimit -$k -c; ulimit -$k -t; done",
         &l);
    assert_string_equal(w.ran.out, "64\n2048\n4096\n0\n13\n64\n2048\n4096\n0\n13\n");
    warm(&w, "head -c 2000000 /dev/zero > a; wc -c < a", &l);
    assert_string_equal(w.ran.out, "1048576\n");
}

/* Narrower bounds than the job's limits would make another verdict than a cold run's. */
static void test_limits_above_the_bounds(void **state)
{
    static struct waiting w;
    struct job_limits l;
    struct {
        uint64_t *field, value;
    } wider[] = {{&l.file_bytes, bounds.file_bytes + 1},
                 {&l.open_files, bounds.open_files + 1},
                 {&l.stack_bytes, bounds.stack_bytes + 1},
                 {&l.cpu_ms, bounds.cpu_ms}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wider); i++) {
        l = usual;
        *wider[i].field = wider[i].value;
        warm(&w, "echo job", &l);
        assert_no_verdict(&w, "of a program started with");
        assert_string_equal(w.ran.out, "");
    }
}

/* More is in use than the job may have: it gets no job, and no blame. */
static void test_limit_below_what_is_used(void **state)
{
    static struct waiting w;
    struct job_limits l = usual;
    struct jail_go g = {.limits = &l};
    struct err err = {0};

    (void)state;
    l.memory_bytes = 16 * MIB;
    l.box_bytes = 64 * MIB;
    start_shell(&w, "head -c 40000000 /dev/zero > /dev/shm/a; " WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    assert_int_equal(go(&w, &g, &err), 0);
    end(&w);
    assert_no_verdict(&w, "");
    l = usual;
    l.box_bytes = 16 * MIB;
    start_shell(&w, "head -c 40000000 /dev/zero > /dev/shm/a; " WAIT_FOR_GO "echo job");
    assert_true(await_ready(&w));
    assert_int_equal(go(&w, &g, &err), 0);
    end(&w);
    assert_no_verdict(&w, "size the box");
    assert_string_equal(w.ran.out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wall_and_cpu_limit),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_box_limits),
        cmocka_unit_test(test_processes_limit),
        cmocka_unit_test(test_resource_limits),
        cmocka_unit_test(test_limits_above_the_bounds),
        cmocka_unit_test(test_limit_below_what_is_used),
    };

    cmocka_set_test_filter(getenv("EXECD_TEST_FILTER"));
    return cmocka_run_group_tests(tests, setup, teardown);
}
