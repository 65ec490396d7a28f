/* scale_test.c - rounds of a scaler, with a Redis and a plugin that say what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scale_internal.h"

static struct {
    struct loop *loop;
    struct scale *scale;
    struct conf conf;

    /* what is there */
    bool leads, taken; /* taken: another leads by the time that something is decided */
    uint64_t epoch;
    struct store_worker workers[8];
    size_t worker_count;
    char *leaving[8];
    size_t leaving_count;
    uint32_t advised;
    bool fails;       /* the backend */
    bool blind;       /* ... when it is asked what there is */
    bool tells;       /* it can tell: as many as are heard of */
    uint64_t late_ms; /* that Redis takes to write a decision down */

    /* what was done */
    struct store_decision decided;
    unsigned decisions, orders, changes, retired, wholes;
    uint32_t changed_to;
} w;

/* ---- the store's part, in place of store/ ----------------------------------------------------- */

void store_scale_step(struct store *s, const char *id, uint64_t lease_ms, bool whole, store_scene_fn done,
                      void *arg)
{
    static uint64_t now_ms = 1000000;
    const struct store_scene scene = {.leads = w.leads,
                                      .epoch = w.epoch,
                                      .now_ms = now_ms += 1000,
                                      .workers = w.workers,
                                      .worker_count = w.worker_count,
                                      .leaving = w.leaving,
                                      .leaving_count = w.leaving_count};

    (void)s;
    (void)id;
    (void)lease_ms;
    w.wholes += whole;
    loop_stop(w.loop); /* one round for each loop_run() */
    done(arg, NULL, &scene);
}

static struct loop_timer *late;
static store_done_fn late_done;

static void on_late(void *arg)
{
    late_done(arg, NULL);
}

void store_scale_decide(struct store *s, const char *id, uint64_t epoch, const struct store_decision *d,
                        const struct store_order *orders, size_t order_count, store_done_fn done, void *arg)
{
    struct err err = {0};

    (void)s;
    (void)id;
    assert_true(epoch == w.epoch);
    if (w.taken) {
        err_set(&err, ERR_CONFLICT, "another scaler leads");
        done(arg, &err);
        return;
    }
    w.decided = *d;
    w.decisions++;
    w.orders += (unsigned)order_count;
    for (size_t i = 0; i < order_count; i++)
        for (size_t k = 0; k < w.worker_count && orders[i].leave; k++)
            if (strcmp(orders[i].worker, w.workers[k].id) == 0)
                w.leaving[w.leaving_count++] = w.workers[k].id;
    if (w.late_ms == 0) {
        done(arg, NULL);
        return;
    }
    late_done = done;
    loop_timer_free(late);
    late = loop_timer_new(w.loop, on_late, arg);
    loop_timer_arm(late, w.late_ms);
}

void store_scale_yield(struct store *s, const char *id, store_done_fn done, void *arg)
{
    (void)s;
    (void)id;
    done(arg, NULL);
}

/* ---- the plugin's: one that has apply() alone ---------------------------------------------------- */

const char *plugin_scaler_name(const struct execd_ctx *ctx)
{
    (void)ctx;
    return "test";
}

int plugin_scaler_decide(struct execd_ctx *ctx, const struct execd_observation *o, struct execd_advice *ret,
                         struct err *reterr)
{
    (void)ctx;
    (void)o;
    (void)reterr;
    *ret = (struct execd_advice){.size = sizeof(*ret), .replicas = w.advised, .wanted = w.advised};
    return 0;
}

int plugin_scaler_current(struct execd_ctx *ctx, plugin_scaler_fn fn, void *arg, struct err *reterr)
{
    (void)ctx;
    if (w.blind)
        return err_set(reterr, ERR_AGAIN, "it does not answer");
    if (!w.tells)
        return err_set(reterr, ERR_NOT_FOUND, "it does not tell");
    fn(arg, NULL, (uint32_t)w.worker_count);
    return 0;
}

int plugin_scaler_change(struct execd_ctx *ctx, const struct execd_change *change, plugin_scaler_fn fn,
                         void *arg, struct err *reterr)
{
    (void)ctx;
    w.changes++;
    w.changed_to = change->replicas;
    if (w.fails)
        return err_set(reterr, ERR_AGAIN, "it does not answer");
    fn(arg, NULL, change->replicas);
    return 0;
}

void plugin_scaler_forget(struct execd_ctx *ctx)
{
    (void)ctx;
}

bool plugin_scaler_owns(struct execd_ctx *ctx, const char *worker)
{
    (void)ctx;
    (void)worker;
    return true;
}

int64_t plugin_scaler_rank(struct execd_ctx *ctx, const char *worker)
{
    (void)ctx;
    (void)worker;
    return 0;
}

void plugin_scaler_retire(struct execd_ctx *ctx)
{
    (void)ctx;
    w.retired++;
}

/* ---- rounds ---------------------------------------------------------------------------------------- */

static int setup(void **state)
{
    struct err err;

    (void)state;
    memset(&w, 0, sizeof(w));
    w.conf.min_pods = 0;
    w.conf.max_pods = 8;
    w.conf.jobs_per_pod = 1;
    w.conf.check_interval_ms = 1000;
    w.leads = true;
    w.epoch = 1;
    assert_int_equal(loop_new(&w.loop, &err), 0);
    w.scale = scale_start(&(struct scale_options){.loop = w.loop, .conf = &w.conf});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scale_stop(w.scale);
    scale_free(w.scale);
    loop_timer_free(late);
    late = NULL;
    loop_free(w.loop);
    return 0;
}

static void heard(size_t count)
{
    w.worker_count = count;
    for (size_t i = 0; i < count; i++)
        snprintf(w.workers[i].id, sizeof(w.workers[i].id), "host:%zu:0", i);
}

static void round_with(uint32_t advised)
{
    w.advised = advised;
    loop_run(w.loop);
}

/* What was decided is not what there is: it is asked for until it is there. */
static void test_a_change_that_failed(void **state)
{
    (void)state;
    heard(1);
    w.fails = true;
    round_with(3);
    assert_int_equal(w.changes, 1);
    w.fails = false;
    round_with(3);
    assert_int_equal(w.decided.replicas, 1);
    assert_int_equal(w.changes, 2);
    assert_int_equal(w.changed_to, 3);
    heard(3);
    round_with(3);
    assert_int_equal(w.changes, 2);
}

/* Down to nobody and up again: the backend is told as many as remain, and one that drains stays away. */
static void test_down_and_up(void **state)
{
    (void)state;
    heard(2);
    round_with(1);
    assert_int_equal(w.leaving_count, 1);
    round_with(1);
    assert_int_equal(w.changes, 0); /* it has not drained yet, and nobody is called back */
    assert_int_equal(w.leaving_count, 1);
    for (size_t i = 0; i < 2; i++)
        w.workers[i].draining = w.workers[i].drained = w.leaving[0] == w.workers[i].id;
    round_with(1);
    assert_int_equal(w.changes, 1);
    assert_int_equal(w.changed_to, 1);
    heard(1);
    w.workers[0].draining = w.workers[0].drained = true;
    w.leaving[0] = w.workers[0].id;
    round_with(0);
    assert_int_equal(w.changed_to, 0);
    round_with(1); /* its last heartbeat is there still */
    heard(0);
    round_with(1);
    assert_int_equal(w.decided.replicas, 0);
    assert_int_equal(w.changed_to, 1);
}

/* Nobody is heard of, so nobody is taken away; that goes for a new leader as well. */
static void test_nobody_is_heard_of(void **state)
{
    struct scale_past past = {.last = {.replicas = 5, .target = 4}};
    const struct scale_view none = {0};

    (void)state;
    heard(2);
    round_with(5);
    assert_int_equal(w.changed_to, 5);
    heard(0);
    round_with(1);
    assert_int_equal(w.decided.replicas, 5);
    assert_int_equal(w.decided.target, 5);
    assert_int_equal(w.changes, 1);
    assert_int_equal(scale_view_replicas(&none, &past, -1), 5);
    past.last.target = 0; /* all went, as was decided */
    assert_int_equal(scale_view_replicas(&none, &past, -1), 0);
}

/* A decision that came too late ends nobody's workers: who leads is said by the next step. */
static void test_a_decision_too_late(void **state)
{
    (void)state;
    heard(1);
    w.taken = true;
    round_with(3);
    assert_int_equal(w.retired, 0);
    assert_int_equal(w.changes, 0);
    w.taken = false; /* nobody had come after it */
    round_with(3);
    assert_int_equal(w.retired, 0);
    assert_int_equal(w.changed_to, 3);
    w.taken = true;
    round_with(4);
    assert_int_equal(w.retired, 0);
    w.leads = false;
    round_with(4);
    assert_int_equal(w.retired, 1);
}

/* A backend that does not answer: nobody goes, whoever was told before and is drained included. */
static void test_a_backend_that_is_not_seen(void **state)
{
    (void)state;
    w.tells = true;
    heard(3);
    round_with(3);
    round_with(2);
    assert_int_equal(w.orders, 1);
    for (size_t i = 0; i < 3; i++)
        w.workers[i].draining = w.workers[i].drained = w.leaving[0] == w.workers[i].id;
    w.blind = true;
    for (unsigned i = 0; i < 3; i++) {
        round_with(0);
        assert_true(w.decided.blind);
        assert_int_equal(w.decided.target, w.decided.replicas);
    }
    assert_int_equal(w.orders, 1);
    assert_int_equal(w.changes, 0);
    w.blind = false;
    round_with(2);
    assert_false(w.decided.blind);
    assert_int_equal(w.changed_to, 2);
}

/* What is written down when another may lead is not done. */
static void test_a_decision_that_took_longer_than_it_leads(void **state)
{
    (void)state;
    heard(1);
    w.late_ms = 4900; /* of the 5000 that it leads */
    round_with(3);
    w.late_ms = 0;
    round_with(3);
    assert_int_equal(w.changes, 2);
    w.late_ms = 5100;
    round_with(4);
    w.late_ms = 0;
    round_with(1); /* it was answered before this one began, which wants as many as there are */
    assert_int_equal(w.decisions, 4);
    assert_int_equal(w.changes, 2);
}

/* Another led between two steps: what it decided is asked for before anything is decided. */
static void test_another_led_meanwhile(void **state)
{
    (void)state;
    heard(1);
    round_with(1);
    assert_int_equal(w.wholes, 1);
    w.epoch = 3;
    round_with(1);
    assert_int_equal(w.decisions, 1);
    assert_int_equal(w.retired, 1);
    round_with(1);
    assert_int_equal(w.wholes, 2);
    assert_int_equal(w.decisions, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_change_that_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_down_and_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_is_heard_of, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_decision_too_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_backend_that_is_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_decision_that_took_longer_than_it_leads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_led_meanwhile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
