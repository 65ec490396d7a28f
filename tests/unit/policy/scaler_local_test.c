/* scaler_local_test.c - workers that end right after their start are not started again at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <execd/plugin.h>

/* ---- a host with a clock of its own ------------------------------------------------------------ */

static struct {
    uint64_t now_ms;
    unsigned starts;
    execd_fire_fn ended; /* of the last one that was started */
    void *ended_arg;
    execd_fire_fn fire; /* what was posted */
    void *fire_arg;
    execd_drop_fn drop;
    int32_t answered;
    char why[160];
} h;

static void host_log(struct execd_ctx *ctx, int32_t level, const char *fmt, ...)
{
    (void)ctx;
    (void)level;
    (void)fmt;
}

static int32_t host_fail(struct execd_error *err, int32_t code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return code;
}

static uint64_t host_now(struct execd_ctx *ctx)
{
    (void)ctx;
    return h.now_ms;
}

static int32_t host_post(struct execd_ctx *ctx, execd_fire_fn fire, void *arg, execd_drop_fn drop)
{
    (void)ctx;
    h.fire = fire;
    h.fire_arg = arg;
    h.drop = drop;
    return EXECD_OK;
}

static int32_t host_start(struct execd_ctx *ctx, uint32_t number, execd_fire_fn ended, void *arg,
                          struct execd_error *err)
{
    (void)ctx;
    (void)number;
    (void)err;
    h.starts++;
    h.ended = ended;
    h.ended_arg = arg;
    return EXECD_OK;
}

static void host_end(struct execd_ctx *ctx, uint32_t number)
{
    (void)ctx;
    (void)number;
}

static int64_t host_pid(struct execd_ctx *ctx, uint32_t number)
{
    (void)ctx;
    return 1000 + number;
}

static const struct execd_host host = {.size = sizeof(host),
                                       .abi_minor = EXECD_ABI_MINOR,
                                       .log = host_log,
                                       .post = host_post,
                                       .fail = host_fail,
                                       .now_ms = host_now,
                                       .worker_start = host_start,
                                       .worker_end = host_end,
                                       .worker_pid = host_pid};

/* ---- the plugin ------------------------------------------------------------------------------------ */

const struct execd_plugin *execd_plugin_entry_v1(void); /* of the plugin */

static const struct execd_scaler_ops *ops;
static void (*destroy)(void *self);
static void *self;

static int setup(void **state)
{
    const struct execd_plugin *p = execd_plugin_entry_v1();
    struct execd_error err = {.size = sizeof(err)};

    (void)state;
    memset(&h, 0, sizeof(h));
    h.now_ms = 1000000;
    ops = p->scaler;
    destroy = p->destroy;
    return p->create(&host, NULL, NULL, &self, &err) == EXECD_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    destroy(self);
    return 0;
}

static void on_changed(void *arg, int32_t rc, uint32_t replicas, const char *why)
{
    (void)arg;
    (void)replicas;
    h.answered = rc;
    snprintf(h.why, sizeof(h.why), "%s", why == NULL ? "" : why);
}

/* True if there are as many as asked for. */
static bool change(uint32_t replicas)
{
    const struct execd_change c = {.size = sizeof(c), .replicas = replicas};
    struct execd_error err = {.size = sizeof(err)};

    assert_int_equal(ops->change(self, &c, on_changed, NULL, &err), EXECD_OK);
    h.fire(h.fire_arg);
    h.drop(h.fire_arg);
    return h.answered == EXECD_OK;
}

/* A worker is started and ends after that time by itself. */
static void one_that_lives(uint64_t ms)
{
    assert_true(change(1));
    h.now_ms += ms;
    h.ended(h.ended_arg);
}

static void pauses_for(uint64_t ms)
{
    const unsigned before = h.starts;

    h.now_ms += ms - 1;
    assert_false(change(1));
    assert_non_null(strstr(h.why, "the next try is in 1 ms"));
    assert_int_equal(h.starts, before);
    h.now_ms += 1;
}

static void test_pauses(void **state)
{
    static const uint64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

    (void)state;
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        one_that_lives(100);
        pauses_for(pauses[i]);
    }
    one_that_lives(10000); /* it worked, so the next one begins anew */
    one_that_lives(100);
    pauses_for(1000);
    assert_true(change(1));
}

/* One that was told to end is no bad start, however soon it goes. */
static void test_an_end_that_was_asked_for(void **state)
{
    struct execd_error err = {.size = sizeof(err)};

    (void)state;
    assert_true(change(1));
    assert_int_equal(ops->apply(self, 0, on_changed, NULL, &err), EXECD_OK);
    h.fire(h.fire_arg);
    h.drop(h.fire_arg);
    h.ended(h.ended_arg);
    assert_true(change(1));
    assert_int_equal(h.starts, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_end_that_was_asked_for, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
