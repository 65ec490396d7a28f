/* scaling_sim_test.c - the simulator against what is known, and the policies in it against the others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

static const struct sim_setting usual = {
    .min = 1, .max = 200, .slots = 4, .jobs_per_pod = 4, .start_s = 15, .target_s = 5, .grace_s = 30};

static double twelve(double t)
{
    (void)t;
    return 12;
}

static double two_seconds(struct sim_random *r)
{
    return sim_exponential(r, 2);
}

static uint32_t seven(struct sim *s)
{
    (void)s;
    return 7;
}

/* A fleet that stays as it is has the waits of M/M/c: 24 slots in use of 28, so Erlang's C is 0.333 and a
 * wait that there is has a mean of 0.5 s. */
static void test_queueing_theory(void **state)
{
    static const struct sim_shape shape = {"fixed", "", twelve, two_seconds, 0, 0};
    static const struct sim_controller fixed = {"fixed", 10, seven, true};
    struct sim_setting set = usual;
    double waited = 0, sum = 0, jobs_seen = 0;

    (void)state;
    set.start_s = 0;
    set.target_s = 1;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct sim_random random = {seed};
        size_t n;
        struct sim_job *jobs = sim_jobs(&shape, &random, &n);
        const struct sim_result r = sim_run(&set, &fixed, jobs, n, seed);

        assert_true(fabs(r.pod_seconds - 7 * 4200) < 7 * 60 && r.killed == 0);
        for (size_t i = 0; i < n; i++) {
            assert_true(jobs[i].began >= jobs[i].at);
            waited += jobs[i].began > jobs[i].at;
            sum += jobs[i].began - jobs[i].at;
        }
        jobs_seen += (double)n;
        free(jobs);
    }
    assert_true(fabs(jobs_seen / (8 * SIM_ARRIVALS_S) - 12) < 0.2);
    assert_true(fabs(waited / jobs_seen - 0.333) < 0.04);
    assert_true(fabs(sum / jobs_seen - 0.333 * 0.5) < 0.04);
}

static void test_repeats(void **state)
{
    struct sim_random a = {7}, b = {7};
    size_t n, m;
    struct sim_job *x = sim_jobs(&sim_shapes[2], &a, &n), *y = sim_jobs(&sim_shapes[2], &b, &m);
    const struct sim_result r = sim_run(&usual, &sim_controllers[0], x, n, 3);
    const struct sim_result q = sim_run(&usual, &sim_controllers[0], y, m, 3);

    (void)state;
    assert_int_equal(n, m);
    assert_memory_equal(&r, &q, sizeof(r));
    assert_memory_equal(x, y, n * sizeof(*x));
    free(x);
    free(y);
}

/* On every shape: none of the others waits less at the 99th percentile for fewer pod-seconds, and execd kills
 * nothing. */
static void test_nobody_is_better_in_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < sim_shape_count; i++) {
        struct sim_random random = {1};
        size_t n;
        struct sim_job *jobs = sim_jobs(&sim_shapes[i], &random, &n);
        const struct sim_result ours = sim_run(&usual, &sim_controllers[0], jobs, n, 1);

        assert_string_equal(sim_controllers[0].name, "execd objective");
        assert_true(ours.killed == 0);
        for (size_t c = 1; c < sim_controller_count; c++) {
            const struct sim_result r = sim_run(&usual, &sim_controllers[c], jobs, n, 1);

            if (sim_controllers[c].drains)
                assert_true(r.killed == 0);
            else if (r.p99 < ours.p99 && r.pod_seconds < ours.pod_seconds)
                fail_msg("%s: %s has p99 %.2f s for %.0f pod-seconds, execd %.2f s for %.0f",
                         sim_shapes[i].name, sim_controllers[c].name, r.p99, r.pod_seconds, ours.p99,
                         ours.pod_seconds);
        }
        free(jobs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queueing_theory),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_nobody_is_better_in_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
