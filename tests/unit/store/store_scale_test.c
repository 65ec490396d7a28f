/* store_scale_test.c - who leads the scalers, what a leader sees, and that nobody else decides. */
#include "store_rig.h"

static struct store_scene seen; /* numbers of the last one; its lists are counted alone */
static char leaving[64];
static struct store_decision newest;
static uint16_t port;
static pid_t server;

static void on_scene(void *arg, const struct err *err, const struct store_scene *scene)
{
    if (scene != NULL) {
        seen = *scene;
        snprintf(leaving, sizeof(leaving), "%s", scene->leaving_count > 0 ? scene->leaving[0] : "");
        if (scene->decision_count > 0)
            newest = scene->decisions[0];
    }
    take_err(arg, err);
}

static struct store *open_one(void)
{
    CLEAN_FREE char *url = NULL;
    struct store_options o;

    port = rig_redis("--port %u --save ''", &server);
    url = mem_printf("redis://127.0.0.1:%u", (unsigned)port);
    o = rig_options(url);
    return rig_open(&o);
}

static void step(struct store *s, const char *id, uint64_t lease_ms)
{
    struct answer a;

    ASK(a, store_scale_step(s, id, lease_ms, true, on_scene, &a));
    assert_int_equal(a.err.code, 0);
}

static int decide(struct store *s, const char *id, uint64_t epoch, const struct store_order *orders, size_t n)
{
    const struct store_decision d = {.at_ms = 7,
                                     .interval_ms = 10,
                                     .queued = {1, 2, 3},
                                     .held = UINT64_C(1) << 60,
                                     .cpu_permille = 345,
                                     .replicas = 4,
                                     .wanted = 5,
                                     .target = 6,
                                     .blind = true,
                                     .reason = "as many as \"there\" are, 100%s"};
    struct answer a;

    ASK(a, store_scale_decide(s, id, epoch, &d, orders, n, on_done, &a));
    return a.err.code;
}

static bool beat(struct store *s, const char *id, uint64_t ttl_ms)
{
    struct store_worker w = {.slots = 2, .cores = 4, .memory_max = 1 << 30, .held = 3, .drained = true};
    struct answer a;

    snprintf(w.id, sizeof(w.id), "%s", id);
    ASK(a, store_heartbeat(s, &w, ttl_ms, on_beat, &a));
    assert_int_equal(a.err.code, 0);
    return a.more;
}

/* One leads; another takes over when its time is over, not before, with a higher epoch. */
static void test_election(void **state)
{
    struct store *s = open_one();
    struct answer a;

    (void)state;
    step(s, "one", 60000);
    assert_true(seen.leads);
    assert_int_equal(seen.epoch, 1);
    step(s, "two", 60000);
    assert_false(seen.leads);
    assert_string_equal(seen.who, "one");
    assert_true(seen.left_ms > 50000 && seen.left_ms <= 60000);
    step(s, "one", 1); /* renewed, for a moment */
    assert_true(seen.leads);
    assert_int_equal(seen.epoch, 1);
    rig_run_ms(20);
    step(s, "two", 60000);
    assert_true(seen.leads);
    assert_int_equal(seen.epoch, 2);
    step(s, "one", 60000);
    assert_false(seen.leads);
    ASK(a, store_scale_yield(s, "one", on_done, &a)); /* it has nothing to yield */
    step(s, "one", 60000);
    assert_false(seen.leads);
    ASK(a, store_scale_yield(s, "two", on_done, &a));
    step(s, "one", 60000);
    assert_true(seen.leads);
    assert_int_equal(seen.epoch, 3);
    store_free(s);
}

/* A leader that was forgotten decides nothing and sends nobody away. */
static void test_fencing(void **state)
{
    const struct store_order away = {"w", true};
    struct store *s = open_one();

    (void)state;
    assert_false(beat(s, "w", 60000));
    step(s, "one", 1);
    rig_run_ms(20);
    assert_int_equal(decide(s, "one", 1, &away, 1),
                     ERR_CONFLICT); /* its time is over, though nobody came after it */
    step(s, "two", 60000);
    assert_int_equal(decide(s, "one", 1, &away, 1), ERR_CONFLICT);
    assert_int_equal(decide(s, "one", 2, &away, 1), ERR_CONFLICT);
    assert_int_equal(decide(s, "two", 1, &away, 1), ERR_CONFLICT);
    assert_false(beat(s, "w", 60000));
    step(s, "two", 60000);
    assert_int_equal(seen.decision_count, 0);
    assert_int_equal(decide(s, "two", 2, &away, 1), 0);
    assert_true(beat(s, "w", 60000));
    store_free(s);
}

/* What was decided outlives the leader. */
static void test_decisions(void **state)
{
    struct store *s = open_one();
    struct answer a;

    (void)state;
    step(s, "one", 60000);
    assert_int_equal(decide(s, "one", 1, NULL, 0), 0);
    ASK(a, store_scale_yield(s, "one", on_done, &a));
    step(s, "two", 60000);
    assert_int_equal(seen.decision_count, 1);
    assert_int_equal(newest.at_ms, 7);
    assert_int_equal(newest.queued[2], 3);
    assert_true(newest.held == UINT64_C(1) << 60);
    assert_int_equal(newest.cpu_permille, 345);
    assert_int_equal(newest.target, 6);
    assert_true(newest.blind);
    assert_string_equal(newest.reason, "as many as \"there\" are, 100%s");
    for (int i = 0; i < STORE_DECISIONS_MAX + 5; i++)
        assert_int_equal(decide(s, "two", 2, NULL, 0), 0);
    step(s, "two", 60000);
    assert_int_equal(seen.decision_count, STORE_DECISIONS_MAX);
    ASK(a, store_scale_view(s, 3, on_scene, &a));
    assert_int_equal(seen.decision_count, 3);
    assert_string_equal(seen.who, "two");
    store_free(s);
}

/* Orders reach workers with their heartbeats, are taken back, and go with the worker. */
static void test_orders(void **state)
{
    struct store *s = open_one();
    struct answer a;

    (void)state;
    step(s, "one", 60000);
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", true}, 1), 0); /* nobody of that name */
    assert_false(beat(s, "w", 60000));
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", true}, 1), 0);
    assert_true(beat(s, "w", 60000));
    step(s, "one", 60000);
    assert_int_equal(seen.leaving_count, 1);
    assert_string_equal(leaving, "w");
    assert_int_equal(seen.worker_count, 1);
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", false}, 1), 0);
    assert_false(beat(s, "w", 60000));
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", true}, 1), 0);
    ASK(a, store_worker_gone(s, "w", on_done, &a));
    step(s, "one", 60000);
    assert_int_equal(seen.leaving_count, 0);
    assert_false(beat(s, "w", 1)); /* it dies without a word */
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", true}, 1), 0);
    rig_run_ms(20);
    step(s, "one", 60000);
    assert_int_equal(seen.leaving_count, 0);
    assert_false(beat(s, "w", 60000)); /* the order went with it */
    store_free(s);
}

/* They outlive the leader until another could have taken them back, and no longer. */
static void test_orders_of_nobody(void **state)
{
    struct store *s = open_one();
    struct answer a;

    (void)state;
    assert_false(beat(s, "w", 60000));
    step(s, "one", 60000);
    assert_int_equal(decide(s, "one", 1, &(struct store_order){"w", true}, 1), 0);
    ASK(a, store_scale_yield(s, "one", on_done, &a));
    assert_true(beat(s, "w", 60000));
    step(s, "two", 60000);
    assert_int_equal(seen.leaving_count, 1);
    rig_cli(port, "", "hincrby {t}:scale til -110000", "");
    assert_true(beat(s, "w", 60000)); /* for ten seconds more */
    rig_cli(port, "", "hincrby {t}:scale til -11000", "");
    assert_false(beat(s, "w", 60000));
    step(s, "three", 60000);
    assert_int_equal(seen.leaving_count, 0); /* it does not come back with a leader */
    assert_false(beat(s, "w", 60000));
    store_free(s);
}

/* What the leader reckons with: arrivals, what workers ended, and how long that was theirs. */
static void test_numbers(void **state)
{
    struct store *s = open_one();
    struct job *job = rig_job(10, NULL);
    struct answer a;

    (void)state;
    assert_int_equal(rig_submit(s, job), 0);
    rig_run_ms(30);
    step(s, "one", 60000);
    assert_int_equal(seen.queued[JOB_PRIORITY_NORMAL], 1);
    assert_true(seen.oldest_wait_ms >= 20);
    assert_int_equal(seen.accepted, 1);
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.count, 1);
    rig_run_ms(30);
    step(s, "one", 60000);
    assert_int_equal(seen.running, 1);
    assert_int_equal(seen.oldest_wait_ms, 0);
    assert_int_equal(seen.served, 0);
    assert_int_equal(rig_finish(s, job->token, a.claims[0].epoch), 0);
    step(s, "one", 60000);
    assert_int_equal(seen.running, 0);
    assert_int_equal(seen.served, 1);
    assert_true(seen.held >= 20 && seen.held < RIG_PATIENCE_MS);
    job_free(a.claims[0].job);
    job_free(job);
    job = rig_job(10, NULL); /* one that ends without having been a worker's counts for nothing */
    assert_int_equal(rig_submit(s, job), 0);
    ASK(a, store_cancel(s, job->token, on_done, &a));
    assert_int_equal(a.err.code, 0);
    step(s, "one", 60000);
    assert_int_equal(seen.accepted, 2);
    assert_int_equal(seen.served, 1);
    job_free(job);
    store_free(s);
}

/* Who asks what was decided is answered in time. */
static void test_a_hanging_redis(void **state)
{
    struct store *s = open_one();
    struct answer a;

    (void)state;
    s->seats[0].shard->o.answer_ms = 100;
    kill(server, SIGSTOP);
    ASK(a, store_scale_view(s, 1, on_scene, &a));
    assert_int_equal(a.err.code, ERR_AGAIN);
    assert_true(store_connected(s)); /* the watchdog takes longer than that */
    kill(server, SIGCONT);
    store_free(s);
}

static size_t languages(struct store *s)
{
    struct answer a;

    ASK(a, store_languages_get(s, on_languages, &a));
    assert_int_equal(a.err.code, 0);
    return a.count;
}

/* What was put long ago is forgotten where somebody is there who would put it again; where nobody is, it
 * holds, and is there still when the first worker comes again. */
static void test_languages_without_workers(void **state)
{
    static const struct store_language python = {71, "Python (3)"}, c = {50, "C (12)"};
    struct store *s = open_one();
    struct answer a;

    (void)state;
    ASK(a, store_languages_put(s, &python, 1, on_done, &a));
    ASK(a, store_languages_put(s, &c, 1, on_done, &a));
    assert_false(beat(s, "w", 60000));
    assert_int_equal(languages(s), 2);
    rig_cli(port, "", "hset {t}:languages 71 '0 Python (3)'", "0");
    assert_int_equal(languages(s), 1);
    ASK(a, store_worker_gone(s, "w", on_done, &a));
    assert_false(beat(s, "killed", 1)); /* it says no word, and its place is found empty */
    rig_run_ms(20);
    rig_cli(port, "", "hset {t}:languages 50 '0 C (12)'", "0");
    assert_int_equal(languages(s), 1);
    assert_false(beat(s, "w", 60000));
    assert_int_equal(languages(s), 1);
    store_free(s);
}

/* A decision that cannot be read is none, whatever stands there. */
static void test_bad_decisions(void **state)
{
    static const char *const bad[] = {"", "1", "1 ", "2 1 2 3", "1 a b", "1 1 2 3", "1  1"};
    struct store_decision d;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(store_get_decision(bad[i], &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_election, rig_after_each),
        cmocka_unit_test_teardown(test_fencing, rig_after_each),
        cmocka_unit_test_teardown(test_decisions, rig_after_each),
        cmocka_unit_test_teardown(test_orders, rig_after_each),
        cmocka_unit_test_teardown(test_orders_of_nobody, rig_after_each),
        cmocka_unit_test_teardown(test_numbers, rig_after_each),
        cmocka_unit_test_teardown(test_languages_without_workers, rig_after_each),
        cmocka_unit_test_teardown(test_a_hanging_redis, rig_after_each),
        cmocka_unit_test(test_bad_decisions),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
