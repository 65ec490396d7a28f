/* store_job_test.c - a job's way through a real redis-server: claims, leases, epochs, loss. */
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
#define TTL_MS 60000
#define HOOK_TTL_MS 600000

static struct loop *loop;
static struct store_embedded *server;
static char dir[64], url[128];
static int dir_fd;
static unsigned prefix_count;
static uint64_t max_wait_ms = 60000;
static const struct store_outbox_rules outbox_rules = {
    .lease_ms = 1000, .per_endpoint = 8, .window_ms = 60000};
static const struct store_admission nobody; /* no bounds of its own */

/* ---- waiting for answers ----------------------------------------------------------- */

struct answer {
    bool over;
    struct err err;
    size_t count, overdue;
    bool more;
    struct store_claim claims[16];
    struct store_lease leases[16];
    enum job_status status;
    char out[64], message[128];
    uint32_t attempt;
    uint64_t started_ms, finished_ms;
    struct store_delivery delivery;
    struct store_submitted submitted;
    char tokens[8 * UUID_SIZE];
    struct store_stats stats;
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

static void on_submitted(void *arg, const struct err *err, const struct store_submitted *r)
{
    struct answer *a = arg;

    if (r != NULL) {
        a->submitted = *r;
        snprintf(a->tokens, sizeof(a->tokens), "%s", r->tokens == NULL ? "" : r->tokens);
    }
    take_err(a, err);
}

static void on_claim(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct answer *a = arg;

    a->more = more;
    a->count = count;
    for (size_t i = 0; i < count; i++)
        a->claims[i] = claims[i];
    take_err(a, err);
}

static void on_lease(void *arg, const struct err *err, struct store_lease *leases, size_t count)
{
    struct answer *a = arg;

    a->count = count;
    for (size_t i = 0; i < count; i++)
        a->leases[i] = leases[i];
    take_err(a, err);
}

static void on_view(void *arg, const struct err *err, const struct store_view *v)
{
    struct answer *a = arg;

    if (v != NULL) {
        a->status = v->status;
        a->attempt = v->attempt;
        a->started_ms = v->started_ms;
        if (v->result != NULL) {
            a->finished_ms = v->result->finished_ms;
            if (v->result->test_count > 0)
                snprintf(a->out, sizeof(a->out), "%s", v->result->tests[0].out.bytes.data);
            if (v->result->message != NULL)
                snprintf(a->message, sizeof(a->message), "%s", v->result->message);
        }
    }
    take_err(a, err);
}

static void on_reap(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    struct answer *a = arg;

    a->count = recovered;
    a->overdue = overdue;
    take_err(a, err);
}

static void on_delivery(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                        uint64_t next_ms)
{
    struct answer *a = arg;

    (void)next_ms;
    a->count = count;
    if (count > 0) {
        a->delivery = *d;
        a->status = d->view.status;
        snprintf(a->out, sizeof(a->out), "%s", d->url);
    }
    take_err(a, err);
}

static void on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    struct answer *a = arg;

    if (st != NULL) {
        a->stats = *st;
        a->count = st->language_count > 0 ? st->languages[0].run_count : 0;
    }
    take_err(a, err);
}

#define ASK(a, call)                                                                                         \
    do {                                                                                                     \
        (a) = (struct answer){0};                                                                            \
        call;                                                                                                \
        until(&(a).over);                                                                                    \
    } while (0)

/* ---- stores ---------------------------------------------------------------------------- */

static void on_change(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

static struct store *open_as(const char *prefix, uint64_t lease_ms, uint64_t max_jobs)
{
    const struct store_options o = {.url = url,
                                    .prefix = prefix,
                                    .lease_ms = lease_ms,
                                    .max_attempts = 2,
                                    .result_ttl_ms = TTL_MS,
                                    .hook_ttl_ms = HOOK_TTL_MS,
                                    .queue_max_jobs = max_jobs,
                                    .queue_max_bytes = 1u << 20,
                                    .queue_max_wait_ms = max_wait_ms,
                                    .dead_max = 3,
                                    .dead_max_bytes = 4096,
                                    .dead_ttl_ms = HOOK_TTL_MS,
                                    .answer_ms = PATIENCE_MS,
                                    .unanswered_max = 64u << 20};
    struct store *s;
    struct err err = {0};
    bool changed = false;

    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    store_on_change(s, on_change, &changed);
    until(&changed);
    assert_true(store_connected(s));
    return s;
}

static struct store *open_fresh(uint64_t lease_ms, uint64_t max_jobs)
{
    char prefix[32];

    snprintf(prefix, sizeof(prefix), "t%u", prefix_count++);
    return open_as(prefix, lease_ms, max_jobs);
}

static struct job *new_job(int32_t language, const char *tenant, enum job_priority priority,
                           const char *callback)
{
    struct job *job = job_new();

    uuid_new(job->token);
    job->language_id = language;
    job->tenant = mem_dup(tenant);
    job->priority = priority;
    job->callback_url = mem_dup(callback);
    job->created_ms = clock_wall_ms();
    buf_adds(&job->source, "print(1)");
    job_tests_add(job, bytes_of("in"), NULL);
    return job;
}

static void submit(struct store *s, struct job *job, char *ret_token)
{
    const struct store_admission m = {.tenant = job->tenant};
    struct answer a;

    ASK(a, store_submit(s, &job, 1, &m, on_submitted, &a));
    assert_int_equal(a.err.code, 0);
    if (ret_token != NULL)
        memcpy(ret_token, job->token, UUID_SIZE);
    job_free(job);
}

static size_t claim(struct store *s, const char *worker, size_t max, struct answer *a)
{
    static const int32_t languages[] = {71, 50};

    ASK(*a, store_claim(s, worker, languages, 2, max, max, on_claim, a));
    assert_int_equal(a->err.code, 0);
    return a->count;
}

static void drop_claims(struct answer *a)
{
    for (size_t i = 0; i < a->count; i++)
        job_free(a->claims[i].job);
}

static int finish(struct store *s, const char *worker, const char *token, uint32_t epoch)
{
    struct job_result r = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct job_test_result *t = job_result_add(&r);
    struct answer a;

    t->status = JOB_COMPLETED;
    t->measure.wall_ns = 20000000;
    buf_adds(&t->out.bytes, "1\n");
    ASK(a, store_finish(s, worker, token, epoch, &r, NULL, 0, on_done, &a));
    job_result_done(&r);
    return a.err.code;
}

static enum job_status status_of(struct store *s, const char *token)
{
    struct answer a;

    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.err.code, 0);
    return a.status;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_way_of_a_job(void **state)
{
    struct store *s = open_fresh(5000, 100);
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    assert_int_equal(status_of(s, token), JOB_QUEUED);
    assert_int_equal(claim(s, "w1", 4, &a), 1);
    assert_string_equal(a.claims[0].job->token, token);
    assert_string_equal(a.claims[0].job->source.data, "print(1)");
    assert_int_equal(a.claims[0].epoch, 1);
    drop_claims(&a);
    assert_int_equal(status_of(s, token), JOB_RUNNING);
    assert_int_equal(claim(s, "w2", 4, &a), 0);
    assert_int_equal(finish(s, "w1", token, 1), 0);
    assert_int_equal(finish(s, "w1", token, 1), 0); /* the answer was lost: the same again is no conflict */
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_COMPLETED);
    assert_string_equal(a.out, "1\n");
    assert_true(a.started_ms > 0);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.stats.accepted, 1);
    assert_int_equal(a.stats.running, 0);
    assert_int_equal(a.stats.queued[JOB_PRIORITY_NORMAL], 0);
    assert_int_equal(a.stats.queued_bytes, 0);
    assert_int_equal(a.count, 1);
    ASK(a, store_get(s, "00000000-0000-4000-8000-000000000000", on_view, &a));
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    store_free(s);
}

static void test_order(void **state)
{
    static const char *const tenants[] = {"a", "a", "a", "b", "c"};
    struct store *s = open_fresh(5000, 100);
    char order[16] = "";
    struct answer a;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tenants); i++)
        submit(s, new_job(71, tenants[i], JOB_PRIORITY_NORMAL, NULL), NULL);
    submit(s, new_job(71, "low", JOB_PRIORITY_LOW, NULL), NULL);
    submit(s, new_job(71, "high", JOB_PRIORITY_HIGH, NULL), NULL);
    submit(s, new_job(99, "nobody", JOB_PRIORITY_HIGH, NULL), NULL); /* no worker here speaks it */
    for (int i = 0; claim(s, "w", 1, &a) == 1; i++) {
        order[i] = a.claims[0].job->tenant[0];
        drop_claims(&a);
    }
    assert_string_equal(order, "habcaal");
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.stats.queued[JOB_PRIORITY_HIGH], 1);
    assert_true(a.stats.oldest_queued_ms > 0);
    store_free(s);
}

static void test_full(void **state)
{
    struct store *s = open_fresh(5000, 3);
    struct job *jobs[4];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        jobs[i] = new_job(71, "", JOB_PRIORITY_NORMAL, NULL);
    ASK(a, store_submit(s, jobs, 4, &nobody, on_submitted, &a));
    assert_int_equal(a.err.code, ERR_FULL);
    assert_int_equal(claim(s, "w", 4, &a), 0); /* whole or not at all */
    ASK(a, store_submit(s, jobs, 3, &nobody, on_submitted, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_submit(s, jobs, 3, &nobody, on_submitted, &a)); /* the same again: accepted once */
    assert_int_equal(a.err.code, 0);
    ASK(a, store_submit(s, &jobs[3], 1, &nobody, on_submitted, &a));
    assert_int_equal(a.err.code, ERR_FULL);
    assert_int_equal(claim(s, "w", 8, &a), 3);
    drop_claims(&a);
    for (size_t i = 0; i < 4; i++)
        job_free(jobs[i]);
    store_free(s);
}

static void test_epoch_fences(void **state)
{
    struct store *s = open_fresh(1, 100); /* a lease that is over at once */
    char token[UUID_SIZE];
    struct answer a;
    struct store_lease lease = {.epoch = 1};

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    assert_int_equal(claim(s, "w1", 1, &a), 1);
    drop_claims(&a);
    do
        ASK(a, store_reap(s, on_reap, &a));
    while (a.count == 0);
    assert_int_equal(claim(s, "w2", 1, &a), 1);
    assert_int_equal(a.claims[0].epoch, 2);
    drop_claims(&a);
    assert_int_equal(finish(s, "w1", token, 1), ERR_CONFLICT);
    memcpy(lease.token, token, UUID_SIZE);
    ASK(a, store_extend(s, "w1", &lease, 1, on_lease, &a));
    assert_true(a.leases[0].lost);
    ASK(a, store_release(s, "w1", token, 1, on_done, &a));
    assert_int_equal(a.err.code, ERR_CONFLICT);
    assert_int_equal(finish(s, "w2", token, 2), 0);
    store_free(s);
}

static void test_attempts_are_bounded(void **state)
{
    struct store *s = open_fresh(1, 100);
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, "http://x/"), token);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(claim(s, "w", 1, &a), 1);
        drop_claims(&a);
        do
            ASK(a, store_reap(s, on_reap, &a));
        while (a.count == 0);
    }
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    assert_string_equal(a.message, "the worker was lost 2 times while it ran this job");
    assert_true(a.finished_ms > 0);
    ASK(a, store_outbox_claim(s, &outbox_rules, NULL, 8, on_delivery,
                              &a)); /* its webhook is sent all the same */
    assert_int_equal(a.count, 1);
    store_free(s);
}

static void test_release_counts_no_attempt_and_goes_first(void **state)
{
    struct store *s = open_fresh(5000, 100);
    char first[UUID_SIZE];
    struct answer a;

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), first);
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), NULL);
    for (uint32_t epoch = 1; epoch <= 5; epoch++) {
        assert_int_equal(claim(s, "w", 1, &a), 1);
        assert_string_equal(a.claims[0].job->token, first);
        assert_int_equal(a.claims[0].epoch, epoch);
        drop_claims(&a);
        ASK(a, store_release(s, "w", first, epoch, on_done, &a));
        assert_int_equal(a.err.code, 0);
    }
    ASK(a, store_get(s, first, on_view, &a));
    assert_int_equal(a.attempt, 0);
    store_free(s);
}

static void test_cancel(void **state)
{
    struct store *s = open_fresh(5000, 100);
    struct store_lease lease = {.epoch = 1};
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    ASK(a, store_cancel(s, token, on_done, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(status_of(s, token), JOB_CANCELLED);
    assert_int_equal(claim(s, "w", 1, &a), 0);
    ASK(a, store_cancel(s, token, on_done, &a));
    assert_int_equal(a.err.code, ERR_CONFLICT);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.stats.queued[JOB_PRIORITY_NORMAL], 0);
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), lease.token);
    assert_int_equal(claim(s, "w", 1, &a), 1);
    drop_claims(&a);
    ASK(a, store_cancel(s, lease.token, on_done, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_extend(s, "w", &lease, 1, on_lease, &a));
    assert_true(a.leases[0].cancelled);
    assert_false(a.leases[0].lost);
    store_free(s);
}

/* Tokens of jobs that were cancelled while they waited: they take place, and a claim goes through them. */
static void test_dead_tokens(void **state)
{
    enum { DEAD = 1001 };
    struct store *s = open_fresh(5000, DEAD + 1);
    struct answer *cancelled = mem_zero(DEAD, sizeof(*cancelled)), a;
    struct job *jobs[DEAD];
    char token[UUID_SIZE];

    (void)state;
    for (size_t i = 0; i < DEAD; i++)
        jobs[i] = new_job(71, "", JOB_PRIORITY_NORMAL, NULL);
    ASK(a, store_submit(s, jobs, DEAD, &nobody, on_submitted, &a));
    assert_int_equal(a.err.code, 0);
    for (size_t i = 0; i < DEAD; i++)
        store_cancel(s, jobs[i]->token, on_done, &cancelled[i]);
    for (size_t i = 0; i < DEAD; i++) {
        until(&cancelled[i].over);
        assert_int_equal(cancelled[i].err.code, 0);
        job_free(jobs[i]);
    }
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    jobs[0] = new_job(71, "", JOB_PRIORITY_NORMAL, NULL);
    ASK(a, store_submit(s, jobs, 1, &nobody, on_submitted, &a));
    assert_int_equal(a.err.code, ERR_FULL);
    assert_int_equal(claim(s, "w", 1, &a), 0);
    assert_true(a.more);
    assert_int_equal(claim(s, "w", 1, &a), 1);
    assert_false(a.more);
    assert_string_equal(a.claims[0].job->token, token);
    drop_claims(&a);
    ASK(a, store_submit(s, jobs, 1, &nobody, on_submitted, &a)); /* their place is free again */
    assert_int_equal(a.err.code, 0);
    job_free(jobs[0]);
    free(cancelled);
    store_free(s);
}

/* Nobody serves it: it ends all the same, and its webhook is sent. */
static void test_waiting_is_bounded(void **state)
{
    struct store *s;
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    max_wait_ms = 1;
    s = open_fresh(5000, 1);
    max_wait_ms = 60000;
    submit(s, new_job(99, "", JOB_PRIORITY_NORMAL, "http://x/"), token);
    do
        ASK(a, store_reap(s, on_reap, &a));
    while (a.overdue == 0);
    assert_int_equal(a.overdue, 1);
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    assert_string_equal(a.message, "no worker took this job within 1 ms (queue.max_wait_ms)");
    ASK(a, store_outbox_claim(s, &outbox_rules, NULL, 8, on_delivery, &a));
    assert_int_equal(a.count, 1);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.stats.queued[JOB_PRIORITY_NORMAL], 0);
    assert_int_equal(a.stats.oldest_queued_ms, 0);
    store_free(s);
}

/* One that runs is not overdue, and one that came back from a lost worker may be. */
static void test_running_is_not_waiting(void **state)
{
    struct store *s;
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    max_wait_ms = 300;
    s = open_fresh(600, 10);
    max_wait_ms = 60000;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    assert_int_equal(claim(s, "w", 1, &a), 1);
    drop_claims(&a);
    do {
        ASK(a, store_reap(s, on_reap, &a));
        assert_int_equal(a.overdue, a.count); /* back from its worker and too old, in one step */
    } while (a.count == 0);
    assert_int_equal(status_of(s, token), JOB_INTERNAL_ERROR);
    store_free(s);
}

static void test_wait(void **state)
{
    struct store *s = open_fresh(5000, 100);
    char token[UUID_SIZE];
    struct answer a, w = {0};

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    store_wait(s, token, PATIENCE_MS / 2, on_view, &w);
    assert_int_equal(claim(s, "w", 1, &a), 1);
    drop_claims(&a);
    assert_int_equal(finish(s, "w", token, 1), 0);
    until(&w.over);
    assert_int_equal(w.status, JOB_COMPLETED);
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    ASK(w, store_wait(s, token, 20, on_view, &w)); /* time is over: as it is */
    assert_int_equal(w.status, JOB_QUEUED);
    w = (struct answer){0};
    store_wait_cancel(store_wait(s, token, 20, on_view, &w));
    ASK(a, store_ping(s, on_done, &a));
    assert_false(w.over);
    store_free(s);
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

static long long info_number(const char *section, const char *field)
{
    CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[16384] = "", question[64];
    const char *at;
    size_t n = 0;
    ssize_t got;

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/redis.sock", dir);
    snprintf(question, sizeof(question), "INFO %s\r\nQUIT\r\n", section);
    assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof(to)), errno);
    assert_int_equal(write(fd, question, strlen(question)), strlen(question));
    while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    at = strstr(text, field);
    assert_non_null(at);
    return strtoll(at + strlen(field), NULL, 10);
}

/* Beside its source; with a webhook as without. */
static void test_a_queued_job_takes_a_kilobyte(void **state)
{
    enum { JOBS = 800 };
    static const char *const urls[] = {NULL, "https://judge.example.org/hooks/execd?course=1234567890&x=%20"};
    struct answer answers[JOBS] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct store *s = open_fresh(5000, JOBS);
        long long before = info_number("memory", "used_memory:"), after;

        memset(answers, 0, sizeof(answers));
        for (size_t k = 0; k < JOBS; k++) {
            struct job *job = new_job(71, "a course", JOB_PRIORITY_NORMAL, urls[i]);

            job->limits = (struct job_limits){10000,    10000, 512u << 20, 1000,  64,       1u << 20,
                                              64 << 20, 256,   256u << 20, 16384, 64u << 20};
            store_submit(s, &job, 1, &nobody, on_submitted, &answers[k]);
            job_free(job);
        }
        for (size_t k = 0; k < JOBS; k++) {
            until(&answers[k].over);
            assert_int_equal(answers[k].err.code, 0);
        }
        after = info_number("memory", "used_memory:");
        assert_in_range((after - before) / JOBS, 100, 1024);
        store_free(s);
    }
}

/* It would be a write to the disk each time that a worker has nothing to do. */
static void test_a_claim_of_nothing_writes_nothing(void **state)
{
    struct store *s = open_fresh(5000, 100);
    long long before = info_number("persistence", "aof_current_size:");
    struct answer a;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(claim(s, "w", 1, &a), 0);
    assert_int_equal(info_number("persistence", "aof_current_size:"), before);
    store_free(s);
}

/* A result is not to expire before its webhook was tried as often as it may be. */
static void test_results_with_webhooks_live_longer(void **state)
{
    static const char *const urls[] = {NULL, "http://there/"};
    struct store *s = open_fresh(5000, 100);
    char token[UUID_SIZE], question[128];
    long long ttl[2];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, urls[i]), token);
        claim(s, "w", 1, &a);
        drop_claims(&a);
        assert_int_equal(finish(s, "w", token, 1), 0);
        snprintf(question, sizeof(question), "PTTL {t%u}:job:%s\r\n", prefix_count - 1, token);
        ttl[i] = number_of(question);
    }
    assert_in_range(ttl[0], 1, TTL_MS);
    assert_in_range(ttl[1], TTL_MS + 1, HOOK_TTL_MS);
    store_free(s);
}

struct neighbour {
    struct store *store;
    struct answer claim;
    bool asked;
};

static void claim_once(void *arg)
{
    static const int32_t language = 71;
    struct neighbour *n = arg;

    if (!n->asked)
        store_claim(n->store, "w", &language, 1, 4, 4, on_claim, &n->claim);
    n->asked = true;
}

/* A worker beside the API asks with the submission, not after it, and gets what was submitted. */
static void test_a_worker_in_the_same_process_asks_at_once(void **state)
{
    struct store *s = open_fresh(5000, 100);
    struct neighbour n = {.store = s, .asked = true};
    struct answer a = {0};
    struct job *job = new_job(71, "", JOB_PRIORITY_NORMAL, NULL);

    (void)state;
    store_on_ready(s, claim_once, &n);
    ASK(a, store_ping(s, on_done, &a)); /* the hint that follows a connection is gone by then */
    n.asked = false;
    a = (struct answer){0};
    store_submit(s, &job, 1, &nobody, on_submitted, &a);
    assert_true(n.asked);
    until(&a.over);
    until(&n.claim.over);
    assert_int_equal(n.claim.count, 1);
    assert_string_equal(n.claim.claims[0].job->token, job->token);
    drop_claims(&n.claim);
    job_free(job);
    store_free(s);
}

static void test_two_workers_never_share(void **state)
{
    struct store *s = open_fresh(5000, 1000);
    struct answer a, b;
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        submit(s, new_job(i % 2 == 0 ? 71 : 50, "", JOB_PRIORITY_NORMAL, NULL), NULL);
    while (total < 20) {
        static const int32_t languages[] = {71, 50};

        a = b = (struct answer){0};
        store_claim(s, "a", languages, 2, 3, 3, on_claim, &a);
        store_claim(s, "b", languages, 2, 3, 3, on_claim, &b);
        until(&a.over);
        until(&b.over);
        for (size_t i = 0; i < a.count; i++)
            for (size_t k = 0; k < b.count; k++)
                assert_string_not_equal(a.claims[i].job->token, b.claims[k].job->token);
        total += a.count + b.count;
        drop_claims(&a);
        drop_claims(&b);
    }
    assert_int_equal(total, 20);
    store_free(s);
}

/* Redis is killed; what was accepted is there when it is back. */
static void test_kill_of_redis(void **state)
{
    struct store *s = open_fresh(60000, 100);
    char token[UUID_SIZE];
    struct answer a;
    bool changed = false;

    (void)state;
    submit(s, new_job(71, "", JOB_PRIORITY_NORMAL, NULL), token);
    store_on_change(s, on_change, &changed);
    kill(store_embedded_pid(server), SIGKILL);
    until(&changed);
    assert_false(store_connected(s));
    ASK(a, store_ping(s, on_done, &a));
    assert_int_equal(a.err.code, ERR_AGAIN);
    changed = false;
    until(&changed);
    assert_true(store_connected(s));
    assert_int_equal(status_of(s, token), JOB_QUEUED);
    assert_int_equal(claim(s, "w", 1, &a), 1);
    drop_claims(&a);
    assert_int_equal(finish(s, "w", token, 1), 0);
    store_free(s);
}

/* Redis dies with a submission under way: it is asked once more, and knows it or not, has it once. */
static void test_lost_answer_of_a_submission(void **state)
{
    struct store *s = open_fresh(60000, 100);
    struct job *job = new_job(71, "", JOB_PRIORITY_NORMAL, NULL);
    struct answer a = {0}, b;

    (void)state;
    store_submit(s, &job, 1, &nobody, on_submitted, &a);
    kill(store_embedded_pid(server), SIGKILL);
    until(&a.over);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(claim(s, "w", 2, &b), 1);
    drop_claims(&b);
    a = (struct answer){0};
    store_submit(s, &job, 1, &nobody, on_submitted, &a); /* nobody hears the answer to this one */
    store_free(s);
    assert_int_equal(a.err.code, ERR_UNSURE);
    job_free(job);
}

static void stop_loop(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

/* Both connections' watchdogs ask twice and are answered: nothing is dropped for being quiet. */
static void test_quiet_connections_stay(void **state)
{
    struct store *s = open_fresh(5000, 100);
    bool changed = false, over = false;
    struct loop_timer *t = loop_timer_new(loop, stop_loop, &over);

    (void)state;
    store_on_change(s, on_change, &changed);
    loop_timer_arm(t, 11000);
    loop_run(loop);
    assert_true(over);
    assert_false(changed);
    loop_timer_free(t);
    store_free(s);
}

/* A server that hangs is left, and found again when it goes on. */
static void test_hanging_redis_is_noticed(void **state)
{
    struct store *s = open_fresh(5000, 100);
    bool changed = false, left;
    struct answer a;

    (void)state;
    store_on_change(s, on_change, &changed);
    kill(store_embedded_pid(server), SIGSTOP);
    until(&changed);
    left = !store_connected(s);
    changed = false;
    kill(store_embedded_pid(server), SIGCONT); /* whatever comes next, it is not left stopped */
    assert_true(left);
    until(&changed);
    assert_true(store_connected(s));
    ASK(a, store_ping(s, on_done, &a));
    assert_int_equal(a.err.code, 0);
    store_free(s);
}

static void test_free_answers_what_is_owed(void **state)
{
    struct store *s = open_fresh(5000, 100);
    struct answer a = {0}, b = {0};

    (void)state;
    store_ping(s, on_done, &a);
    store_wait(s, "00000000-0000-4000-8000-000000000000", 5000, on_view, &b);
    store_free(s);
    assert_int_equal(a.err.code, ERR_AGAIN);
    assert_int_equal(b.err.code, ERR_AGAIN);
}

static void test_second_server_is_kept_out(void **state)
{
    struct store_embedded *second;
    struct err err = {0};
    char other[128];

    (void)state;
    assert_int_equal(store_embedded_start(loop, "redis-server", dir_fd, other, sizeof(other), &second, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "in use"));
    assert_int_equal(store_embedded_start(loop, "no-such-redis", dir_fd, other, sizeof(other), &second, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "no-such-redis"));
}

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof(dir), "/tmp/execd-store-XXXXXX");
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
        cmocka_unit_test(test_way_of_a_job),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_epoch_fences),
        cmocka_unit_test(test_attempts_are_bounded),
        cmocka_unit_test(test_release_counts_no_attempt_and_goes_first),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_dead_tokens),
        cmocka_unit_test(test_waiting_is_bounded),
        cmocka_unit_test(test_running_is_not_waiting),
        cmocka_unit_test(test_a_queued_job_takes_a_kilobyte),
        cmocka_unit_test(test_a_claim_of_nothing_writes_nothing),
        cmocka_unit_test(test_results_with_webhooks_live_longer),
        cmocka_unit_test(test_lost_answer_of_a_submission),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_a_worker_in_the_same_process_asks_at_once),
        cmocka_unit_test(test_two_workers_never_share),
        cmocka_unit_test(test_kill_of_redis),
        cmocka_unit_test(test_quiet_connections_stay),
        cmocka_unit_test(test_hanging_redis_is_noticed),
        cmocka_unit_test(test_free_answers_what_is_owed),
        cmocka_unit_test(test_second_server_is_kept_out),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
