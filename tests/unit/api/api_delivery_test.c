/* api_delivery_test.c - what clients see of webhooks, and deliveries that they ask for again. */
#include "api_fixture.h"

#define HOOKED                                                                                               \
    "{\"source_code\":\"print(1)\",\"language_id\":71,\"callback_url\":\"http://receiver.example/\"}"

static const struct store_outbox_rules rules = {.lease_ms = 60000, .per_endpoint = 8, .window_ms = 600000};

struct delivery {
    struct fixture *fx;
    bool over;
    char token[UUID_SIZE];
    uint32_t attempt;
};

static void on_claimed(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                       uint64_t next_ms)
{
    struct delivery *x = arg;

    (void)next_ms;
    assert_null(err);
    if (count > 0) {
        memcpy(x->token, d->token, UUID_SIZE);
        x->attempt = d->attempt;
    }
    x->over = true;
    loop_stop(x->fx->loop);
}

static void on_settled(void *arg, const struct err *err, uint64_t paused_ms)
{
    struct delivery *x = arg;

    (void)paused_ms;
    assert_null(err);
    x->over = true;
    loop_stop(x->fx->loop);
}

/* A sender in miniature. */
static struct delivery taken(struct fixture *fx)
{
    struct delivery x = {.fx = fx};

    while (x.attempt == 0) {
        x.over = false;
        store_outbox_claim(fx->store, &rules, NULL, 1, on_claimed, &x);
        fixture_spin(fx, &x.over);
    }
    return x;
}

static void settle(struct delivery *x, enum store_outcome outcome, int status, const char *reason)
{
    const struct store_settlement t = {.token = x->token,
                                       .attempt = x->attempt,
                                       .outcome = outcome,
                                       .retry_ms = 1,
                                       .took_ms = 12,
                                       .status = status,
                                       .reason = reason};

    x->over = false;
    store_outbox_settle(x->fx->store, &rules, &t, on_settled, x);
    fixture_spin(x->fx, &x->over);
}

static void ended_with_hook(struct fixture *fx, const char *header, char path[96])
{
    struct store_claim c;
    struct answer a;
    char token[UUID_SIZE];

    http(fx, &a, "POST", "/v1/jobs", header, HOOKED);
    assert_int_equal(a.status, 202);
    token_of(&a, token);
    answer_done(&a);
    snprintf(path, 96, "/v1/jobs/%s/deliveries", token);
    http(fx, &a, "GET", path, header, NULL);
    assert_has(&a, "\"state\":\"waiting\"");
    answer_done(&a);
    http(fx, &a, "POST", path, header, NULL);
    assert_int_equal(a.status, 409);
    assert_has(&a, "the job has not ended");
    answer_done(&a);
    worker_beat(fx, "w");
    c = worker_claim(fx);
    worker_finish(fx, &c, "1\n");
    job_free(c.job);
}

static void test_log(void **state)
{
    struct fixture *fx = *state;
    struct delivery x;
    struct answer a;
    char path[96];

    fixture_open(fx);
    ended_with_hook(fx, NULL, path);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"state\":\"pending\"");
    assert_has(&a, "\"attempts\":0");
    assert_has(&a, "\"deliveries\":[]");
    answer_done(&a);
    x = taken(fx);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"state\":\"sending\"");
    answer_done(&a);
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 409);
    assert_has(&a, "a delivery is under way");
    answer_done(&a);
    settle(&x, STORE_FAILED, 0, "Connection refused \"there\"");
    x = taken(fx);
    settle(&x, STORE_DELIVERED, 204, "status 204");
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"state\":\"delivered\"");
    assert_has(&a, "\"attempts\":2,\"next_attempt_at\":null");
    assert_has(&a, "\"attempt\":1,\"at\":\"20");
    assert_has(&a, "\"duration_ms\":12,\"status\":null,\"outcome\":\"failed\","
                   "\"reason\":\"Connection refused \\\"there\\\"\",\"next_attempt_at\":\"20");
    assert_has(&a, "\"status\":204,\"outcome\":\"delivered\",\"reason\":\"status 204\","
                   "\"next_attempt_at\":null}]}");
    assert_has_not(&a, "receiver.example"); /* what its path and query hold is between two others */
    answer_done(&a);
}

static void test_again(void **state)
{
    struct fixture *fx = *state;
    struct delivery x;
    struct answer a;
    char path[96];

    fixture_open(fx);
    ended_with_hook(fx, NULL, path);
    x = taken(fx);
    settle(&x, STORE_GIVEN_UP, 410, "status 410");
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"state\":\"given_up\"");
    answer_done(&a);
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 202);
    assert_has(&a, "\"state\":\"pending\"");
    answer_done(&a);
    x = taken(fx);
    assert_int_equal(x.attempt, 2);
    settle(&x, STORE_GIVEN_UP, 410, "status 410");
    fx->conf->rate_per_minute = fx->conf->rate_burst = 1; /* what is asked for again counts as a job */
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 202);
    answer_done(&a);
    x = taken(fx);
    settle(&x, STORE_GIVEN_UP, 410, "status 410");
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 429);
    assert_has(&a, "urn:execd:problem:quota-exceeded");
    assert_has(&a, "(rate_per_minute)");
    answer_done(&a);
    fx->conf->hook_enabled = false;
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 409);
    assert_has(&a, "switches webhooks off");
    answer_done(&a);
}

static void test_paths(void **state)
{
    static const char none[] = "/v1/jobs/00000000-0000-4000-8000-000000000000/deliveries";
    struct fixture *fx = *state;
    struct answer a;
    char token[UUID_SIZE], path[96];

    fixture_open(fx);
    http(fx, &a, "GET", none, NULL, NULL);
    assert_int_equal(a.status, 404);
    assert_has(&a, "urn:execd:problem:not-found");
    answer_done(&a);
    http(fx, &a, "POST", none, NULL, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/nonsense/deliveries", NULL, NULL);
    assert_int_equal(a.status, 404);
    assert_has(&a, "urn:execd:problem:not-found");
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/00000000-0000-4000-8000-00000000000g/deliveries", NULL, NULL);
    assert_has(&a, "this is no token of a job");
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs//deliveries", NULL, NULL);
    assert_has(&a, "urn:execd:problem:no-such-route");
    answer_done(&a);
    http(fx, &a, "DELETE", none, NULL, NULL);
    assert_int_equal(a.status, 405);
    answer_done(&a);
    submit(fx, NULL, token); /* without a callback */
    snprintf(path, sizeof(path), "/v1/jobs/%s/deliveries", token);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"state\":\"none\"");
    answer_done(&a);
    http(fx, &a, "POST", path, NULL, NULL);
    assert_int_equal(a.status, 409);
    assert_has(&a, "the job has no callback_url");
    answer_done(&a);
    snprintf(path, sizeof(path), "/v1/jobs/%s/deliveries/", token);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "urn:execd:problem:no-such-route");
    answer_done(&a);
}

/* Another tenant's webhook is neither seen nor sent again. */
static void test_tenants(void **state)
{
    static const char one[] = "X-Auth-Token: key-of-tenant-one", two[] = "X-Auth-Token: key-of-tenant-two";
    struct fixture *fx = *state;
    struct delivery x;
    struct answer a;
    char path[96];

    fx->conf->keys = mem_zero(2, sizeof(*fx->conf->keys));
    fx->conf->key_count = 2;
    fx->conf->keys[0].name = mem_dup("one");
    fx->conf->keys[0].key = mem_dup("key-of-tenant-one");
    fx->conf->keys[1].name = mem_dup("two");
    fx->conf->keys[1].key = mem_dup("key-of-tenant-two");
    fixture_open(fx);
    ended_with_hook(fx, one, path);
    x = taken(fx);
    settle(&x, STORE_DELIVERED, 204, "status 204");
    http(fx, &a, "GET", path, two, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "POST", path, two, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 401);
    answer_done(&a);
    http(fx, &a, "GET", path, one, NULL);
    assert_has(&a, "\"state\":\"delivered\""); /* still */
    answer_done(&a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_log),
        TEST(test_again),
        TEST(test_paths),
        TEST(test_tenants),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
