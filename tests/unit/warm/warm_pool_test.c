/* warm_pool_test.c - how many runtimes there are, on a clock that jumps: a runtime here is nothing but its
 * record, and boots, is ready and ends when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "warm_internal.h"

#define MIB (UINT64_C(1) << 20)
#define SLOTS 3

static struct loop *loop;
static struct warm *warm;
static struct conf conf;
static struct warm_pool *asked_to_prove;
static unsigned boots;
static bool boots_fail;

/* ---- what a runtime is here ---------------------------------------------------------------- */

int warm_boot(struct warm_pool *pool, struct err *reterr)
{
    struct warm_runtime *rt;

    boots++;
    if (boots_fail)
        return err_set(reterr, ERR_AGAIN, "no");
    rt = NEW(struct warm_runtime);
    rt->pool = pool;
    rt->born_ms = loop_now_ms(loop);
    TAILQ_INSERT_TAIL(&pool->runtimes, rt, link);
    return 0;
}

void warm_runtime_free(struct warm_runtime *rt)
{
    free(rt);
}

static void gone(struct warm_runtime *rt)
{
    TAILQ_REMOVE(&rt->pool->runtimes, rt, link);
    warm_turn_soon(warm);
    free(rt);
}

static void gone_later(void *arg)
{
    gone(arg);
}

void warm_runtime_end(struct warm_runtime *rt, const char *failed)
{
    if (rt->state == WARM_ENDING)
        return;
    rt->state = WARM_ENDING;
    if (failed != NULL)
        warm_pool_failed(rt->pool, failed);
    loop_post(loop, gone_later, rt);
}

bool warm_runtime_take(struct warm_runtime *rt)
{
    rt->users++;
    rt->uses++;
    if (rt->pool->way == WARM_WAY_PREBOOT)
        rt->job = true;
    rt->state = WARM_BUSY;
    return true;
}

/* ---- plugins ---------------------------------------------------------------------------------- */

int32_t plugin_lang_id(const struct plugin_lang *l)
{
    return *(const int32_t *)(const void *)l;
}

void plugin_lang_warm_bounds(const struct plugin_lang *l, uint64_t *ret_uses_max, uint64_t *ret_age_max_ms)
{
    (void)l;
    *ret_uses_max = 5; /* fewer than the operator's */
    *ret_age_max_ms = 0;
}

const char *plugin_warm_way(uint32_t way)
{
    (void)way;
    return "way";
}

void plugin_plan_freep(struct plugin_plan **plan)
{
    assert_null(*plan);
}

static int32_t ids[] = {1, 2};

static struct plugin_lang *lang(unsigned i)
{
    return (struct plugin_lang *)(void *)&ids[i];
}

/* ---- the test's hands ------------------------------------------------------------------------- */

static void on_prove(void *arg, struct warm_pool *pool, struct plugin_lang *l,
                     const struct job_limits *limits)
{
    (void)arg, (void)l, (void)limits;
    asked_to_prove = pool;
}

static void stop_loop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

/* Lets so much time pass. */
static void pass(uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(loop, stop_loop, NULL);

    loop_timer_arm(t, ms);
    loop_run(loop);
    loop_timer_free(t);
}

static unsigned count(const struct warm_pool *pool, enum warm_state state)
{
    const struct warm_runtime *rt;
    unsigned n = 0;

    TAILQ_FOREACH (rt, &pool->runtimes, link)
        n += rt->state == state && !rt->job;
    return n;
}

static void all_ready(struct warm_pool *pool)
{
    struct warm_runtime *rt;

    TAILQ_FOREACH (rt, &pool->runtimes, link)
        if (rt->state == WARM_BOOTING)
            rt->state = WARM_IDLE;
    warm_turn_soon(warm);
    pass(0);
}

static struct plugin_step step_of(enum warm_way way, uint32_t variant)
{
    return (struct plugin_step){.present = true, .warm = way, .warm_variant = variant};
}

static struct warm_runtime *given;
static unsigned answers;

static void on_given(void *arg, struct warm_runtime *rt)
{
    (void)arg;
    given = rt;
    answers++;
}

static struct warm_ask *ask(unsigned l, enum warm_way way, uint32_t variant, struct warm_runtime **ret)
{
    const struct plugin_step step = step_of(way, variant);
    const struct warm_wish wish = {.lang = lang(l), .step = &step, .limits = &conf.limits_default};

    return warm_ask(warm, &wish, on_given, NULL, ret);
}

/* A pool that jobs may use, with one idle runtime. */
static struct warm_pool *proven(unsigned l, enum warm_way way)
{
    const struct plugin_step step = step_of(way, 0);
    struct warm_pool *pool;

    warm_expect(warm, lang(l), &step, &conf.limits_default);
    pass(0);
    pool = warm_pool_find(warm, lang(l), way, 0);
    assert_int_equal(count(pool, WARM_BOOTING), 1);
    all_ready(pool);
    assert_ptr_equal(asked_to_prove, pool);
    warm_proved(pool, WARM_PROOF_GOOD, NULL);
    pass(0);
    assert_int_equal(count(pool, WARM_IDLE), 1);
    return pool;
}

static uint64_t misses(const struct warm_pool *pool, enum warm_miss why)
{
    return pool->counts->misses[why];
}

static int setup(void **state)
{
    struct warm_options o = {.conf = &conf, .slots = SLOTS, .prove = on_prove};
    struct err err = {0};

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, 2);
    conf = (struct conf){.warm_enabled = true,
                         .warm_runtimes_max = 10,
                         .warm_memory_max = 1000 * MIB,
                         .warm_runtime_memory = 100 * MIB,
                         .warm_service_memory = 300 * MIB,
                         .warm_uses_max = 1000,
                         .warm_age_max_ms = 3600000,
                         .warm_idle_ms = 600000};
    boots = answers = 0;
    boots_fail = false;
    given = NULL;
    if (loop_new(&loop, &err) != 0)
        return -1;
    o.loop = loop;
    warm = warm_new(&o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    warm_free(warm);
    loop_free(loop);
    return 0;
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void test_nobody_gets_one_before_the_proof(void **state)
{
    const struct plugin_step step = step_of(WARM_WAY_PREBOOT, 0);
    struct warm_runtime *rt;
    struct warm_pool *pool;

    (void)state;
    warm_expect(warm, lang(0), &step, &conf.limits_default);
    pass(0);
    pool = warm_pool_find(warm, lang(0), WARM_WAY_PREBOOT, 0);
    assert_null(ask(0, WARM_WAY_PREBOOT, 0, &rt));
    assert_null(rt);
    all_ready(pool);
    assert_null(ask(0, WARM_WAY_PREBOOT, 0, &rt));
    assert_null(rt);
    assert_int_equal(misses(pool, WARM_MISS_UNPROVEN), 2);
    warm_proved(pool, WARM_PROOF_BAD, "other bytes");
    pass(1000);
    assert_null(ask(0, WARM_WAY_PREBOOT, 0, &rt));
    assert_null(rt);
    assert_int_equal(misses(pool, WARM_MISS_REFUSED), 1);
    assert_true(TAILQ_EMPTY(&pool->runtimes));
    pass(3600000);
    assert_int_equal(boots, 1); /* never again */
}

static void test_what_is_taken_is_replaced(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_PREBOOT);
    struct warm_runtime *rt;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_null(ask(0, WARM_WAY_PREBOOT, 0, &rt));
        assert_non_null(rt);
        pass(REFILL_MS / 2);
        assert_int_equal(count(pool, WARM_BOOTING), 0); /* the job has the cpu for itself */
        if (i > 0)
            gone(rt);                    /* until it ends */
        pass(i > 0 ? 0 : REFILL_MS + 1); /* or takes long */
        assert_int_equal(count(pool, WARM_BOOTING), 1);
        all_ready(pool);
    }
    assert_int_equal(boots, 4);
}

/* Who finds none waits for the one that boots; the next finds none at all; more are kept for a while. */
static void test_demand(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_PREBOOT);
    struct warm_runtime *first, *rt;
    struct warm_ask *waits;

    (void)state;
    ask(0, WARM_WAY_PREBOOT, 0, &first);
    pass(REFILL_MS + 1);
    waits = ask(0, WARM_WAY_PREBOOT, 0, &rt);
    assert_non_null(waits);
    assert_null(ask(0, WARM_WAY_PREBOOT, 0, &rt));
    assert_null(rt);
    assert_int_equal(misses(pool, WARM_MISS_NONE_READY), 1);
    all_ready(pool);
    assert_int_equal(answers, 1);
    assert_non_null(given);
    gone(first);
    gone(given);
    for (unsigned i = 0; i < 3; i++)
        all_ready(pool);
    assert_int_equal(count(pool, WARM_IDLE), SLOTS); /* never more than can run */
    pass(DECAY_MS * SLOTS);
    assert_int_equal(count(pool, WARM_IDLE), 1);
    pass(conf.warm_idle_ms);
    assert_true(TAILQ_EMPTY(&pool->runtimes));
    ask(0, WARM_WAY_PREBOOT, 0, &rt); /* somebody is there again */
    assert_null(rt);
    pass(0);
    assert_int_equal(count(pool, WARM_BOOTING), 1);
}

static void test_waiting_has_an_end(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_SERVICE);
    struct warm_runtime *busy, *rt;

    (void)state;
    ask(0, WARM_WAY_SERVICE, 0, &busy);
    assert_non_null(ask(0, WARM_WAY_SERVICE, 0, &rt));
    assert_non_null(ask(0, WARM_WAY_SERVICE, 0, &rt));
    pass(WAIT_SERVICE_MS - 1);
    assert_int_equal(answers, 0);
    busy->users = 0;
    busy->state = WARM_IDLE; /* it is free, and goes to the first */
    warm_turn_soon(warm);
    pass(0);
    assert_int_equal(answers, 1);
    assert_ptr_equal(given, busy);
    pass(1);
    assert_int_equal(answers, 2);
    assert_null(given);
    assert_int_equal(misses(pool, WARM_MISS_BUSY), 1);
}

static void test_bounds(void **state)
{
    struct warm_pool *pool, *other;
    struct warm_runtime *rt;

    (void)state;
    warm->bounds.memory_bytes = 400 * MIB;
    pool = proven(0, WARM_WAY_SERVICE);
    other = proven(1, WARM_WAY_PREBOOT);
    ask(0, WARM_WAY_SERVICE, 0, &rt);
    ask(0, WARM_WAY_SERVICE, 0, &rt); /* would like a second one */
    pass(EVICT_MS / 2);
    assert_int_equal(count(pool, WARM_BUSY) + count(pool, WARM_BOOTING), 1);
    assert_int_equal(count(other, WARM_IDLE), 1);
    warm->bounds.memory_bytes = 10000 * MIB;
    warm->bounds.runtimes = 2;
    warm_turn_soon(warm);
    pass(EVICT_MS / 4);
    assert_int_equal(count(pool, WARM_BUSY) + count(pool, WARM_BOOTING), 1);
}

static void test_room_is_taken_from_whom_nobody_asks(void **state)
{
    struct warm_pool *busy, *quiet;
    struct warm_runtime *rt;

    (void)state;
    warm->bounds.runtimes = 2;
    quiet = proven(0, WARM_WAY_PREBOOT);
    busy = proven(1, WARM_WAY_PREBOOT);
    pass(EVICT_MS + 1);
    for (unsigned i = 0; i < 2; i++) {
        ask(1, WARM_WAY_PREBOOT, 0, &rt);
        pass(REFILL_MS + 1);
        all_ready(busy);
    }
    ask(1, WARM_WAY_PREBOOT, 0, &rt);
    ask(1, WARM_WAY_PREBOOT, 0, &rt);
    ask(1, WARM_WAY_PREBOOT, 0, &rt);
    pass(2 * REFILL_MS);
    all_ready(busy);
    assert_int_equal(count(quiet, WARM_IDLE), 0);
    assert_int_equal(count(busy, WARM_IDLE) + count(busy, WARM_BOOTING), 2);
}

static void test_one_that_never_boots_costs_less_and_less(void **state)
{
    const struct plugin_step step = step_of(WARM_WAY_PREBOOT, 0);
    unsigned before;

    (void)state;
    boots_fail = true;
    warm_expect(warm, lang(0), &step, &conf.limits_default);
    pass(60000);
    assert_in_range(boots, 8, 12); /* 0.1 + 0.2 + 0.4 + ... s */
    before = boots;
    pass(9 * PAUSE_MAX_MS);
    assert_in_range(boots - before, 8, 10);
    boots_fail = false;
    pass(PAUSE_MAX_MS);
    pass(0);
    assert_int_equal(count(warm_pool_find(warm, lang(0), WARM_WAY_PREBOOT, 0), WARM_BOOTING),
                     0); /* nobody asks */
}

static void test_one_that_is_never_ready_ends(void **state)
{
    const struct plugin_step step = step_of(WARM_WAY_PREBOOT, 0);

    (void)state;
    warm_expect(warm, lang(0), &step, &conf.limits_default);
    pass(BOOT_MS - 1);
    assert_int_equal(boots, 1);
    pass(2 * PAUSE_FIRST_MS);
    assert_int_equal(boots, 2);
    assert_int_equal(count(warm_pool_find(warm, lang(0), WARM_WAY_PREBOOT, 0), WARM_BOOTING), 1);
}

static void test_a_service_is_replaced_when_its_successor_is_there(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_SERVICE);
    struct warm_runtime *old = TAILQ_FIRST(&pool->runtimes), *rt;

    (void)state;
    for (unsigned i = 0; i < 5; i++) { /* the plugin's uses_max */
        ask(0, WARM_WAY_SERVICE, 0, &rt);
        assert_ptr_equal(rt, old);
        rt->users = 0;
        rt->state = WARM_IDLE;
        warm_turn_soon(warm);
        pass(0);
    }
    assert_int_equal(count(pool, WARM_BOOTING), 1);
    ask(0, WARM_WAY_SERVICE, 0, &rt);
    assert_ptr_equal(rt, old); /* it serves until then */
    rt->users = 0;
    rt->state = WARM_IDLE;
    all_ready(pool);
    pass(0);
    assert_ptr_not_equal(TAILQ_FIRST(&pool->runtimes), old);
    assert_int_equal(count(pool, WARM_IDLE), 1);
}

/* That one is started is all that is known of a zygote at first, and its first steps wait until it is ready.
 */
static void test_a_zygote_serves_until_its_successor_is_ready(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_ZYGOTE);
    struct warm_runtime *old = TAILQ_FIRST(&pool->runtimes), *rt;

    (void)state;
    for (unsigned i = 0; i < 5; i++) { /* the plugin's uses_max */
        ask(0, WARM_WAY_ZYGOTE, 0, &rt);
        assert_ptr_equal(rt, old);
        rt->users = 0;
        rt->state = WARM_IDLE;
        rt->served = true;
        warm_turn_soon(warm);
        pass(0);
    }
    all_ready(pool);
    assert_int_equal(count(pool, WARM_IDLE), 2);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_ptr_equal(rt, old);
    rt->users = 0;
    rt->state = WARM_IDLE;
    pass(RIPE_MS + 1);
    assert_int_equal(count(pool, WARM_IDLE), 1);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_ptr_not_equal(rt, old);
}

/* Somebody is in it all the time, and no successor comes. */
static void test_a_zygote_has_an_end_under_load(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_ZYGOTE);
    struct warm_runtime *old = TAILQ_FIRST(&pool->runtimes), *rt;
    unsigned steps = 0;

    (void)state;
    boots_fail = true;
    for (; steps < 100; steps++) {
        ask(0, WARM_WAY_ZYGOTE, 0, &rt);
        if (rt == NULL)
            break;
        assert_ptr_equal(rt, old);
        old->state = WARM_IDLE; /* as a zygote is always */
        old->served = true;
        pass(1);
    }
    assert_int_equal(steps, 2 * 5); /* the plugin's uses_max */
    pass(1);
    assert_int_equal(count(pool, WARM_IDLE), 1); /* its users are not thrown out */
    old->users = 0;
    warm_turn_soon(warm);
    pass(1);
    assert_int_equal(count(pool, WARM_IDLE), 0);
}

static void test_a_zygote_is_too_old_at_last(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_ZYGOTE);
    struct warm_runtime *old = TAILQ_FIRST(&pool->runtimes), *rt;

    (void)state;
    boots_fail = true;
    conf.warm_idle_ms = 100 * conf.warm_age_max_ms;
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_ptr_equal(rt, old);
    old->state = WARM_IDLE;
    old->served = true;
    pass(2 * conf.warm_age_max_ms - 1);
    assert_true(old->expired);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_ptr_equal(rt, old);
    old->state = WARM_IDLE;
    pass(1);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_null(rt);
    assert_int_equal(count(pool, WARM_IDLE), 1);
}

/* Whoever may have been started from other files than cells show now serves nobody, whatever it does now. */
static void test_no_runtime_outlives_a_change(void **state)
{
    struct warm_pool *zygotes = proven(0, WARM_WAY_ZYGOTE), *boots_next = proven(1, WARM_WAY_PREBOOT);
    struct warm_runtime *old = TAILQ_FIRST(&zygotes->runtimes), *rt;

    (void)state;
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_ptr_equal(rt, old);
    old->state = WARM_IDLE; /* as a zygote is always */
    old->served = true;
    ask(1, WARM_WAY_PREBOOT, 0, &rt);
    pass(REFILL_MS + 1);
    assert_int_equal(count(boots_next, WARM_BOOTING), 1);
    warm_renew(warm);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt); /* in the same turn */
    assert_null(rt);
    pass(0);
    all_ready(zygotes);
    all_ready(boots_next); /* the one that booted already as well */
    pass(0);
    assert_int_equal(count(zygotes, WARM_IDLE), 2);
    assert_int_equal(count(boots_next, WARM_IDLE), 1);
    ask(0, WARM_WAY_ZYGOTE, 0, &rt);
    assert_non_null(rt);
    assert_ptr_not_equal(rt, old);
    rt->state = WARM_IDLE;
    old->users = 0; /* its last step ends, and it with it */
    warm_turn_soon(warm);
    pass(1);
    assert_int_equal(count(zygotes, WARM_IDLE), 1);
    assert_int_equal(boots, 5);
}

/* By no fault of theirs (warm_abandon()). */
static void lose(struct warm_runtime *rt)
{
    rt->users = 0;
    warm_pool_pause(rt->pool);
    warm_runtime_end(rt, NULL);
}

/* Whoever cancels what it has compiled has no service start at the heels of the other. */
static void test_services_that_are_lost_cost_less_and_less(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_SERVICE);
    uint64_t pause = PAUSE_FIRST_MS;
    struct warm_runtime *rt;

    (void)state;
    for (unsigned i = 0; i < 5; i++, pause *= 2) {
        const unsigned before = boots;

        ask(0, WARM_WAY_SERVICE, 0, &rt);
        assert_non_null(rt);
        lose(rt);
        pass(pause - 1);
        assert_int_equal(boots, before);
        pass(1);
        pass(0);
        assert_int_equal(boots, before + 1);
        all_ready(pool);
    }
    warm_pool_worked(pool);
    ask(0, WARM_WAY_SERVICE, 0, &rt);
    lose(rt);
    pass(PAUSE_FIRST_MS);
    pass(0);
    assert_int_equal(count(pool, WARM_BOOTING), 1);
}

static void test_variants(void **state)
{
    struct warm_pool *pool;
    struct warm_runtime *rt;

    (void)state;
    assert_null(ask(0, WARM_WAY_PREBOOT, 7, &rt));
    pass(0);
    pool = warm_pool_find(warm, lang(0), WARM_WAY_PREBOOT, 7);
    assert_int_equal(misses(pool, WARM_MISS_VARIANT), 1);
    assert_int_equal(boots, 0);
    ask(0, WARM_WAY_PREBOOT, 7, &rt);
    pass(0);
    assert_int_equal(boots, 1);
    for (uint32_t v = 100; v < 1000; v++) /* somebody tries them all */
        for (unsigned i = 0; i < VARIANT_ASKS; i++)
            assert_null(ask(0, WARM_WAY_PREBOOT, v, &rt));
    pass(0);
    assert_int_equal(boots, VARIANTS_MAX);
    pass(DECAY_MS);
    ask(0, WARM_WAY_PREBOOT, 5000, &rt);
    ask(0, WARM_WAY_PREBOOT, 5000, &rt); /* instead of the one asked for longest ago */
    pass(10);
    assert_int_equal(boots, VARIANTS_MAX + 1);
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static void test_a_stop_ends_all_but_jobs(void **state)
{
    struct warm_pool *pool = proven(0, WARM_WAY_SERVICE);
    struct warm_runtime *busy, *rt;
    bool stopped = false;

    (void)state;
    proven(1, WARM_WAY_PREBOOT);
    ask(0, WARM_WAY_SERVICE, 0, &busy);
    assert_non_null(ask(0, WARM_WAY_SERVICE, 0, &rt));
    warm_stop(warm, on_stopped, &stopped);
    pass(1);
    assert_int_equal(answers, 1); /* who waits runs cold */
    assert_null(given);
    assert_false(stopped);
    assert_int_equal(count(pool, WARM_BUSY), 1);
    busy->users = 0;
    busy->state = WARM_IDLE;
    warm_turn_soon(warm);
    pass(1);
    assert_true(stopped);
    assert_null(ask(0, WARM_WAY_SERVICE, 0, &rt));
    assert_null(rt);
    pass(3600000);
    assert_true(TAILQ_EMPTY(&pool->runtimes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_gets_one_before_the_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_taken_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_demand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiting_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_is_taken_from_whom_nobody_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_that_never_boots_costs_less_and_less, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_that_is_never_ready_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_zygote_serves_until_its_successor_is_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_zygote_has_an_end_under_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_zygote_is_too_old_at_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_runtime_outlives_a_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_service_is_replaced_when_its_successor_is_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_services_that_are_lost_cost_less_and_less, setup, teardown),
        cmocka_unit_test_setup_teardown(test_variants, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stop_ends_all_but_jobs, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
