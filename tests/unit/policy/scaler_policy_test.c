/* scaler_policy_test.c - the policies of scaler plugins, by tables: what is observed, how many are wanted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scaler_policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SAMPLES_MAX 64
#define WORKERS_MAX 64

/* An observation that is easily said: a fleet of equal workers and a past of equal samples. */
struct scene {
    uint64_t waiting, running, oldest_ms, arrived, finished, service_ms;
    uint32_t replicas, min, max, slots;
    uint32_t past; /* samples, 10 s apart */
    struct execd_sample each;
    uint32_t cpu; /* per mille of each worker's; the target is 70 % when it is not 0 */
    uint32_t cpu_flags;
};

static struct execd_sample samples[SAMPLES_MAX];
static struct execd_worker workers[WORKERS_MAX];
static struct execd_policy policy;
static struct execd_observation seen;
static struct execd_advice advice;

static void look(const struct scene *s, uint32_t kind)
{
    policy = (struct execd_policy){.size = sizeof(policy),
                                   .kind = kind,
                                   .cpu_target_percent = s->cpu != 0 ? 70 : 0,
                                   .check_ms = 10000,
                                   .stabilization_ms = 60000,
                                   .wait_target_ms = 2000,
                                   .start_ms = 10000};
    seen = (struct execd_observation){.size = sizeof(seen),
                                      .interval_ms = 10000,
                                      .waiting = s->waiting,
                                      .running = s->running,
                                      .oldest_wait_ms = s->oldest_ms,
                                      .arrived = s->arrived,
                                      .finished = s->finished,
                                      .service_ms_sum = s->service_ms,
                                      .replicas = s->replicas,
                                      .replicas_min = s->min,
                                      .replicas_max = s->max,
                                      .jobs_per_replica = 5,
                                      .workers = workers,
                                      .worker_count = s->slots != 0 ? s->replicas : 0,
                                      .worker_stride = sizeof(workers[0]),
                                      .policy = &policy,
                                      .samples = samples,
                                      .sample_count = s->past,
                                      .sample_stride = sizeof(samples[0])};
    assert_true(s->past <= SAMPLES_MAX && s->replicas <= WORKERS_MAX);
    for (uint32_t i = 0; i < s->replicas; i++)
        workers[i] = (struct execd_worker){.id = "w",
                                           .slots = s->slots,
                                           .flags = s->cpu_flags,
                                           .cpu_millis = s->cpu * 4,
                                           .cpu_millis_max = s->cpu != 0 ? 4000 : 0};
    for (uint32_t i = 0; i < s->past; i++) {
        samples[i] = s->each;
        samples[i].age_ms = (uint64_t)(s->past - i) * 10000;
        if (samples[i].interval_ms == 0)
            samples[i].interval_ms = 10000;
    }
    memset(&advice, 0x5a, sizeof(advice));
    scaler_policy_decide(&seen, &advice);
    assert_true(memchr(advice.reason, '\0', sizeof(advice.reason)) != NULL && advice.reason[0] != '\0');
}

struct row {
    const char *what;
    struct scene scene;
    uint32_t replicas, wanted;
};

static void check_rows(const struct row *rows, size_t count, uint32_t kind)
{
    for (size_t i = 0; i < count; i++) {
        look(&rows[i].scene, kind);
        if (advice.replicas != rows[i].replicas || advice.wanted != rows[i].wanted)
            fail_msg("%s: %u replicas and %u wanted instead of %u and %u (%s)", rows[i].what, advice.replicas,
                     advice.wanted, rows[i].replicas, rows[i].wanted, advice.reason);
    }
}

static void test_queue(void **state)
{
    static const struct row rows[] = {
        {"nothing to do", {.min = 1, .max = 10, .replicas = 1, .slots = 2}, 1, 1},
        {"to nothing at all", {.min = 0, .max = 10, .replicas = 1, .slots = 2, .past = 7}, 0, 0},
        {"from nothing", {.waiting = 1, .min = 0, .max = 10}, 1, 1},
        {"one for five", {.waiting = 5, .min = 0, .max = 10}, 1, 1},
        {"two for six", {.waiting = 6, .min = 0, .max = 10}, 2, 2},
        {"what runs counts", {.waiting = 6, .running = 10, .min = 1, .max = 10, .replicas = 2}, 4, 4},
        {"at most", {.waiting = 1000000, .min = 1, .max = 10, .replicas = 1}, 10, 10},
        {"at most, beyond 32 bits", {.waiting = UINT64_MAX, .min = 1, .max = 10, .replicas = 1}, 10, 10},
        {"at least", {.min = 3, .max = 10, .replicas = 1}, 3, 3},
        {"too many by hand", {.min = 1, .max = 10, .replicas = 20}, 10, 1},
    };

    (void)state;
    check_rows(rows, COUNT(rows), EXECD_POLICY_QUEUE);
}

/* Down goes to the most that was wanted within 60 s, and only if somebody looked. */
static void test_stabilization(void **state)
{
    static const struct row rows[] = {
        {"nobody looked", {.min = 1, .max = 10, .replicas = 8}, 8, 1},
        {"half of it", {.min = 1, .max = 10, .replicas = 8, .past = 3, .each = {.wanted = 1}}, 8, 1},
        {"all of it", {.min = 1, .max = 10, .replicas = 8, .past = 6, .each = {.wanted = 1}}, 1, 1},
        {"more was wanted", {.min = 1, .max = 10, .replicas = 8, .past = 6, .each = {.wanted = 4}}, 4, 1},
        {"as many", {.min = 1, .max = 10, .replicas = 8, .past = 6, .each = {.wanted = 9}}, 8, 1},
        {"up at once",
         {.waiting = 40, .min = 1, .max = 10, .replicas = 1, .past = 6, .each = {.wanted = 1}},
         8,
         8},
        {"one long interval is a hole",
         {.min = 1, .max = 10, .replicas = 8, .past = 1, .each = {.wanted = 1, .interval_ms = 60000}},
         8,
         1},
    };

    (void)state;
    check_rows(rows, COUNT(rows), EXECD_POLICY_QUEUE);
}

/* What was wanted before the window is forgotten. */
static void test_window_ends(void **state)
{
    struct scene s = {.min = 1, .max = 10, .replicas = 8, .past = 8, .each = {.wanted = 1}};

    (void)state;
    look(&s, EXECD_POLICY_QUEUE);
    samples[0].wanted = samples[1].wanted = 8; /* 80 s and 70 s ago */
    scaler_policy_decide(&seen, &advice);
    assert_int_equal(advice.replicas, 1);
    samples[2].wanted = 6; /* 60 s ago: still in it */
    scaler_policy_decide(&seen, &advice);
    assert_int_equal(advice.replicas, 6);
}

static void test_cpu(void **state)
{
    static const struct row rows[] = {
        {"at its target", {.min = 1, .max = 20, .replicas = 4, .slots = 2, .cpu = 700, .past = 6}, 4, 4},
        {"a little above", {.min = 1, .max = 20, .replicas = 4, .slots = 2, .cpu = 760, .past = 6}, 4, 4},
        {"above", {.min = 1, .max = 20, .replicas = 4, .slots = 2, .cpu = 1000}, 6, 6},
        {"below", {.min = 1, .max = 20, .replicas = 4, .slots = 2, .cpu = 350, .past = 6}, 2, 2},
        {"the queue wants more",
         {.waiting = 50, .min = 1, .max = 20, .replicas = 4, .slots = 2, .cpu = 350},
         10,
         10},
        {"those that drain are no evidence",
         {.min = 1,
          .max = 20,
          .replicas = 4,
          .slots = 2,
          .cpu = 1000,
          .cpu_flags = EXECD_WORKER_DRAINING,
          .past = 6},
         1,
         1},
    };

    (void)state;
    check_rows(rows, COUNT(rows), EXECD_POLICY_QUEUE);
}

/* Erlang's C formula against what it is known to be: P(W > S) < 5 % or 1 % of M/M/N, by an independent sum.
 */
static double erlang_c(double load, unsigned slots)
{
    double term = 1, sum = 1;

    for (unsigned k = 1; k < slots; k++) {
        term *= load / k;
        sum += term;
    }
    term *= load / slots;
    term *= slots / (slots - load);
    return term / (sum + term);
}

static void test_slots(void **state)
{
    static const double loads[] = {0.1, 0.5, 1, 2, 5, 10, 20, 50, 100}, waits[] = {0, 0.5, 1, 4};
    double last = 0;

    (void)state;
    for (size_t l = 0; l < COUNT(loads); l++)
        for (size_t w = 0; w < COUNT(waits); w++) {
            const double n = scaler_policy_slots(loads[l], waits[w]);

            assert_true(n > loads[l]);
            assert_true(erlang_c(loads[l], (unsigned)n) * exp(-(n - loads[l]) * waits[w]) <= 0.05 + 1e-9);
            if (n - 1 > loads[l]) /* and no slot too many */
                assert_true(erlang_c(loads[l], (unsigned)n - 1) * exp(-(n - 1 - loads[l]) * waits[w]) > 0.05);
        }
    assert_true(scaler_policy_slots(0, 1) == 0);
    for (double load = 1; load < 1e6; load *= 1.7) { /* the rule beyond follows the formula before it */
        const double n = scaler_policy_slots(load, 0);

        assert_true(n > last && n >= load + 1.4 * sqrt(load) && n <= load + 1.9 * sqrt(load) + 2);
        last = n;
    }
}

static void test_objective(void **state)
{
    /* 20 jobs a second of 1 s each, for a minute: 20 slots in use */
    const struct execd_sample steady = {.arrived = 200,
                                        .finished = 200,
                                        .service_ms_sum = 200000,
                                        .running = 20,
                                        .replicas = 6,
                                        .wanted = 6,
                                        .slots = 4};
    const struct row rows[] = {
        {"nothing known: as the queue",
         {.waiting = 12, .min = 1, .max = 50, .replicas = 1, .slots = 4},
         3,
         3},
        {"steady: 22 slots of which 95 of 100 jobs find one within 2 s",
         {.running = 20,
          .arrived = 200,
          .finished = 200,
          .service_ms = 200000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         6,
         6},
        {"chance is no burst",
         {.running = 20,
          .arrived = 230,
          .finished = 200,
          .service_ms = 200000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         6,
         6},
        {"a burst is",
         {.running = 24,
          .arrived = 800,
          .finished = 240,
          .service_ms = 240000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         21,
         21},
        {"a batch of 1000 is worked off within a start and a check",
         {.waiting = 1000,
          .running = 24,
          .arrived = 200,
          .finished = 200,
          .service_ms = 200000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         18,
         18},
        {"the formula is wrong: one waited too long and all slots are in use",
         {.waiting = 1,
          .running = 24,
          .oldest_ms = 9000,
          .arrived = 200,
          .finished = 200,
          .service_ms = 200000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         8,
         8},
        {"one waited too long, but slots are free: a language that nobody runs",
         {.waiting = 1,
          .running = 4,
          .oldest_ms = 9000,
          .arrived = 200,
          .finished = 200,
          .service_ms = 200000,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 7,
          .each = steady},
         6,
         6},
        {"never fewer than run",
         {.running = 24,
          .min = 1,
          .max = 50,
          .replicas = 6,
          .slots = 4,
          .past = 60,
          .each = {.finished = 1, .service_ms_sum = 1000, .running = 24, .wanted = 1, .slots = 4}},
         6,
         6},
        {"one long job among few is not how long jobs are",
         {.running = 1,
          .arrived = 10,
          .finished = 1,
          .service_ms = 100000,
          .min = 1,
          .max = 50,
          .replicas = 2,
          .slots = 4,
          .past = 60,
          .each = {.arrived = 10, .finished = 1, .service_ms_sum = 1000, .wanted = 2, .slots = 4}},
         2,
         2},
        {"slots that were seen last, when nobody is there",
         {.waiting = 300,
          .min = 0,
          .max = 50,
          .past = 7,
          .each = {.finished = 30, .service_ms_sum = 30000, .slots = 4}},
         4,
         4},
    };

    (void)state;
    check_rows(rows, COUNT(rows), EXECD_POLICY_OBJECTIVE);
}

/* Where more and more jobs arrive, there are as many slots as will be needed when they have started; where
 * fewer do, the average holds. */
static void test_rising(void **state)
{
    struct scene s = {
        .running = 20,
        .arrived = 200,
        .finished = 200,
        .service_ms = 200000,
        .min = 1,
        .max = 50,
        .replicas = 6,
        .slots = 4,
        .past = 12,
        .each = {.arrived = 200, .finished = 200, .service_ms_sum = 200000, .wanted = 6, .slots = 4}};
    uint32_t steady;

    (void)state;
    look(&s, EXECD_POLICY_OBJECTIVE);
    policy.start_ms = 60000;
    scaler_policy_decide(&seen, &advice);
    steady = advice.wanted;
    for (uint64_t i = 6; i < 12; i++) /* a rise that may be chance */
        samples[i].arrived = 212;
    seen.arrived = 212;
    scaler_policy_decide(&seen, &advice);
    assert_int_equal(advice.wanted, steady);
    for (uint64_t i = 0; i < 12; i++)
        samples[i].arrived = 140 + 10 * i;
    seen.arrived = 260;
    scaler_policy_decide(&seen, &advice);
    assert_true(advice.wanted >= steady + 3 && advice.wanted <= 2 * steady);
    for (uint64_t i = 0; i < 12; i++)
        samples[i].arrived = 260 - 10 * i;
    seen.arrived = 140;
    scaler_policy_decide(&seen, &advice);
    assert_int_equal(advice.wanted, steady);
}

/* The same question has the same answer, also when structs have grown. */
static void test_strides(void **state)
{
    static struct {
        struct execd_sample s;
        char later[24];
    } wide[8];
    struct scene s = {.min = 1, .max = 10, .replicas = 8, .past = 6, .each = {.wanted = 4}};

    (void)state;
    look(&s, EXECD_POLICY_QUEUE);
    assert_int_equal(advice.replicas, 4);
    for (uint32_t i = 0; i < s.past; i++)
        wide[i].s = samples[i];
    memset(samples, 0xff, sizeof(samples));
    seen.samples = &wide[0].s;
    seen.sample_stride = sizeof(wide[0]);
    scaler_policy_decide(&seen, &advice);
    assert_int_equal(advice.replicas, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue),       cmocka_unit_test(test_stabilization),
        cmocka_unit_test(test_window_ends), cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_slots),       cmocka_unit_test(test_objective),
        cmocka_unit_test(test_rising),      cmocka_unit_test(test_strides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
