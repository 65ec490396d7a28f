/* plugin_host_test.c - host services, the ledger behind them, start and stop in order. */
#include "plugin_test.h"

enum { ACTORS = 3 };

/* (plugin_host.fail) in brackets: cmocka has a macro of that name. */

/* A plugin made by hand. */
struct actor {
    struct plugin_set *set;
    struct execd_ctx *ctx;
    int index;
    int fired, dropped, stops, destroyed;
    bool start_fails, stop_hangs, stop_later;
    uint64_t timer;
    execd_fire_fn stopped;
    void *stopped_arg;
};

static struct actor actors[ACTORS];
static char order[64]; /* who did what: "s0 s1 p1 d1 ..." */
static struct loop *loop;

static void note(char what, const struct actor *a)
{
    size_t len = strlen(order);

    snprintf(order + len, sizeof(order) - len, "%c%d ", what, a->index);
}

static void fire(void *arg)
{
    ((struct actor *)arg)->fired++;
}

static void drop(void *arg)
{
    ((struct actor *)arg)->dropped++;
}

static int32_t actor_start(void *self, struct execd_error *err)
{
    struct actor *a = self;

    note('s', a);
    return a->start_fails ? (plugin_host.fail)(err, EXECD_E_CONFIG, "stage fright of %d", a->index)
                          : EXECD_OK;
}

static void say_stopped(void *arg)
{
    struct actor *a = arg;

    a->stopped(a->stopped_arg);
    a->stopped(a->stopped_arg); /* once too often */
}

static void actor_stop(void *self, execd_fire_fn stopped, void *arg)
{
    struct actor *a = self;

    note('p', a);
    a->stops++;
    a->stopped = stopped;
    a->stopped_arg = arg;
    if (a->stop_hangs)
        return;
    if (a->stop_later)
        plugin_host.timer(a->ctx, 1, say_stopped, a, NULL);
    else
        say_stopped(a);
}

static void actor_destroy(void *self)
{
    struct actor *a = self;

    note('d', a);
    a->destroyed++;
}

static struct plugin_set *make_set(void)
{
    static char names[ACTORS][8];
    struct plugin_set *set = NEW(struct plugin_set);

    memset(actors, 0, sizeof(actors));
    order[0] = '\0';
    set->items = mem_zero(ACTORS, sizeof(*set->items));
    set->count = ACTORS;
    for (int i = 0; i < ACTORS; i++) {
        struct execd_ctx *ctx = NEW(struct execd_ctx);

        snprintf(names[i], sizeof(names[i]), "actor%d", i);
        actors[i] = (struct actor){.set = set, .ctx = ctx, .index = i};
        ctx->set = set;
        ctx->file = mem_printf("%s.so", names[i]);
        ctx->fd = -1;
        ctx->desc.name = names[i];
        ctx->desc.start = actor_start;
        ctx->desc.stop = actor_stop;
        ctx->desc.destroy = actor_destroy;
        ctx->self = &actors[i];
        ctx->created = true;
        pthread_mutex_init(&ctx->mutex, NULL);
        TAILQ_INIT(&ctx->posts);
        TAILQ_INIT(&ctx->timers);
        TAILQ_INIT(&ctx->https);
        set->items[i] = ctx;
    }
    return set;
}

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    return loop_new(&loop, &err);
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void end_loop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void stop_and_free(struct plugin_set *set)
{
    plugin_set_stop(set, end_loop, NULL);
    loop_run(loop);
    plugin_set_free(set);
}

static void turn_for(uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(loop, end_loop, NULL);

    loop_timer_arm(t, ms);
    loop_run(loop);
    loop_timer_free(t);
}

/* ---- start and stop --------------------------------------------------------------------------- */

static void test_stop_is_start_in_reverse(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};

    (void)state;
    actors[1].stop_later = true;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    stop_and_free(set);
    assert_string_equal(order, "s0 s1 s2 p2 p1 p0 d2 d1 d0 ");
}

static void test_a_start_that_fails(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};

    (void)state;
    actors[1].start_fails = true;
    assert_int_equal(plugin_set_start(set, loop, &err), ERR_CONFIG);
    assert_string_equal(err.text, "plugin `actor1.so`: start() failed: stage fright of 1");
    plugin_set_free(set);
    assert_string_equal(order, "s0 s1 p0 d2 d1 d0 "); /* stopped iff started, destroyed iff created */
}

static void test_a_stop_that_hangs(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};
    uint64_t begun = loop_now_ms(loop);

    (void)state;
    actors[1].stop_hangs = true;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    plugin_host.timer(actors[1].ctx, 3600000, fire, &actors[1], drop);
    stop_and_free(set);
    assert_int_equal(loop_now_ms(loop) - begun, STOP_MS);
    assert_string_equal(order, "s0 s1 s2 p2 p1 p0 d2 d1 d0 ");
    assert_int_equal(actors[1].fired, 0);
    assert_int_equal(actors[1].dropped, 1);
}

static void test_stop_before_start(void **state)
{
    struct plugin_set *set = make_set();
    int called = 0;

    (void)state;
    plugin_set_stop(set, fire, &actors[0]);
    called = actors[0].fired;
    assert_int_equal(called, 1);
    plugin_set_free(set);
    assert_string_equal(order, "d2 d1 d0 ");
}

/* ---- timers and posts ---------------------------------------------------------------------------- */

static void test_timers(void **state)
{
    struct plugin_set *set = make_set();
    struct execd_ctx *ctx = actors[0].ctx;
    struct actor *fires = &actors[0], *cancelled = &actors[1], *left = &actors[2];
    struct err err = {0};
    uint64_t id;

    (void)state;
    assert_int_equal(plugin_host.timer(ctx, 1, fire, fires, drop), 0); /* not started yet */
    assert_int_equal(fires->dropped, 1);
    fires->dropped = 0;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    assert_int_not_equal(plugin_host.timer(ctx, 1, fire, fires, drop), 0);
    id = plugin_host.timer(ctx, 1, fire, cancelled, drop);
    plugin_host.timer_cancel(ctx, id);
    plugin_host.timer_cancel(ctx, id);
    plugin_host.timer_cancel(ctx, 0);
    assert_int_equal(cancelled->dropped, 1);
    assert_int_not_equal(plugin_host.timer(ctx, 3600000, fire, left, drop), 0);
    turn_for(50);
    assert_int_equal(fires->fired, 1);
    assert_int_equal(fires->dropped, 1);
    stop_and_free(set);
    assert_int_equal(cancelled->fired + left->fired, 0);
    assert_int_equal(cancelled->dropped, 1);
    assert_int_equal(left->dropped, 1);
}

static void test_timers_are_bounded(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};
    int set_up = 0;

    (void)state;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    for (int i = 0; i < 2000; i++)
        set_up += plugin_host.timer(actors[0].ctx, 3600000, fire, &actors[0], drop) != 0;
    assert_int_equal(set_up, 1024);
    assert_int_equal(actors[0].dropped, 2000 - 1024);
    stop_and_free(set);
    assert_int_equal(actors[0].dropped, 2000);
}

static void *post_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        plugin_host.post(((struct actor *)arg)->ctx, fire, arg, drop);
    return NULL;
}

static void test_posts_from_threads(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};
    pthread_t threads[ACTORS];

    (void)state;
    assert_int_equal(plugin_host.post(actors[0].ctx, fire, &actors[0], drop), EXECD_E_AGAIN);
    assert_int_equal(actors[0].dropped, 1);
    actors[0].dropped = 0;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    for (int i = 0; i < ACTORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &actors[i]), 0);
    turn_for(1);
    for (int i = 0; i < ACTORS; i++)
        pthread_join(threads[i], NULL);
    turn_for(1);
    for (int i = 0; i < ACTORS; i++) {
        assert_int_equal(actors[i].fired, 1000);
        assert_int_equal(actors[i].dropped, 1000);
    }
    stop_and_free(set);
}

static void test_posts_without_a_turn(void **state)
{
    struct plugin_set *set = make_set();
    struct err err = {0};

    (void)state;
    assert_int_equal(plugin_set_start(set, loop, &err), 0);
    assert_int_equal(plugin_host.post(actors[0].ctx, fire, &actors[0], drop), EXECD_OK);
    plugin_ledger_close(actors[0].ctx);
    assert_int_equal(actors[0].dropped, 1);
    assert_int_equal(plugin_host.post(actors[0].ctx, fire, &actors[0], drop), EXECD_E_AGAIN);
    assert_int_equal(actors[0].dropped, 2);
    stop_and_free(set); /* the inbox turns once more and finds nothing */
    assert_int_equal(actors[0].fired, 0);
    assert_int_equal(actors[0].dropped, 2);
}

/* ---- words --------------------------------------------------------------------------------------- */

static void test_words(void **state)
{
    struct execd_error e = {.size = sizeof(e)};
    struct plugin_set *set = make_set();
    char out[16];

    (void)state;
    assert_int_equal((plugin_host.fail)(&e, EXECD_E_AGAIN, "%0300d", 7), EXECD_E_AGAIN);
    assert_int_equal(e.code, EXECD_E_AGAIN);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_int_equal((plugin_host.fail)(NULL, EXECD_E_AGAIN, "nobody listens"), EXECD_E_AGAIN);
    plugin_host.log(actors[0].ctx, 99, "%s", "a level that does not exist is an error");
    assert_true(plugin_host.now_ms(actors[0].ctx) > 0);
    assert_true(EXECD_CAN(&plugin_host, struct execd_host, http_start));
    plugin_text("two\nlines.\n", 64, out, sizeof(out));
    assert_string_equal(out, "two lines");
    plugin_text("cut in the \xc3\x84", 64, out, 13);
    assert_string_equal(out, "cut in the");
    plugin_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_is_start_in_reverse),
        cmocka_unit_test(test_a_start_that_fails),
        cmocka_unit_test(test_a_stop_that_hangs),
        cmocka_unit_test(test_stop_before_start),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_timers_are_bounded),
        cmocka_unit_test(test_posts_from_threads),
        cmocka_unit_test(test_posts_without_a_turn),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
