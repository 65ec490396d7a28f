/* store_begun_test.c - which lost leases cost a job an attempt: those of jobs that were begun. */
#include "store_rig.h"

#define SERVER "--port %u --appendonly yes --appendfsync always "
#define MAX_ATTEMPTS 2u /* rig_options() */

static struct store *begin(uint32_t shards)
{
    static char url[64];
    struct store_options o;

    snprintf(url, sizeof(url), "redis://127.0.0.1:%u/0", rig_redis(SERVER, NULL));
    o = rig_options(url);
    o.shards = shards;
    o.lease_ms = 1; /* over by the next question; nobody but the test reaps */
    o.dead_max = 10;
    o.dead_max_bytes = 1 << 20;
    o.dead_ttl_ms = 60000;
    return rig_open(&o);
}

static void submit_to(struct store *s, unsigned shard, char *ret_token)
{
    struct job *job = rig_job(10, NULL);

    store_token_place(job->token, shard, s->count);
    assert_int_equal(rig_submit(s, job), 0);
    memcpy(ret_token, job->token, UUID_SIZE);
    job_free(job);
}

static void submit(struct store *s, char *ret_token)
{
    submit_to(s, 0, ret_token);
}

/* Up to `max`, of which so many are begun at once. */
static size_t claim(struct store *s, size_t max, size_t at_once, struct store_lease *ret)
{
    static const int32_t languages[] = {71};
    struct answer a;

    ASK(a, store_claim(s, "w", languages, 1, max, at_once, on_claim, &a));
    assert_int_equal(a.err.code, 0);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.claims[i].ahead, i >= at_once);
        memcpy(ret[i].token, a.claims[i].job->token, UUID_SIZE);
        ret[i].epoch = a.claims[i].epoch;
        job_free(a.claims[i].job);
    }
    return a.count;
}

/* Their worker was killed. */
static void lose(struct store *s, size_t count)
{
    struct answer a;

    for (size_t n = 0; n < count; n += a.count)
        ASK(a, store_reap(s, on_reap, &a));
}

static void say_begun(struct store *s, const char *worker, struct store_lease lease)
{
    struct answer a;

    lease.begun = true;
    ASK(a, store_extend(s, worker, &lease, 1, on_lease, &a));
    assert_int_equal(a.err.code, 0);
}

static void is(struct store *s, const char *token, enum job_status status, uint32_t attempt)
{
    struct answer a;

    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, status);
    assert_int_equal(a.attempt, attempt);
}

static void finish(struct store *s, const struct store_lease *l, const struct store_lease *begun,
                   size_t count)
{
    struct job_result r = {.status = JOB_CANCELLED, .finished_ms = 1};
    struct answer a;

    ASK(a, store_finish(s, "w", l->token, l->epoch, &r, begun, count, on_done, &a));
    assert_int_equal(a.err.code, 0);
}

static void test_what_was_not_begun_costs_no_attempt(void **state)
{
    struct store *s = begin(1);
    char token[UUID_SIZE];
    struct store_lease l;

    (void)state;
    submit(s, token);
    for (uint32_t epoch = 1; epoch <= 3 * MAX_ATTEMPTS; epoch++) {
        assert_int_equal(claim(s, 1, 0, &l), 1);
        assert_int_equal(l.epoch, epoch);
        is(s, token, JOB_RUNNING, 1);
        lose(s, 1);
        is(s, token, JOB_QUEUED, 0);
    }
    assert_int_equal(claim(s, 1, 1, &l), 1);
    is(s, token, JOB_RUNNING, 1);
    finish(s, &l, NULL, 0);
    is(s, token, JOB_CANCELLED, 1);
    store_free(s);
}

static void test_what_is_said_to_be_begun_costs_one(void **state)
{
    struct store *s = begin(1);
    char token[UUID_SIZE];
    struct store_lease l;
    struct answer a;

    (void)state;
    submit(s, token);
    for (uint32_t i = 1; i <= MAX_ATTEMPTS; i++) {
        assert_int_equal(claim(s, 1, 0, &l), 1);
        say_begun(s, "w", l);
        lose(s, 1);
    }
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    assert_int_equal(a.attempt, MAX_ATTEMPTS);
    assert_string_equal(a.message, "the worker was lost 2 times while it ran this job");
    store_free(s);
}

/* A heartbeat names all that a worker holds. */
static void test_a_heartbeat_alone_begins_nothing(void **state)
{
    struct store *s = begin(1);
    char token[UUID_SIZE];
    struct store_lease l;
    struct answer a;

    (void)state;
    submit(s, token);
    assert_int_equal(claim(s, 1, 0, &l), 1);
    l.begun = false;
    ASK(a, store_extend(s, "w", &l, 1, on_lease, &a));
    assert_false(a.leases[0].lost);
    lose(s, 1);
    is(s, token, JOB_QUEUED, 0);
    store_free(s);
}

static void test_a_result_says_what_takes_its_place(void **state)
{
    struct store *s = begin(1);
    char tokens[3][UUID_SIZE];
    struct store_lease l[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        submit(s, tokens[i]);
    assert_int_equal(claim(s, 3, 1, l), 3);
    finish(s, &l[0], &l[1], 1);
    is(s, tokens[0], JOB_CANCELLED, 1);
    lose(s, 2);
    is(s, tokens[1], JOB_QUEUED, 1);
    is(s, tokens[2], JOB_QUEUED, 0);
    store_free(s);
}

static void test_only_who_has_the_lease_begins(void **state)
{
    struct store *s = begin(1);
    char tokens[2][UUID_SIZE];
    const struct job_result r = {.status = JOB_CANCELLED};
    struct store_lease l[2], old;
    struct answer a;

    (void)state;
    submit(s, tokens[0]);
    assert_int_equal(claim(s, 1, 0, l), 1);
    lose(s, 1);
    old = l[0];
    submit(s, tokens[1]);
    assert_int_equal(claim(s, 1, 0, l), 1);
    assert_string_equal(l[0].token, tokens[0]); /* first of its queue again */
    say_begun(s, "another", l[0]);
    say_begun(s, "w", old);
    assert_int_equal(claim(s, 1, 1, l + 1), 1);
    finish(s, &l[1], &old, 1);
    ASK(a, store_finish(s, "another", l[1].token, l[1].epoch, &r, &l[0], 1, on_done, &a));
    assert_int_equal(a.err.code, ERR_CONFLICT);
    lose(s, 1);
    is(s, tokens[0], JOB_QUEUED, 0);
    store_free(s);
}

/* One that kills its worker before that can say a word must not do so for ever. */
static void test_what_is_never_begun_ends_too(void **state)
{
    struct store *s = begin(1);
    char token[UUID_SIZE];
    struct store_lease l;
    struct answer a;

    (void)state;
    submit(s, token);
    for (uint32_t i = 1; i <= STORE_UNBEGUN * MAX_ATTEMPTS; i++) {
        is(s, token, JOB_QUEUED, 0);
        assert_int_equal(claim(s, 1, 0, &l), 1);
        lose(s, 1);
    }
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    assert_int_equal(a.attempt, 0);
    assert_string_equal(a.message, "the worker was lost 20 times before it began this job");
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.err.code, 0);
    store_free(s);
}

static void test_a_result_of_one_shard_and_the_next_job_of_another(void **state)
{
    struct store *s = begin(2);
    char tokens[2][UUID_SIZE];
    struct store_lease l[2];
    struct answer a;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        submit_to(s, i, tokens[i]);
        assert_int_equal(claim(s, 1, 0, &l[i]), 1);
        assert_string_equal(l[i].token, tokens[i]);
    }
    l[1].begun = true;
    finish(s, &l[0], &l[1], 1);
    l[1].begun = false;
    ASK(a, store_extend(s, "w", l, 2, on_lease, &a)); /* behind what was said with the result */
    lose(s, 1);
    is(s, tokens[1], JOB_QUEUED, 1);
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_was_not_begun_costs_no_attempt, rig_after_each),
        cmocka_unit_test_teardown(test_what_is_said_to_be_begun_costs_one, rig_after_each),
        cmocka_unit_test_teardown(test_a_heartbeat_alone_begins_nothing, rig_after_each),
        cmocka_unit_test_teardown(test_a_result_says_what_takes_its_place, rig_after_each),
        cmocka_unit_test_teardown(test_only_who_has_the_lease_begins, rig_after_each),
        cmocka_unit_test_teardown(test_what_is_never_begun_ends_too, rig_after_each),
        cmocka_unit_test_teardown(test_a_result_of_one_shard_and_the_next_job_of_another, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
