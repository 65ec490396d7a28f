/* store_queue_test.c - whose turn it is, who is let in, and what becomes of jobs that nobody can run. */
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

#define PATIENCE_MS 60000
#define FINGERPRINT "00000000000000000000000000000000000000000000000000000000000000a1"
#define OTHER_PRINT "00000000000000000000000000000000000000000000000000000000000000a2"

static struct loop *loop;
static struct store_embedded *server;
static char dir[64], url[128];
static int dir_fd;
static unsigned prefix_count;

/* ---- waiting for answers --------------------------------------------------------------- */

struct answer {
    bool over;
    struct err err;
    size_t count, all;
    struct store_claim claim;
    struct store_submitted submitted;
    struct store_stats stats;
    char tokens[2048], source[32];
    struct store_letter letters[8];
    char letter_tokens[8][UUID_SIZE];
    enum job_status status;
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

#define ASK(a, call)                                                                                         \
    do {                                                                                                     \
        (a) = (struct answer){0};                                                                            \
        call;                                                                                                \
        until(&(a).over);                                                                                    \
    } while (0)

static void take_err(struct answer *a, const struct err *err)
{
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

    (void)more;
    a->count = count;
    if (count > 0)
        a->claim = claims[0];
    take_err(a, err);
}

static void on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    struct answer *a = arg;

    if (st != NULL)
        a->stats = *st;
    take_err(a, err);
}

static void on_view(void *arg, const struct err *err, const struct store_view *v)
{
    struct answer *a = arg;

    if (v != NULL)
        a->status = v->status;
    take_err(a, err);
}

static void on_reap(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    struct answer *a = arg;

    (void)overdue;
    a->count = recovered;
    take_err(a, err);
}

static void on_letters(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    struct answer *a = arg;

    a->count = count;
    a->all = all;
    for (size_t i = 0; i < MIN(count, COUNT_OF(a->letters)); i++) {
        a->letters[i] = l[i];
        memcpy(a->letter_tokens[i], l[i].job->token, UUID_SIZE);
        if (l[i].job->source.len > 0)
            snprintf(a->source, sizeof(a->source), "%s", l[i].job->source.data);
    }
    take_err(a, err);
}

/* ---- stores and jobs ----------------------------------------------------------------------- */

static void on_change(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

static struct store *open_waiting(uint64_t lease_ms, uint64_t max_jobs, uint64_t max_wait_ms)
{
    char prefix[32];
    const struct store_options o = {.url = url,
                                    .prefix = prefix,
                                    .lease_ms = lease_ms,
                                    .max_attempts = 2,
                                    .result_ttl_ms = 60000,
                                    .queue_max_jobs = max_jobs,
                                    .queue_max_bytes = 1u << 30,
                                    .queue_max_wait_ms = max_wait_ms,
                                    .dead_max = 3,
                                    .dead_max_bytes = 4096,
                                    .dead_ttl_ms = 600000,
                                    .answer_ms = 60000,
                                    .unanswered_max = 64u << 20};
    struct store *s;
    struct err err = {0};
    bool changed = false;

    snprintf(prefix, sizeof(prefix), "q%u", prefix_count++);
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    store_on_change(s, on_change, &changed);
    until(&changed);
    return s;
}

static struct store *open_with(uint64_t lease_ms, uint64_t max_jobs)
{
    return open_waiting(lease_ms, max_jobs, 600000);
}

static struct job *new_job(int32_t language, const char *tenant, size_t source_len)
{
    struct job *job = job_new();

    uuid_new(job->token);
    job->language_id = language;
    job->tenant = mem_dup(tenant);
    job->priority = JOB_PRIORITY_NORMAL;
    job->created_ms = clock_wall_ms();
    for (size_t i = 0; i < source_len; i++)
        buf_adds(&job->source, "#");
    job_tests_add(job, bytes_of("in"), NULL);
    return job;
}

/* `count` of them, at most 1000 a call; the token of the last goes to *ret_token. */
static struct answer submit_as(struct store *s, const struct store_admission *m, int32_t language,
                               size_t count, size_t source_len, char *ret_token)
{
    struct job *jobs[1000];
    struct answer a;

    for (size_t i = 0; i < count; i++)
        jobs[i] = new_job(language, m->tenant == NULL ? "" : m->tenant, source_len);
    if (ret_token != NULL)
        memcpy(ret_token, jobs[count - 1]->token, UUID_SIZE);
    ASK(a, store_submit(s, jobs, count, m, on_submitted, &a));
    for (size_t i = 0; i < count; i++)
        job_free(jobs[i]);
    return a;
}

static void submit(struct store *s, const char *tenant, int32_t language, size_t count)
{
    const struct store_admission m = {.tenant = tenant};
    struct answer a = submit_as(s, &m, language, count, 8, NULL);

    assert_int_equal(a.err.code, 0);
}

/* One job; its tenant's first letter, '-' if there was none. */
static char claim_one(struct store *s, struct store_claim *ret)
{
    static const int32_t languages[] = {71, 50};
    struct answer a;
    char c;

    ASK(a, store_claim(s, "w", languages, 2, 1, 1, on_claim, &a));
    assert_int_equal(a.err.code, 0);
    if (a.count == 0)
        return '-';
    c = a.claim.job->tenant[0];
    if (ret != NULL)
        *ret = a.claim;
    else
        job_free(a.claim.job);
    return c;
}

/* As many, one after the other, as a text. */
static const char *claims(struct store *s, size_t count)
{
    static char order[256];

    for (size_t i = 0; i < count; i++)
        order[i] = claim_one(s, NULL);
    order[count] = '\0';
    return order;
}

static size_t occurs(const char *text, size_t len, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] == c;
    return n;
}

static struct store_stats stats_of(struct store *s)
{
    struct answer a;

    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.err.code, 0);
    return a.stats;
}

/* ---- Redis itself ----------------------------------------------------------------------------- */

static void redis(const char *question, char *answer, size_t size)
{
    CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = 0;
    ssize_t got;

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/redis.sock", dir);
    assert_return_code(connect(fd, (struct sockaddr *)&to, sizeof(to)), errno);
    assert_int_equal(write(fd, question, strlen(question)), strlen(question));
    while ((got = read(fd, answer + n, size - 1 - n)) > 0)
        n += (size_t)got;
    answer[n] = '\0';
}

/* What scripts have had Redis do since the last reset; connections have their own signs of life. */
static unsigned long long commands_run(void)
{
    static const char *const work[] = {"zrange", "hget", "hmget", "lpop",   "exists",
                                       "zadd",   "zrem", "hset",  "hincrby"};
    char text[16384], name[32];
    unsigned long long sum = 0;

    redis("INFO commandstats\r\nQUIT\r\n", text, sizeof(text));
    for (size_t i = 0; i < COUNT_OF(work); i++) {
        const char *at;

        snprintf(name, sizeof(name), "cmdstat_%s:calls=", work[i]);
        at = strstr(text, name);
        sum += at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
    }
    return sum;
}

/* Keys of the last store that was opened, behind the tag. */
static unsigned long long keys_like(const char *pattern)
{
    char text[16384], question[64];

    snprintf(question, sizeof(question), "KEYS {q%u}:%s\r\nQUIT\r\n", prefix_count - 1, pattern);
    redis(question, text, sizeof(text));
    return strtoull(text + 1, NULL, 10);
}

/* ---- order ------------------------------------------------------------------------------------ */

static void test_turns_by_weight(void **state)
{
    const struct store_admission heavy = {.tenant = "heavy", .weight = 3};
    struct store *s = open_with(60000, 1000);
    const char *order;

    (void)state;
    assert_int_equal(submit_as(s, &heavy, 71, 40, 8, NULL).err.code, 0);
    submit(s, "light", 71, 40);
    order = claims(s, 40);
    assert_int_equal(occurs(order, 40, 'h'), 30);
    for (size_t i = 0; i + 8 <= 40; i += 8) /* spread, not in a row */
        assert_in_range(occurs(order + i, 8, 'l'), 1, 3);
    store_free(s);
}

/* Who uses two languages has no more turns than who uses one; its own take turns. */
static void test_turns_are_not_by_language(void **state)
{
    struct store *s = open_with(60000, 1000);
    struct store_claim c;
    size_t of_a = 0, in_c = 0;

    (void)state;
    submit(s, "a", 71, 40);
    submit(s, "a", 50, 40);
    submit(s, "b", 71, 40);
    for (int i = 0; i < 40; i++) {
        if (claim_one(s, &c) == 'a') {
            of_a++;
            in_c += c.job->language_id == 50;
        }
        job_free(c.job);
    }
    assert_in_range(of_a, 19, 21);
    assert_in_range(in_c, of_a / 2, of_a / 2 + 1);
    store_free(s);
}

/* Time without jobs earns no turns, and a queue that is kept short no more than others have. */
static void test_absence_earns_nothing(void **state)
{
    struct store *s = open_with(60000, 1000);
    char order[41] = "";

    (void)state;
    submit(s, "a", 71, 200);
    claims(s, 100);
    submit(s, "b", 71, 100);
    assert_in_range(occurs(claims(s, 20), 20, 'b'), 9, 11);
    for (size_t i = 0; i < 40; i++) { /* c comes back each time that it was served */
        if (i == 0 || order[i - 1] == 'c')
            submit(s, "c", 71, 1);
        order[i] = claim_one(s, NULL);
    }
    assert_in_range(occurs(order, 40, 'c'), 12, 15);
    assert_in_range(occurs(order, 40, 'b'), 12, 15);
    store_free(s);
}

/* A tenant with 20,000 queued jobs: another's single one is next but for what is being claimed, and a claim
 * costs as many commands as with two jobs. */
static void test_depth_delays_nobody(void **state)
{
    struct store *s = open_with(60000, 200000);
    unsigned long long shallow, deep;
    char text[64];
    const char *order;

    (void)state;
    submit(s, "a", 71, 3);
    claims(s, 1); /* as with all that follow, a turn of a's is over */
    redis("CONFIG RESETSTAT\r\nQUIT\r\n", text, sizeof(text));
    claims(s, 1);
    shallow = commands_run();
    for (int i = 0; i < 20; i++)
        submit(s, "a", 71, 1000);
    redis("CONFIG RESETSTAT\r\nQUIT\r\n", text, sizeof(text));
    claims(s, 1);
    deep = commands_run();
    assert_true(shallow > 0);
    assert_int_equal(deep, shallow);
    submit(s, "b", 50, 1);
    order = claims(s, 2);
    assert_int_equal(occurs(order, 2, 'b'), 1);
    store_free(s);
}

/* A job that is handed back is the next one, whoever came meanwhile. */
static void test_a_turn_is_given_back(void **state)
{
    struct store *s = open_with(60000, 1000);
    struct store_claim c;
    struct answer a;

    (void)state;
    submit(s, "m", 71, 2);
    assert_int_equal(claim_one(s, &c), 'm');
    submit(s, "a", 71, 2);
    ASK(a, store_release(s, "w", c.job->token, c.epoch, on_done, &a));
    assert_int_equal(a.err.code, 0);
    job_free(c.job);
    assert_string_equal(claims(s, 4), "maam");
    store_free(s);
}

/* Nothing is kept of tenants that have no jobs. */
static void test_idle_tenants_leave_no_keys(void **state)
{
    static const char *const patterns[] = {"ten:*", "pass:*", "ring:*", "q:*", "weight"};
    struct store *s = open_with(60000, 1000);
    char tenant[16], token[UUID_SIZE];
    struct store_claim c;
    struct answer a;

    (void)state;
    for (int i = 0; i < 20; i++) {
        const struct store_admission m = {.tenant = tenant};

        snprintf(tenant, sizeof(tenant), "t%d", i);
        assert_int_equal(submit_as(s, &m, 71 - i % 2 * 21, 1, 8, token).err.code, 0);
        if (i % 4 == 0) {
            ASK(a, store_cancel(s, token, on_done, &a));
            assert_int_equal(a.err.code, 0);
        }
    }
    assert_int_equal(keys_like("ten:*"), 20);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(claim_one(s, &c), 't');
        job_free(c.job);
    }
    assert_int_equal(claim_one(s, NULL), '-');
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        if (keys_like(patterns[i]) != 0)
            fail_msg("%s is left", patterns[i]);
    store_free(s);
}

/* ---- admission ------------------------------------------------------------------------------ */

static void test_bounds_of_a_tenant(void **state)
{
    const struct store_admission few = {.tenant = "a", .max_jobs = 3},
                                 small = {.tenant = "b", .max_bytes = 4000};
    struct store *s = open_with(60000, 1000);
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    assert_int_equal(submit_as(s, &few, 71, 3, 8, token).err.code, 0);
    a = submit_as(s, &few, 71, 1, 8, NULL);
    assert_int_equal(a.err.code, ERR_FULL);
    assert_int_equal(a.submitted.how, STORE_QUEUE_FULL);
    assert_non_null(strstr(a.err.text, "for this key"));
    ASK(a, store_cancel(s, token, on_done, &a)); /* its token takes place until a worker drops it */
    assert_int_equal(submit_as(s, &few, 71, 1, 8, NULL).err.code, ERR_FULL);
    assert_int_equal(claim_one(s, NULL), 'a');
    assert_int_equal(submit_as(s, &few, 71, 1, 8, NULL).err.code, 0);
    assert_int_equal(submit_as(s, &small, 71, 1, 3000, NULL).err.code, 0);
    a = submit_as(s, &small, 71, 1, 3000, NULL);
    assert_int_equal(a.err.code, ERR_FULL);
    assert_non_null(strstr(a.err.text, "bytes"));
    submit(s, "c", 71, 3);
    store_free(s);
}

/* Nobody serves the language: what ended while it waited counts against nobody for longer than that. */
static void test_stale_tokens_go_without_a_worker(void **state)
{
    const struct store_admission few = {.tenant = "a", .max_jobs = 3};
    struct store *s = open_waiting(60000, 1000, 100);
    char tokens[2][UUID_SIZE];
    struct answer a;

    (void)state;
    assert_int_equal(submit_as(s, &few, 99, 1, 8, tokens[0]).err.code, 0);
    assert_int_equal(submit_as(s, &few, 99, 2, 8, tokens[1]).err.code, 0);
    ASK(a, store_cancel(s, tokens[1], on_done, &a)); /* behind two that wait */
    assert_int_equal(a.err.code, 0);
    assert_int_equal(submit_as(s, &few, 99, 1, 8, NULL).err.code, ERR_FULL);
    for (int i = 0; keys_like("q:*") != 0; i++) {
        assert_in_range(i, 0, PATIENCE_MS / 10);
        ASK(a, store_reap(s, on_reap, &a));
        assert_int_equal(a.err.code, 0);
        usleep(10000);
    }
    ASK(a, store_get(s, tokens[0], on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    ASK(a, store_get(s, tokens[1], on_view, &a));
    assert_int_equal(a.status, JOB_CANCELLED);
    assert_int_equal(keys_like("ten:*") + keys_like("ring:*") + keys_like("stale"), 0);
    assert_int_equal(submit_as(s, &few, 99, 3, 8, NULL).err.code, 0);
    store_free(s);
}

/* By what left the queue lately: nobody knows at first. */
static void test_when_to_come_again(void **state)
{
    const struct store_admission nobody = {0};
    struct store *s = open_with(60000, 400);
    struct answer a;

    (void)state;
    submit(s, "a", 71, 400);
    a = submit_as(s, &nobody, 71, 1, 8, NULL);
    assert_int_equal(a.submitted.how, STORE_QUEUE_FULL);
    assert_int_equal(a.submitted.retry_ms, 60000);
    claims(s, 100); /* within the first second: 100 a second, if this machine is as quick */
    a = submit_as(s, &nobody, 71, 101, 8, NULL);
    assert_in_range(a.submitted.retry_ms, 1000, 1000);
    a = submit_as(s, &nobody, 71, 400, 8, NULL);
    assert_in_range(a.submitted.retry_ms, 1000, 59999);
    store_free(s);
}

static void test_rate(void **state)
{
    const struct store_admission m = {.tenant = "a", .rate = 60, .burst = 5}, free_ = {.tenant = "b"},
                                 quick = {.tenant = "c", .rate = 6000, .burst = 1};
    struct store *s = open_with(60000, 1000);
    struct answer a;

    (void)state;
    a = submit_as(s, &m, 71, 3, 8, NULL);
    assert_int_equal(a.err.code, 0);
    assert_true(a.submitted.metered);
    assert_int_equal(a.submitted.left, 2);
    assert_in_range(a.submitted.reset_ms, 2900, 3000);
    a = submit_as(s, &m, 71, 5, 8, NULL);
    assert_int_equal(a.err.code, ERR_FULL);
    assert_int_equal(a.submitted.how, STORE_RATE_EXCEEDED);
    assert_in_range(a.submitted.retry_ms, 1, 3000);
    assert_int_equal(submit_as(s, &free_, 71, 100, 8, NULL).err.code, 0);
    assert_int_equal(stats_of(s).accepted, 103);
    assert_int_equal(submit_as(s, &quick, 71, 1, 8, NULL).err.code, 0);
    do
        a = submit_as(s, &quick, 71, 1, 8, NULL);
    while (a.submitted.how == STORE_RATE_EXCEEDED); /* for a hundredth of a second */
    assert_int_equal(a.err.code, 0);
    store_free(s);
}

/* More than the bucket holds is lent to who left it full, and paid back. */
static void test_a_batch_beyond_the_burst(void **state)
{
    const struct store_admission m = {.tenant = "a", .rate = 600, .burst = 5};
    struct store *s = open_with(60000, 1000);
    struct answer a;

    (void)state;
    a = submit_as(s, &m, 71, 50, 8, NULL);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.submitted.left, 0);
    a = submit_as(s, &m, 71, 1, 8, NULL);
    assert_int_equal(a.submitted.how, STORE_RATE_EXCEEDED);
    assert_in_range(a.submitted.retry_ms, 1, 4600);
    store_free(s);
}

static void test_same_key_same_tokens(void **state)
{
    const struct store_admission m = {.tenant = "a",
                                      .idempotency_key = "k",
                                      .fingerprint = FINGERPRINT,
                                      .idempotency_ttl_ms = 60000,
                                      .rate = 60,
                                      .burst = 3};
    struct store_admission other = m, tenant = m, brief = m;
    struct store *s = open_with(60000, 1000);
    char first[UUID_SIZE], again[UUID_SIZE], second[UUID_SIZE];
    struct answer a;

    (void)state;
    a = submit_as(s, &m, 71, 2, 8, first);
    assert_int_equal(a.submitted.how, STORE_ADMITTED);
    for (int i = 0; i < 5; i++) { /* more often than the rate allows: nothing is submitted */
        a = submit_as(s, &m, 71, 2, 8, again);
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.submitted.how, STORE_ADMITTED_BEFORE);
        assert_int_equal(strlen(a.tokens), 2 * UUID_SIZE - 1);
        assert_string_equal(a.tokens + UUID_SIZE, first);
    }
    other.fingerprint = OTHER_PRINT;
    a = submit_as(s, &other, 71, 2, 8, NULL);
    assert_int_equal(a.err.code, ERR_CONFLICT);
    assert_int_equal(a.submitted.how, STORE_KEY_REUSED);
    tenant.tenant = "b";
    assert_int_equal(submit_as(s, &tenant, 71, 2, 8, NULL).submitted.how, STORE_ADMITTED);
    assert_int_equal(stats_of(s).accepted, 4);
    brief.idempotency_key = "brief";
    brief.idempotency_ttl_ms = 1;
    brief.rate = 0;
    assert_int_equal(submit_as(s, &brief, 71, 1, 8, first).submitted.how, STORE_ADMITTED);
    do
        a = submit_as(s, &brief, 71, 1, 8, second);
    while (a.submitted.how == STORE_ADMITTED_BEFORE);
    assert_int_equal(a.err.code, 0);
    assert_string_not_equal(first, second);
    store_free(s);
}

/* A submission that was refused is not remembered: the same key may try again. */
static void test_a_refusal_is_not_remembered(void **state)
{
    const struct store_admission m = {
        .idempotency_key = "k", .fingerprint = FINGERPRINT, .idempotency_ttl_ms = 60000};
    struct store *s = open_with(60000, 2);

    (void)state;
    submit(s, "a", 71, 2);
    assert_int_equal(submit_as(s, &m, 71, 1, 8, NULL).submitted.how, STORE_QUEUE_FULL);
    claims(s, 1);
    assert_int_equal(submit_as(s, &m, 71, 1, 8, NULL).submitted.how, STORE_ADMITTED);
    store_free(s);
}

/* ---- lost workers --------------------------------------------------------------------------------- */

static void lose_worker(struct store *s, struct store_claim *ret)
{
    struct answer a;

    assert_int_not_equal(claim_one(s, ret), '-');
    do
        ASK(a, store_reap(s, on_reap, &a));
    while (a.count == 0);
}

static int finish(struct store *s, const struct store_claim *c)
{
    struct job_result r = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct answer a;

    job_result_add(&r)->status = JOB_COMPLETED;
    ASK(a, store_finish(s, "w", c->job->token, c->epoch, &r, NULL, 0, on_done, &a));
    job_result_done(&r);
    return a.err.code;
}

static void test_late_results_are_counted(void **state)
{
    struct store *s = open_with(1, 1000);
    struct store_claim deposed, heir;

    (void)state;
    submit(s, "a", 71, 1);
    lose_worker(s, &deposed);
    assert_int_equal(claim_one(s, &heir), 'a');
    assert_int_equal(finish(s, &deposed), ERR_CONFLICT);
    assert_int_equal(finish(s, &heir), 0);
    assert_int_equal(finish(s, &heir), 0); /* the answer was lost: the same again is not late */
    assert_int_equal(finish(s, &deposed), ERR_CONFLICT);
    assert_int_equal(stats_of(s).late, 2);
    assert_int_equal(stats_of(s).recovered, 1);
    job_free(deposed.job);
    job_free(heir.job);
    store_free(s);
}

/* The reaper has ended it, of the epoch that its last worker has: that one's result is as late as any. */
static void test_a_result_after_the_reaper_gave_up_is_late(void **state)
{
    struct store *s = open_with(1, 1000);
    struct store_claim first, last, cancelled;
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    submit(s, "a", 71, 1);
    lose_worker(s, &first);
    lose_worker(s, &last); /* of max_attempts 2 */
    assert_string_equal(first.job->token, last.job->token);
    assert_int_equal(finish(s, &last), ERR_CONFLICT);
    assert_int_equal(finish(s, &last), ERR_CONFLICT); /* a repeat is no better */
    ASK(a, store_get(s, last.job->token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);

    submit(s, "b", 71, 1);
    assert_int_equal(claim_one(s, &cancelled), 'b');
    memcpy(token, cancelled.job->token, UUID_SIZE);
    ASK(a, store_cancel(s, token, on_done, &a)); /* its worker is to end it, and does not */
    do
        ASK(a, store_reap(s, on_reap, &a));
    while (a.count == 0);
    assert_int_equal(finish(s, &cancelled), ERR_CONFLICT);
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_CANCELLED);
    assert_int_equal(stats_of(s).late, 3);
    job_free(first.job);
    job_free(last.job);
    job_free(cancelled.job);
    store_free(s);
}

static void kill_twice(struct store *s, const char *tenant, size_t source_len, char *ret_token)
{
    const struct store_admission m = {.tenant = tenant};
    struct store_claim c;

    assert_int_equal(submit_as(s, &m, 71, 1, source_len, ret_token).err.code, 0);
    for (int i = 0; i < 2; i++) {
        lose_worker(s, &c);
        job_free(c.job);
    }
}

static void test_dead_letters(void **state)
{
    struct store *s = open_with(1, 1000);
    char token[UUID_SIZE];
    struct answer a;

    (void)state;
    kill_twice(s, "a", 8, token);
    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.status, JOB_INTERNAL_ERROR);
    assert_int_equal(stats_of(s).dead, 1);
    ASK(a, store_dead_list(s, "a", 0, 8, on_letters, &a));
    assert_int_equal(a.count, 1);
    assert_int_equal(a.all, 1);
    assert_string_equal(a.letter_tokens[0], token);
    assert_int_equal(a.letters[0].attempts, 2);
    assert_true(a.letters[0].ended_ms > 0 && a.letters[0].bytes > 0);
    ASK(a, store_dead_get(s, "a", token, on_letters, &a));
    assert_int_equal(a.err.code, 0);
    assert_string_equal(a.source, "########");
    ASK(a, store_dead_get(s, "b", token, on_letters, &a)); /* another tenant's */
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    ASK(a, store_dead_drop(s, "b", token, on_done, &a));
    ASK(a, store_dead_get(s, "a", token, on_letters, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_dead_drop(s, "a", token, on_done, &a));
    ASK(a, store_dead_get(s, "a", token, on_letters, &a));
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    ASK(a, store_dead_list(s, "a", 0, 8, on_letters, &a));
    assert_int_equal(a.count + a.all, 0);
    store_free(s);
}

/* Three of a tenant, and 4096 bytes: the newest. */
static void test_dead_letters_are_bounded(void **state)
{
    struct store *s = open_with(1, 1000);
    char tokens[5][UUID_SIZE];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        kill_twice(s, "a", 8, tokens[i]);
    kill_twice(s, "a", 8, tokens[3]);
    assert_int_equal(keys_like("letter:*"), 3); /* it took the oldest one's place */
    ASK(a, store_dead_list(s, "a", 0, 8, on_letters, &a));
    assert_int_equal(a.all, 3);
    assert_string_equal(a.letter_tokens[0], tokens[3]);
    assert_string_equal(a.letter_tokens[2], tokens[1]);
    kill_twice(s, "b", 8, tokens[0]); /* somebody else's take no place of a's */
    ASK(a, store_dead_list(s, "a", 1, 1, on_letters, &a));
    assert_int_equal(a.count, 1);
    assert_int_equal(a.all, 3);
    /* One that leaves room for half of another. */
    kill_twice(s, "a", 4096 - a.letters[0].bytes * 3 / 2, tokens[4]);
    ASK(a, store_dead_list(s, "a", 0, 8, on_letters, &a));
    assert_string_equal(a.letter_tokens[0], tokens[4]);
    assert_int_equal(a.all, 1);
    store_free(s);
}

static int setup(void **state)
{
    struct err err = {0};

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof(dir), "/tmp/execd-queue-XXXXXX");
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
        cmocka_unit_test(test_turns_by_weight),
        cmocka_unit_test(test_turns_are_not_by_language),
        cmocka_unit_test(test_absence_earns_nothing),
        cmocka_unit_test(test_a_turn_is_given_back),
        cmocka_unit_test(test_idle_tenants_leave_no_keys),
        cmocka_unit_test(test_bounds_of_a_tenant),
        cmocka_unit_test(test_stale_tokens_go_without_a_worker),
        cmocka_unit_test(test_when_to_come_again),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_a_batch_beyond_the_burst),
        cmocka_unit_test(test_same_key_same_tokens),
        cmocka_unit_test(test_a_refusal_is_not_remembered),
        cmocka_unit_test(test_late_results_are_counted),
        cmocka_unit_test(test_a_result_after_the_reaper_gave_up_is_late),
        cmocka_unit_test(test_dead_letters),
        cmocka_unit_test(test_dead_letters_are_bounded),
        cmocka_unit_test(test_depth_delays_nobody),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
