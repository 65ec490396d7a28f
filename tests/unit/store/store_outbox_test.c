/* store_outbox_test.c - deliveries in a real redis-server: turns, bounds, pauses, the window, the log. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

#define PATIENCE_MS 20000
#define TAKEN_MAX 64

static struct loop *loop;
static struct store_embedded *server;
static char dir[64], url[128];
static int dir_fd;
static unsigned prefix_count;

/* A long lease and pause: what happens is asked for, never waited for, unless a test says so. */
static const struct store_outbox_rules long_rules = {.lease_ms = 60000,
                                                     .per_endpoint = 4,
                                                     .window_ms = 600000,
                                                     .grace_ms = 60000,
                                                     .pause_after = 3,
                                                     .pause_ms = 60000};

/* ---- questions and their answers ------------------------------------------------------- */

struct taken {
    char token[UUID_SIZE], url[64];
    uint32_t attempt, tries;
};
struct answer {
    bool over;
    struct err err;
    struct taken taken[TAKEN_MAX];
    size_t count, log_count;
    uint64_t next_ms, paused_ms, outbox, undelivered;
    struct store_deliveries view;
    struct store_attempt log[STORE_ATTEMPTS_MAX];
    struct store_submitted asked;
};

static void give_up(void *arg)
{
    (void)arg;
    fail_msg("nothing happened within %d ms", PATIENCE_MS);
}

static void until(const bool *flag)
{
    struct loop_timer *t = loop_timer_new(loop, give_up, NULL);

    loop_timer_arm(t, PATIENCE_MS);
    while (!*flag)
        loop_run(loop);
    loop_timer_free(t);
}

static void take_err(struct answer *a, const struct err *err)
{
    assert_false(a->over); /* exactly once */
    a->over = true;
    if (err != NULL)
        a->err = *err;
    loop_stop(loop);
}

static void on_done(void *arg, const struct err *err)
{
    take_err(arg, err);
}

static void on_claim(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    (void)more;
    for (size_t i = 0; i < count; i++)
        job_free(claims[i].job);
    take_err(arg, err);
}

static void on_delivery(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                        uint64_t next_ms)
{
    struct answer *a = arg;

    assert_in_range(count, 0, TAKEN_MAX);
    for (size_t i = 0; i < count; i++) {
        memcpy(a->taken[i].token, d[i].token, UUID_SIZE);
        snprintf(a->taken[i].url, sizeof(a->taken[i].url), "%s", d[i].url);
        a->taken[i].attempt = d[i].attempt;
        a->taken[i].tries = d[i].tries;
        assert_int_equal(d[i].view.status, JOB_COMPLETED);
    }
    a->count = count;
    a->next_ms = next_ms;
    take_err(a, err);
}

static void on_settled(void *arg, const struct err *err, uint64_t paused_ms)
{
    struct answer *a = arg;

    a->paused_ms = paused_ms;
    take_err(a, err);
}

static void on_view(void *arg, const struct err *err, const struct store_deliveries *d)
{
    struct answer *a = arg;

    if (d != NULL) {
        assert_in_range(d->log_count, 0, STORE_ATTEMPTS_MAX);
        a->view = *d;
        memcpy(a->log, d->log, d->log_count * sizeof(d->log[0]));
        a->view.log = a->log;
    }
    take_err(a, err);
}

static void on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    struct answer *a = arg;

    if (st != NULL) {
        a->outbox = st->outbox;
        a->undelivered = st->outbox_dead;
    }
    take_err(a, err);
}

#define ASK(a, call)                                                                                         \
    do {                                                                                                     \
        (a) = (struct answer){0};                                                                            \
        call;                                                                                                \
        until(&(a).over);                                                                                    \
    } while (0)

/* ---- a store and what ended in it --------------------------------------------------------- */

static void on_change(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

static struct store *open_fresh(void)
{
    char prefix[32];
    const struct store_options o = {.url = url,
                                    .prefix = prefix,
                                    .lease_ms = 60000,
                                    .max_attempts = 2,
                                    .result_ttl_ms = 60000,
                                    .hook_ttl_ms = 3600000,
                                    .queue_max_jobs = 100000,
                                    .queue_max_bytes = 1u << 30,
                                    .queue_max_wait_ms = 60000,
                                    .answer_ms = 60000,
                                    .unanswered_max = 64u << 20};
    struct store *s;
    struct err err = {0};
    bool changed = false;

    snprintf(prefix, sizeof(prefix), "o%u", prefix_count++);
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    store_on_change(s, on_change, &changed);
    until(&changed);
    assert_true(store_connected(s));
    return s;
}

static void on_submitted(void *arg, const struct err *err, const struct store_submitted *r)
{
    (void)r;
    on_done(arg, err);
}

/* A tenant's job with that callback that has ended; NULL: without one. */
static void ended_of(struct store *s, const char *tenant, const char *callback, char ret_token[UUID_SIZE])
{
    static const int32_t language = 71;
    const struct store_admission m = {.tenant = tenant}; /* no bounds of its own */
    struct job_result r = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct job *job = job_new();
    struct answer a;

    uuid_new(job->token);
    job->language_id = language;
    job->tenant = mem_dup(tenant);
    job->callback_url = callback == NULL ? NULL : mem_dup(callback);
    job->created_ms = clock_wall_ms();
    buf_adds(&job->source, "print(1)");
    job_tests_add(job, bytes_of(""), NULL);
    ASK(a, store_submit(s, &job, 1, &m, on_submitted, &a));
    ASK(a, store_claim(s, "w", &language, 1, 1, 1, on_claim, &a));
    job_result_add(&r)->status = JOB_COMPLETED;
    ASK(a, store_finish(s, "w", job->token, 1, &r, NULL, 0, on_done, &a));
    assert_int_equal(a.err.code, 0);
    job_result_done(&r);
    if (ret_token != NULL)
        memcpy(ret_token, job->token, UUID_SIZE);
    job_free(job);
}

static void ended(struct store *s, const char *callback, char ret_token[UUID_SIZE])
{
    ended_of(s, "", callback, ret_token);
}

static size_t claim(struct store *s, const struct store_outbox_rules *r, size_t max, struct answer *a)
{
    ASK(*a, store_outbox_claim(s, r, NULL, max, on_delivery, a));
    assert_int_equal(a->err.code, 0);
    return a->count;
}

/* Until there is one: what was put off for milliseconds. */
static void claim_one(struct store *s, const struct store_outbox_rules *r, struct answer *a)
{
    while (claim(s, r, 1, a) == 0)
        continue;
}

static uint64_t settle(struct store *s, const struct store_outbox_rules *r, const struct taken *t,
                       enum store_outcome outcome, enum store_health health, uint64_t retry_ms)
{
    const struct store_settlement settlement = {.token = t->token,
                                                .attempt = t->attempt,
                                                .outcome = outcome,
                                                .health = health,
                                                .retry_ms = retry_ms,
                                                .took_ms = 7,
                                                .status = outcome == STORE_DELIVERED ? 204 : 503,
                                                .reason = "why\nnot"};
    struct answer a;

    ASK(a, store_outbox_settle(s, r, &settlement, on_settled, &a));
    assert_int_equal(a.err.code, 0);
    return a.paused_ms;
}

static struct answer view_of(struct store *s, const char *token)
{
    struct answer a;

    ASK(a, store_outbox_view(s, token, on_view, &a));
    assert_int_equal(a.err.code, 0);
    return a;
}

/* Asks Redis itself for a number. */
static long long number_of(const char *question)
{
    CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[64] = "";

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/redis.sock", dir);
    assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof(to)), errno);
    assert_int_equal(write(fd, question, strlen(question)), strlen(question));
    assert_true(read(fd, text, sizeof(text) - 1) > 1 && text[0] == ':');
    return strtoll(text + 1, NULL, 10);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_way_of_a_delivery(void **state)
{
    struct store *s = open_fresh();
    struct taken first;
    struct answer a;

    (void)state;
    assert_int_equal(claim(s, &long_rules, 8, &a), 0);
    assert_true(a.next_ms == UINT64_MAX);
    ended(s, "http://there/x", NULL);
    assert_int_equal(claim(s, &long_rules, 8, &a), 1);
    assert_string_equal(a.taken[0].url, "http://there/x");
    assert_int_equal(a.taken[0].attempt, 1);
    first = a.taken[0];
    assert_int_equal(claim(s, &long_rules, 8, &a), 0); /* leased to us */
    settle(s, &long_rules, &first, STORE_FAILED, STORE_ILL, 1);
    claim_one(s, &long_rules, &a);
    assert_int_equal(a.taken[0].attempt, 2);
    assert_int_equal(a.taken[0].tries, 2);
    settle(s, &long_rules, &first, STORE_DELIVERED, STORE_WELL, 0); /* late: of another attempt */
    first = a.taken[0];
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.outbox, 1);
    settle(s, &long_rules, &first, STORE_DELIVERED, STORE_WELL, 0);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.outbox, 0);
    assert_int_equal(a.undelivered, 0);
    assert_int_equal(claim(s, &long_rules, 8, &a), 0);
    assert_true(a.next_ms == UINT64_MAX);
    store_free(s);
}

/* A sender dies: when its lease is over another has the delivery, and the place at the endpoint. */
static void test_a_lost_sender(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    struct answer a;

    (void)state;
    r.lease_ms = 1;
    r.per_endpoint = 1;
    ended(s, "http://there/", NULL);
    claim_one(s, &r, &a);
    claim_one(s, &r, &a);
    assert_int_equal(a.taken[0].attempt, 2);
    store_free(s);
}

/* What an endpoint has waiting costs another nothing: counted in claims, not in seconds. */
static void test_a_backlog_is_nobody_elses(void **state)
{
    struct store *s = open_fresh();
    struct answer a;

    (void)state;
    for (int i = 0; i < 200; i++)
        ended(s, "http://Dead:81/", NULL);
    assert_int_equal(claim(s, &long_rules, 64, &a), 4);
    ended(s, "http://alive/", NULL);
    assert_int_equal(claim(s, &long_rules, 1, &a), 1); /* the first claim, of one */
    assert_string_equal(a.taken[0].url, "http://alive/");
    assert_int_equal(claim(s, &long_rules, 64, &a), 0);
    ended(s, "http://dead:82/", NULL); /* another port is another endpoint; case is not */
    ended(s, "https://DEAD:81/", NULL);
    assert_int_equal(claim(s, &long_rules, 64, &a), 1);
    assert_string_equal(a.taken[0].url, "http://dead:82/");
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.outbox, 203);
    store_free(s);
}

/* Endpoints take turns, whoever came first and with how much. */
static void test_turns(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    struct answer a;
    size_t other = 0;

    (void)state;
    r.per_endpoint = 1000;
    for (int i = 0; i < 20; i++)
        ended(s, "http://many/", NULL);
    ended(s, "http://few/", NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(claim(s, &r, 4, &a), 4);
        for (size_t k = 0; k < a.count; k++)
            other += strcmp(a.taken[k].url, "http://few/") == 0;
    }
    assert_int_equal(other, 1);
    store_free(s);
}

/* ---- tenants ---- */

/* A sender in miniature, whose places tenants hold; their names are letters. */
struct sender {
    size_t places;
    size_t held[26];
};

static size_t sender_claims(struct store *s, struct sender *x, size_t max, struct answer *a)
{
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h";
    struct store_holder holders[8];
    struct store_places p = {.free = x->places, .holders = holders};

    for (size_t i = 0; i < COUNT_OF(holders); i++) {
        p.free -= x->held[i];
        if (x->held[i] > 0)
            holders[p.holder_count++] = (struct store_holder){&names[2 * i], x->held[i]};
    }
    ASK(*a, store_outbox_claim(s, &long_rules, &p, MIN(max, p.free), on_delivery, a));
    assert_int_equal(a->err.code, 0);
    for (size_t i = 0; i < a->count; i++)
        x->held[a->taken[i].url[strlen("http://")] - 'a']++; /* hosts begin with their tenant's name */
    return a->count;
}

/* Many slow endpoints of one tenant: some of the sender's places are left for who comes next, and then both
 * have as many. */
static void test_a_tenant_leaves_places(void **state)
{
    struct store *s = open_fresh();
    struct sender x = {.places = 16};
    char callback[32];
    struct answer a;

    (void)state;
    for (int i = 0; i < 32; i++) {
        snprintf(callback, sizeof(callback), "http://a%d/", i);
        ended_of(s, "a", callback, NULL);
    }
    while (sender_claims(s, &x, 5, &a) > 0)
        continue;
    assert_int_equal(x.held[0], 12);
    assert_true(a.next_ms == UINT64_MAX); /* nobody asks again for what it may not have */
    for (int i = 0; i < 8; i++)
        ended_of(s, "b", "http://b/", NULL);
    while (sender_claims(s, &x, 5, &a) > 0)
        continue;
    assert_int_equal(x.held[1], 3); /* 3 * (16 - 12 - 3) is no more than 3 */
    x.held[0] = 0;                  /* its attempts time out */
    while (sender_claims(s, &x, 3, &a) > 0)
        continue;
    assert_in_range(x.held[0], 6, 10);
    assert_in_range(x.held[0] + x.held[1], 12, 15);
    store_free(s);
}

/* Who has more endpoints, or was there first, has no more turns. */
static void test_tenants_take_turns(void **state)
{
    struct store *s = open_fresh();
    struct sender x = {.places = 1000};
    char callback[32];
    struct answer a;

    (void)state;
    for (int i = 0; i < 30; i++) {
        snprintf(callback, sizeof(callback), "http://a%d/", i);
        ended_of(s, "a", callback, NULL);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(callback, sizeof(callback), "http://b%d/", i);
        ended_of(s, "b", callback, NULL);
        ended_of(s, "c", "http://c/", NULL);
    }
    assert_int_equal(sender_claims(s, &x, 6, &a), 6);
    assert_true(x.held[0] == 2 && x.held[1] == 2 && x.held[2] == 2);
    for (size_t i = 0; i < 3; i++) { /* one at a time, too */
        usleep(2000);                /* turns are told apart by the millisecond */
        assert_int_equal(sender_claims(s, &x, 1, &a), 1);
    }
    assert_true(x.held[0] == 3 && x.held[1] == 3 && x.held[2] == 3);
    assert_int_equal(sender_claims(s, &x, 11, &a), 11); /* what others do not need is for who needs it */
    assert_true(x.held[1] == 3 && x.held[2] == 3 && x.held[0] == 14);
    store_free(s);
}

/* What one tenant's receiver does is not held against another's on the same host. */
static void test_tenants_share_no_endpoint(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    r.pause_after = 1;
    for (int i = 0; i < 5; i++)
        ended_of(s, "a", "http://there/fails", NULL);
    assert_int_equal(claim(s, &r, 8, &a), 4);
    settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1);
    assert_int_equal(claim(s, &r, 8, &a), 0);
    ended_of(s, "b", "http://there/works", token);
    assert_int_equal(claim(s, &r, 8, &a), 1);
    assert_string_equal(a.taken[0].token, token);
    store_free(s);
}

/* A claim ends where its bytes do, and the next one comes at once. */
static void test_a_claim_is_so_many_bytes(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    struct answer a;

    (void)state;
    for (int i = 0; i < 3; i++)
        ended(s, "http://there/", NULL);
    r.claim_bytes = 1; /* each is more than that */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(claim(s, &r, 8, &a), 1);
        assert_true(i == 2 || a.next_ms == 0);
    }
    assert_int_equal(claim(s, &r, 8, &a), 0);
    store_free(s);
}

static void test_a_place_that_is_free_is_taken(void **state)
{
    struct store *s = open_fresh();
    struct answer a, b;

    (void)state;
    for (int i = 0; i < 6; i++)
        ended(s, "http://there/", NULL);
    assert_int_equal(claim(s, &long_rules, 64, &a), 4);
    assert_int_equal(claim(s, &long_rules, 64, &b), 0);
    assert_true(b.next_ms > 1000 && b.next_ms <= long_rules.lease_ms); /* nobody looks before */
    settle(s, &long_rules, &a.taken[0], STORE_DELIVERED, STORE_WELL, 0);
    assert_int_equal(claim(s, &long_rules, 64, &b), 1);
    store_free(s);
}

/* After so many failures in a row it is left alone; then one finds out, and all go when it is well. */
static void test_pause(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    struct answer a, b;

    (void)state;
    r.pause_ms = 50;
    for (int i = 0; i < 8; i++)
        ended(s, "http://there/", NULL);
    assert_int_equal(claim(s, &r, 64, &a), 4);
    assert_int_equal(settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1), 0);
    assert_int_equal(settle(s, &r, &a.taken[1], STORE_FAILED, STORE_ILL, 1), 0);
    assert_int_equal(settle(s, &r, &a.taken[2], STORE_FAILED, STORE_UNKNOWN, 1), 0);
    assert_int_equal(settle(s, &r, &a.taken[3], STORE_FAILED, STORE_ILL, 1), 50);
    do { /* only one, and only when the pause is over */
        assert_in_range(claim(s, &r, 64, &a), 0, 1);
        if (a.count == 0)
            assert_in_range(a.next_ms, 0, 50);
    } while (a.count == 0);
    assert_int_equal(claim(s, &r, 64, &b), 0);
    assert_int_equal(settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1),
                     100); /* it is longer each time */
    claim_one(s, &r, &a);
    assert_int_equal(settle(s, &r, &a.taken[0], STORE_DELIVERED, STORE_WELL, 0), 0);
    assert_int_equal(claim(s, &r, 64, &a), 4);
    store_free(s);
}

static void test_failures_between_successes_are_no_pause(void **state)
{
    static const enum store_health healths[] = {STORE_ILL, STORE_ILL, STORE_WELL, STORE_ILL, STORE_ILL};
    struct store *s = open_fresh();
    struct answer a;

    (void)state;
    ended(s, "http://there/", NULL);
    for (size_t i = 0; i < COUNT_OF(healths); i++) {
        claim_one(s, &long_rules, &a);
        assert_int_equal(settle(s, &long_rules, &a.taken[0], STORE_FAILED, healths[i], 1), 0);
    }
    claim_one(s, &long_rules, &a);
    assert_int_equal(settle(s, &long_rules, &a.taken[0], STORE_FAILED, STORE_ILL, 1), 60000);
    store_free(s);
}

/* It ends in its time though nobody may try it, and the result is still there to tell. */
static void test_the_window_ends_what_is_paused(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    char tokens[2][UUID_SIZE];
    struct answer a;

    (void)state;
    r.pause_after = 1;
    ended(s, "http://there/", tokens[0]);
    ended(s, "http://there/", tokens[1]);
    claim_one(s, &r, &a);
    settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1);
    assert_int_equal(claim(s, &r, 8, &a), 0);
    r.window_ms = r.grace_ms = 0;
    do {
        assert_int_equal(claim(s, &r, 8, &a), 0);
        ASK(a, store_stats(s, on_stats, &a));
    } while (a.outbox > 0);
    assert_int_equal(a.undelivered, 2);
    for (size_t i = 0; i < 2; i++) {
        a = view_of(s, tokens[i]);
        assert_int_equal(a.view.state, STORE_DELIVERY_GIVEN_UP);
        assert_string_equal(a.log[a.view.log_count - 1].reason, "it could not be delivered in time");
    }
    store_free(s);
}

/* The last attempt is at the window's end, however long the pause would be; what fails then is given up. */
static void test_the_window_bounds_retries(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    ended(s, "http://there/", token);
    r.window_ms = 20000;
    claim_one(s, &r, &a);
    settle(s, &r, &a.taken[0], STORE_FAILED, STORE_WELL, 86400000);
    a = view_of(s, token);
    assert_int_equal(a.view.state, STORE_DELIVERY_PENDING);
    assert_true(a.view.next_ms > a.log[0].began_ms);
    assert_in_range(a.view.next_ms - a.log[0].began_ms, 1, 20100);
    store_free(s);

    s = open_fresh();
    ended(s, "http://there/", token);
    claim_one(s, &r, &a);
    r.window_ms = 0;
    settle(s, &r, &a.taken[0], STORE_FAILED, STORE_WELL, 1);
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_GIVEN_UP);
    store_free(s);
}

static void test_log(void **state)
{
    struct store *s = open_fresh();
    char token[UUID_SIZE], plain[UUID_SIZE], question[128];
    struct answer a;

    (void)state;
    ended(s, NULL, plain);
    assert_int_equal(view_of(s, plain).view.state, STORE_NO_DELIVERY);
    ASK(a, store_outbox_view(s, "00000000-0000-4000-8000-000000000000", on_view, &a));
    assert_int_equal(a.err.code, ERR_NOT_FOUND);

    ended(s, "http://there/", token);
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_PENDING);
    claim_one(s, &long_rules, &a);
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_SENDING);
    settle(s, &long_rules, &a.taken[0], STORE_FAILED, STORE_ILL, 1);
    claim_one(s, &long_rules, &a);
    settle(s, &long_rules, &a.taken[0], STORE_DELIVERED, STORE_WELL, 0);
    a = view_of(s, token);
    assert_int_equal(a.view.state, STORE_DELIVERY_DONE);
    assert_int_equal(a.view.attempts, 2);
    assert_int_equal(a.view.next_ms, 0);
    assert_int_equal(a.view.log_count, 2);
    assert_int_equal(a.log[0].attempt, 1);
    assert_int_equal(a.log[0].outcome, STORE_FAILED);
    assert_int_equal(a.log[0].status, 503);
    assert_int_equal(a.log[0].took_ms, 7);
    assert_string_equal(a.log[0].reason, "why"); /* one line */
    assert_true(a.log[0].next_ms > 0 && a.log[0].began_ms + 60000 > clock_wall_ms());
    assert_int_equal(a.log[1].outcome, STORE_DELIVERED);
    assert_int_equal(a.log[1].next_ms, 0);
    snprintf(question, sizeof(question), "PTTL {o%u}:log:%s\r\n", prefix_count - 1, token);
    assert_in_range(number_of(question), 1, 3600000); /* it goes with the job */
    store_free(s);
}

static void test_the_log_is_bounded(void **state)
{
    struct store *s = open_fresh();
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    ended(s, "http://there/", token);
    for (int i = 0; i < STORE_ATTEMPTS_MAX + 5; i++) {
        claim_one(s, &long_rules, &a);
        settle(s, &long_rules, &a.taken[0], STORE_FAILED, STORE_WELL, 0);
    }
    a = view_of(s, token);
    assert_int_equal(a.view.log_count, STORE_ATTEMPTS_MAX);
    assert_int_equal(a.log[STORE_ATTEMPTS_MAX - 1].attempt, STORE_ATTEMPTS_MAX + 5);
    store_free(s);
}

static void on_asked(void *arg, const struct err *err, const struct store_submitted *r)
{
    struct answer *a = arg;

    if (r != NULL)
        a->asked = *r;
    take_err(a, err);
}

static struct answer again(struct store *s, const char *token, uint64_t rate, uint64_t pause_ms)
{
    const struct store_admission m = {.rate = rate, .burst = 2};
    struct answer a;

    ASK(a, store_outbox_again(s, token, &m, pause_ms, on_asked, &a));
    return a;
}

/* Redelivery: all attempts and all time are before it again; attempts go on being numbered. */
static void test_again(void **state)
{
    struct store *s = open_fresh();
    char token[UUID_SIZE], plain[UUID_SIZE];
    struct answer a;

    (void)state;
    ended(s, NULL, plain);
    a = again(s, plain, 0, 60000);
    assert_int_equal(a.err.code, ERR_CONFLICT);
    assert_string_equal(a.err.text, "the job has no callback_url");
    a = again(s, "00000000-0000-4000-8000-000000000000", 0, 60000);
    assert_int_equal(a.err.code, ERR_NOT_FOUND);

    ended(s, "http://there/", token);
    claim_one(s, &long_rules, &a);
    a = again(s, token, 0, 60000);
    assert_int_equal(a.err.code, ERR_CONFLICT);
    assert_string_equal(a.err.text, "a delivery is under way");
    settle(s, &long_rules, &(struct taken){.attempt = 1}, STORE_GIVEN_UP, STORE_WELL, 0); /* no such token */
    memcpy(a.taken[0].token, token, UUID_SIZE);
    a.taken[0].attempt = 1;
    settle(s, &long_rules, &a.taken[0], STORE_GIVEN_UP, STORE_WELL, 0);
    assert_int_equal(claim(s, &long_rules, 8, &a), 0);

    a = again(s, token, 0, 60000);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_PENDING);
    claim_one(s, &long_rules, &a);
    assert_int_equal(a.taken[0].attempt, 2);
    assert_int_equal(a.taken[0].tries, 1);
    settle(s, &long_rules, &a.taken[0], STORE_DELIVERED, STORE_WELL, 0);
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_DONE);
    store_free(s);
}

static void test_again_ends_a_pause(void **state)
{
    struct store_outbox_rules r = long_rules;
    struct store *s = open_fresh();
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    r.pause_after = 1;
    ended(s, "http://there/", token);
    claim_one(s, &r, &a);
    assert_int_equal(settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1), 60000);
    assert_int_equal(claim(s, &r, 8, &a), 0);
    a = again(s, token, 0, 60000);
    claim_one(s, &r, &a);
    assert_string_equal(a.taken[0].token, token);
    assert_int_equal(settle(s, &r, &a.taken[0], STORE_FAILED, STORE_ILL, 1), 120000);
    assert_int_equal(again(s, token, 0, 60000).err.code, 0); /* but not each time: it waits as others do */
    assert_int_equal(view_of(s, token).view.state, STORE_DELIVERY_PENDING);
    assert_int_equal(claim(s, &r, 8, &a), 0);
    assert_true(a.next_ms > 60000);
    assert_int_equal(again(s, token, 0, 0).err.code, 0);
    claim_one(s, &r, &a);
    store_free(s);
}

/* It counts by the key's rate, and waits for a place at its endpoint. */
static void test_again_is_bounded(void **state)
{
    struct store *s = open_fresh();
    char tokens[6][UUID_SIZE];
    struct answer a, b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tokens); i++)
        ended(s, "http://there/", tokens[i]);
    assert_int_equal(claim(s, &long_rules, 8, &a), 4);
    for (size_t i = 0; i < 4; i++)
        settle(s, &long_rules, &a.taken[i], STORE_GIVEN_UP, STORE_WELL, 0);
    assert_int_equal(claim(s, &long_rules, 8, &a), 2);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(again(s, tokens[i], 0, 60000).err.code, 0);
    assert_int_equal(claim(s, &long_rules, 8, &b), 2); /* there are four places */
    settle(s, &long_rules, &a.taken[0], STORE_GIVEN_UP, STORE_WELL, 0);
    settle(s, &long_rules, &a.taken[1], STORE_GIVEN_UP, STORE_WELL, 0);
    for (size_t i = 0; i < 2; i++) {
        b = again(s, tokens[4 + i], 1, 60000);
        assert_int_equal(b.err.code, 0);
        assert_true(b.asked.metered && b.asked.left == 1 - i);
    }
    b = again(s, tokens[4], 1, 60000);
    assert_int_equal(b.err.code, ERR_FULL);
    assert_int_equal(b.asked.how, STORE_RATE_EXCEEDED);
    assert_in_range(b.asked.retry_ms, 1, 60000);
    store_free(s);
}

/* Nothing of an outbox that is empty stays, but for what goes with its jobs. */
static void test_nothing_is_left(void **state)
{
    static const char *const keys[] = {"out", "since", "turn:", "out:/there", "fly:/there", "brk:/there"};
    struct store *s = open_fresh();
    struct answer a;

    (void)state;
    for (int i = 0; i < 3; i++)
        ended(s, "http://there/", NULL);
    assert_int_equal(claim(s, &long_rules, 8, &a), 3);
    for (size_t i = 0; i < 3; i++)
        settle(s, &long_rules, &a.taken[i], i == 0 ? STORE_GIVEN_UP : STORE_DELIVERED,
               i == 0 ? STORE_ILL : STORE_WELL, 0);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char question[128];

        snprintf(question, sizeof(question), "EXISTS {o%u}:%s\r\n", prefix_count - 1, keys[i]);
        assert_int_equal(number_of(question), 0);
    }
    store_free(s);
}

/* Its result has expired: the endpoint's queue does not keep it. */
static void test_an_expired_job_is_dropped(void **state)
{
    struct store *s = open_fresh();
    char token[UUID_SIZE], question[128];
    struct answer a;

    (void)state;
    ended(s, "http://there/", token);
    ended(s, "http://there/", NULL);
    snprintf(question, sizeof(question), "DEL {o%u}:job:%s\r\n", prefix_count - 1, token);
    assert_int_equal(number_of(question), 1);
    assert_int_equal(claim(s, &long_rules, 8, &a), 1);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.outbox, 1);
    assert_int_equal(a.undelivered, 1);
    store_free(s);
}

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof(dir), "/tmp/execd-outbox-XXXXXX");
    if (mkdtemp(dir) == NULL || (dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
        loop_new(&loop, &err) != 0)
        return -1;
    return store_embedded_start(loop, "redis-server", dir_fd, url, sizeof(url), &server, &err);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    store_embedded_free(server);
    loop_free(loop);
    close(dir_fd);
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way_of_a_delivery),
        cmocka_unit_test(test_a_lost_sender),
        cmocka_unit_test(test_a_backlog_is_nobody_elses),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_a_tenant_leaves_places),
        cmocka_unit_test(test_tenants_take_turns),
        cmocka_unit_test(test_tenants_share_no_endpoint),
        cmocka_unit_test(test_a_claim_is_so_many_bytes),
        cmocka_unit_test(test_a_place_that_is_free_is_taken),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_failures_between_successes_are_no_pause),
        cmocka_unit_test(test_the_window_ends_what_is_paused),
        cmocka_unit_test(test_the_window_bounds_retries),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_the_log_is_bounded),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_again_ends_a_pause),
        cmocka_unit_test(test_again_is_bounded),
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(test_an_expired_job_is_dropped),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
