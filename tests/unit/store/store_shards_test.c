/* store_shards_test.c - several shards on one server: every job's whole way, turns, bounds, numbers; and what
 * keeps another number of shards away. */
#include "store_rig.h"

#define SHARDS 4
#define SETUP "--port %u --appendonly yes --appendfsync always"

static char url[128];
static uint16_t port;

static struct store_options four(void)
{
    struct store_options o = rig_options(url);

    o.shards = SHARDS;
    return o;
}

static void serve(void)
{
    port = rig_redis(SETUP, NULL);
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", port);
}

static struct job *place(struct store *s, const struct store_admission *m)
{
    struct job *job = rig_job(10, NULL);

    store_place(s, m, &job, 1);
    assert_true(uuid_valid(job->token));
    return job;
}

static const struct store_admission anybody = {.tenant = "tenant"};

static void submit_as(struct store *s, struct job *job, const struct store_admission *m, int code)
{
    struct answer a;

    ASK(a, store_submit(s, &job, 1, m, on_submitted, &a));
    assert_int_equal(a.err.code, code);
}

/* ---- slots and tokens --------------------------------------------------------------------------- */

static void test_slots_are_those_of_redis(void **state)
{
    (void)state;
    assert_int_equal(store_slot_of("123456789", 9),
                     0x31c3 % STORE_SLOTS);           /* of the cluster's specification */
    assert_int_equal(store_slot_of("foo", 3), 12182); /* CLUSTER KEYSLOT foo */
}

/* Masters that have equal parts of the slots have equal parts of the shards, wherever the first is. */
static void test_shards_are_spread_evenly(void **state)
{
    static const char *const prefixes[] = {"execd", "t", "a.longer:prefix-0123456789_abcdefg"};

    (void)state;
    for (size_t p = 0; p < COUNT_OF(prefixes); p++)
        for (unsigned masters = 2; masters <= 8; masters++) {
            unsigned has[8] = {0}, count = 4 * masters;

            for (unsigned i = 0; i < count; i++) {
                CLEAN_FREE char *tag = store_tag_new(prefixes[p], i, count);

                assert_true(i == 0 || strchr(tag, ':') != NULL);
                has[store_slot_of(tag + 1, strlen(tag) - 2) * masters / STORE_SLOTS]++;
            }
            for (unsigned m = 0; m < masters; m++)
                assert_in_range(has[m], 3, 5);
        }
}

static void test_token_tells_its_shard(void **state)
{
    char token[UUID_SIZE], before[UUID_SIZE];

    (void)state;
    for (unsigned count = 1; count <= STORE_SHARDS_MAX; count++)
        for (unsigned i = 0; i < count; i++) {
            uuid_new(token);
            if (i % 2 == 1)
                memcpy(token + UUID_SIZE - 5, "ffff", 4); /* no room above */
            memcpy(before, token, UUID_SIZE);
            store_token_place(token, i, count);
            assert_true(uuid_valid(token));
            assert_int_equal(store_token_shard(token, count), i);
            assert_memory_equal(token, before, UUID_SIZE - 5);
        }
}

/* ---- the number --------------------------------------------------------------------------------- */

static void refused(uint32_t shards, const char *why)
{
    struct store_options o = rig_options(url);
    struct err err = {0};
    struct store *s;

    o.shards = shards;
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    for (int n = 0; strstr(store_trouble(s), why) == NULL; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        rig_run_ms(20);
    }
    assert_false(store_connected(s));
    store_free(s);
}

static void test_another_number_is_refused(void **state)
{
    struct store_options o = four();
    struct store *s;
    struct job *job;

    (void)state;
    serve();
    store_free(rig_open(&o));
    refused(8, "queue.shards is 8, and what this Redis holds was made with 4");
    refused(1, "queue.shards is 1, and what this Redis holds was made with 4");
    store_free(rig_open(&o));
    /* of a time before there were shards */
    rig_cli(port, "", "flushall", "OK");
    o.shards = 1;
    s = rig_open(&o);
    job = place(s, &anybody);
    submit_as(s, job, &anybody, 0);
    job_free(job);
    store_free(s);
    rig_cli(port, "", "hdel {t}:count shards", "1");
    refused(4, "was made with 1");
}

/* ---- jobs ------------------------------------------------------------------------------------------ */

/* Claims until nothing is left; every one is finished. */
static size_t work_all(struct store *s)
{
    size_t all = 0, empty = 0;
    struct answer a;

    while (empty < 2) { /* what was empty a moment ago is not asked again */
        assert_int_equal(rig_claim(s, &a), 0);
        for (size_t i = 0; i < a.count; i++) {
            assert_int_equal(rig_finish(s, a.claims[i].job->token, a.claims[i].epoch), 0);
            job_free(a.claims[i].job);
        }
        all += a.count;
        empty = a.count == 0 ? empty + 1 : 0;
    }
    return all;
}

static void test_ways_of_jobs(void **state)
{
    struct store_options o = four();
    struct store *s;

    (void)state;
    serve();
    s = rig_open(&o);
    for (int i = 0; i < 3 * SHARDS; i++)
        rig_way_of_a_job(s, 100);
    store_free(s);
}

static void on_numbers(void *arg, const struct err *err, const struct store_stats *st)
{
    struct store_stats *copy = arg;

    assert_null(err);
    *copy = *st;
    assert_int_equal(st->worker_count, 1);
    assert_int_equal(st->language_count, 1);
    assert_int_equal(st->languages[0].by_status[JOB_COMPLETED],
                     st->accepted - st->queued[JOB_PRIORITY_NORMAL]);
    copy->workers = NULL;
    copy->languages = NULL;
    loop_stop(loop);
}

static void test_all_shards_share_the_jobs(void **state)
{
    enum { JOBS = 6 * SHARDS };
    struct store_options o = four();
    struct store_worker w = {.id = "w", .slots = 1};
    struct store_stats st = {0};
    unsigned has[SHARDS] = {0};
    struct job *jobs[JOBS];
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    s = rig_open(&o);
    ASK(a, store_heartbeat(s, &w, 60000, on_beat, &a));
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = place(s, &anybody);
        has[store_token_shard(jobs[i]->token, SHARDS)]++;
        submit_as(s, jobs[i], &anybody, 0);
    }
    for (unsigned i = 0; i < SHARDS; i++)
        assert_int_equal(has[i], JOBS / SHARDS);
    assert_int_equal(work_all(s), JOBS);
    for (int i = 0; i < JOBS; i++) {
        rig_is(s, jobs[i]->token, JOB_COMPLETED);
        job_free(jobs[i]);
    }
    store_stats(s, on_numbers, &st);
    loop_run(loop);
    assert_int_equal(st.accepted, JOBS);
    assert_int_equal(st.queued[JOB_PRIORITY_NORMAL], 0);
    store_free(s);
}

/* A claim asks one shard where there is work, and they take turns. */
static void test_shards_take_turns(void **state)
{
    struct store_options o = four();
    unsigned last = SHARDS;
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    s = rig_open(&o);
    for (int i = 0; i < 8 * SHARDS; i++) {
        struct job *job = place(s, &anybody);

        submit_as(s, job, &anybody, 0);
        job_free(job);
    }
    for (int i = 0; i < 2 * SHARDS; i++) {
        assert_int_equal(rig_claim(s, &a), 0);
        assert_int_equal(a.count, 4);
        for (size_t c = 0; c < a.count; c++) {
            unsigned at = store_token_shard(a.claims[c].job->token, SHARDS);

            if (c == 0 && last < SHARDS)
                assert_int_equal(at, (last + 1) % SHARDS);
            last = at;
            job_free(a.claims[c].job);
        }
    }
    assert_int_equal(work_all(s), 0);
    store_free(s);
}

/* Another process' jobs, in a shard that was found empty, are not waited for until that is asked again: the
 * hint is for all of them. */
static void test_hint_ends_the_pause(void **state)
{
    struct store_options o = four();
    struct store *worker, *client;
    struct job *jobs[6];
    size_t claimed = 0;
    struct answer a;
    bool told = false;

    (void)state;
    serve();
    worker = rig_open(&o);
    client = rig_open(&o);
    assert_int_equal(work_all(worker), 0);
    store_on_ready(worker, on_change, &told);
    told = false;
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        jobs[i] = rig_job(10, NULL);
    store_place(client, &anybody, jobs, COUNT_OF(jobs));
    ASK(a, store_submit(client, jobs, COUNT_OF(jobs), &anybody, on_submitted, &a));
    until(&told);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_claim(worker, &a), 0);
        assert_int_equal(a.count, i == 0 ? 4 : 2);
        for (size_t c = 0; c < a.count; c++)
            job_free(a.claims[c].job);
        claimed += a.count;
    }
    assert_int_equal(claimed, COUNT_OF(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        job_free(jobs[i]);
    store_free(worker);
    store_free(client);
}

static void test_batch_is_in_one_shard(void **state)
{
    struct store_options o = four();
    struct job *jobs[8];
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    s = rig_open(&o);
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i] = rig_job(10, NULL);
        store_token_place(jobs[i]->token, (unsigned)i % SHARDS, SHARDS);
    }
    ASK(a, store_submit(s, jobs, COUNT_OF(jobs), &anybody, on_submitted,
                        &a)); /* accepted whole, or not at all */
    assert_int_equal(a.err.code, ERR_INTERNAL);
    store_place(s, &anybody, jobs, COUNT_OF(jobs));
    ASK(a, store_submit(s, jobs, COUNT_OF(jobs), &anybody, on_submitted, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(work_all(s), COUNT_OF(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        job_free(jobs[i]);
    store_free(s);
}

/* ---- bounds ----------------------------------------------------------------------------------------- */

static void take_tokens(void *arg, const struct err *err, const struct store_submitted *r)
{
    struct answer *a = arg;

    if (r != NULL && r->tokens != NULL)
        snprintf(a->out, sizeof(a->out), "%s", r->tokens);
    take_err(a, err);
}

/* Bounds of one tenant are exact, whatever shard others are in; its key finds what it found before. */
static void test_bounds_of_a_tenant(void **state)
{
    const struct store_admission five = {.tenant = "five", .max_jobs = 5},
                                 rated = {.tenant = "rated", .rate = 1, .burst = 3},
                                 keyed = {.tenant = "tenant",
                                          .idempotency_key = "1234",
                                          .fingerprint = "ab",
                                          .idempotency_ttl_ms = 60000};
    struct store_options o = four();
    struct store *s;
    struct answer a;
    struct job *first, *job;

    (void)state;
    serve();
    s = rig_open(&o);
    for (int i = 0; i < 7; i++) {
        job = place(s, &five);
        submit_as(s, job, &five, i < 5 ? 0 : ERR_FULL);
        job_free(job);
        job = place(s, &rated);
        submit_as(s, job, &rated, i < 3 ? 0 : ERR_FULL);
        job_free(job);
    }
    first = place(s, &keyed);
    submit_as(s, first, &keyed, 0);
    for (int i = 0; i < 5; i++) {
        job = place(s, &keyed);
        ASK(a, store_submit(s, &job, 1, &keyed, take_tokens, &a));
        assert_string_equal(a.out, first->token);
        job_free(job);
    }
    job_free(first);
    store_free(s);
}

static void test_bounds_of_the_queue_are_shared_out(void **state)
{
    struct store_options o = four();
    struct store *s;
    int accepted = 0;

    (void)state;
    serve();
    o.queue_max_jobs = 10; /* 3, 3, 2, 2 */
    s = rig_open(&o);
    for (int i = 0; i < 5 * SHARDS; i++) {
        struct job *job = place(s, &anybody);
        struct answer a;

        ASK(a, store_submit(s, &job, 1, &anybody, on_submitted, &a));
        accepted += a.err.code == 0;
        assert_true(a.err.code == 0 || a.err.code == ERR_FULL);
        job_free(job);
    }
    assert_int_equal(accepted, 10);
    store_free(s);
}

/* ---- leases and dead letters ------------------------------------------------------------------------- */

struct letters {
    size_t count, all;
    uint64_t last_ms;
    bool over;
};

static void on_letters(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    struct letters *got = arg;

    assert_null(err);
    got->count = count;
    got->all = all;
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || l[i].ended_ms <= l[i - 1].ended_ms);
        assert_true(uuid_valid(l[i].job->token));
    }
    got->over = true;
    loop_stop(loop);
}

static void list(struct store *s, size_t offset, size_t max, size_t count, size_t all)
{
    struct letters got = {0};

    store_dead_list(s, "tenant", offset, max, on_letters, &got);
    until(&got.over);
    assert_int_equal(got.count, count);
    assert_int_equal(got.all, all);
}

/* The worker of jobs in all shards dies, as often as they bear: leases end, and letters are one list. */
static void test_reaped_and_dead(void **state)
{
    struct store_options o = four();
    struct store_lease held[16] = {0};
    size_t claimed = 0;
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    o.lease_ms = 300;
    o.max_attempts = 1;
    o.dead_max = 100;
    o.dead_max_bytes = 1 << 20;
    o.dead_ttl_ms = 60000;
    s = rig_open(&o);
    for (int i = 0; i < 2 * SHARDS; i++) {
        struct job *job = place(s, &anybody);

        submit_as(s, job, &anybody, 0);
        job_free(job);
    }
    while (claimed < 2 * SHARDS) {
        assert_int_equal(rig_claim(s, &a), 0);
        for (size_t i = 0; i < a.count; i++, claimed++) {
            memcpy(held[claimed].token, a.claims[i].job->token, UUID_SIZE);
            held[claimed].epoch = a.claims[i].epoch;
            job_free(a.claims[i].job);
        }
    }
    ASK(a, store_extend(s, "w", held, claimed, on_lease, &a));
    assert_int_equal(a.count, 2 * SHARDS);
    for (size_t i = 0; i < a.count; i++)
        assert_false(a.leases[i].lost);
    for (size_t reaped = 0; reaped < 2 * SHARDS; reaped += a.count)
        ASK(a, store_reap(s, on_reap, &a));
    ASK(a, store_extend(s, "w", held, claimed, on_lease, &a));
    for (size_t i = 0; i < a.count; i++)
        assert_true(a.leases[i].lost);
    list(s, 0, 100, 2 * SHARDS, 2 * SHARDS);
    list(s, 3, 4, 4, 2 * SHARDS);
    list(s, 2 * SHARDS - 1, 4, 1, 2 * SHARDS);
    list(s, 100, 4, 0, 2 * SHARDS);
    store_free(s);
}

/* ---- one that hangs ----------------------------------------------------------------------------------- */

#define HANGS 1u /* the shard that does */
#define GOES 2u  /* another */

/* Its connection for questions is neither read nor written, until the watchdog notices. */
static struct loop_io *hung_io;

static void hang(struct store *s)
{
    struct store_link *l = &s->seats[HANGS].shard->command;

    hung_io = l->io;
    loop_io_set(hung_io, 0);
    l->io = NULL; /* hiredis' wishes are not heard */
}

static void go_on(struct store *s)
{
    struct store_link *l = &s->seats[HANGS].shard->command;

    assert_true(l->up);
    l->io = hung_io;
    l->io_events = LOOP_READ | LOOP_WRITE;
    loop_io_set(l->io, l->io_events);
}

static struct job *job_in(struct store *s, unsigned shard, const char *callback)
{
    struct job *job = rig_job(10, callback);

    store_token_place(job->token, shard, SHARDS);
    submit_as(s, job, &anybody, 0);
    return job;
}

static void attempts_are(const struct shard *shard, const char *token, const char *count)
{
    CLEAN_FREE char *words = mem_printf("hget %s:job:%s at", shard->tag, token);

    rig_cli(port, "", words, count);
}

/* Others' jobs are claimed meanwhile; what it was asked for is not asked again, and goes back. */
static void test_claims_pass_one_that_hangs(void **state)
{
    struct store_options o = four();
    struct job *late, *job;
    size_t claimed = 0;
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    s = rig_open(&o);
    late = job_in(s, HANGS, NULL);
    hang(s);
    job = job_in(s, GOES, NULL);
    for (int n = 0; claimed == 0; n++) {
        assert_true(n < 2 * SHARDS);
        assert_int_equal(rig_claim(s, &a), 0);
        claimed = a.count;
    }
    assert_string_equal(a.claims[0].job->token, job->token);
    job_free(a.claims[0].job);
    for (int n = 0; n < 2 * SHARDS; n++) {
        assert_int_equal(rig_claim(s, &a), 0);
        assert_int_equal(a.count, 0);
    }
    assert_int_equal(s->seats[HANGS].claims.overdue, 1);
    go_on(s);
    while (s->seats[HANGS].claims.overdue > 0)
        rig_run_ms(5);
    assert_true(s->seats[HANGS].claims.took_ms >= 500);
    a.count = 0;
    for (int n = 0; a.count == 0; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        rig_run_ms(20);
        assert_int_equal(rig_claim(s, &a), 0);
    }
    assert_string_equal(a.claims[0].job->token, late->token);
    assert_int_equal(a.claims[0].epoch, 2);
    attempts_are(s->seats[HANGS].shard, late->token, "1"); /* the first did not count */
    job_free(a.claims[0].job);
    assert_int_equal(rig_finish(s, late->token, 2), 0);
    job_free(job);
    job_free(late);
    store_free(s);
}

/* A store of which everything hangs says so, and what it was asked ends with it. */
static void test_claims_end_with_one_that_hangs(void **state)
{
    struct store_options o = four();
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    s = rig_open(&o);
    hang(s);
    while (s->seats[HANGS].claims.overdue == 0)
        assert_int_equal(rig_claim(s, &a), 0);
    for (unsigned i = 0; i < SHARDS; i++)
        s->seats[i].claims.overdue += i == HANGS ? 0 : 1;
    assert_int_equal(rig_claim(s, &a), ERR_AGAIN);
    for (unsigned i = 0; i < SHARDS; i++)
        s->seats[i].claims.overdue -= i == HANGS ? 0 : 1;
    s->seats[HANGS].shard->command.io = hung_io;
    store_free(s);
}

static void test_webhooks_pass_one_that_hangs(void **state)
{
    struct store_options o = four();
    size_t found = 0;
    struct job *job;
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    o.answer_ms = 200;
    s = rig_open(&o);
    job = job_in(s, GOES, "http://h/");
    while (found == 0) {
        assert_int_equal(rig_claim(s, &a), 0);
        found = a.count;
    }
    assert_int_equal(rig_finish(s, job->token, a.claims[0].epoch), 0);
    job_free(a.claims[0].job);
    rig_run_ms(100); /* hints of it */
    hang(s);
    s->outbox_turn = HANGS;
    ASK(a, store_outbox_claim(s, &rig_outbox, NULL, 4, on_delivery, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(s->seats[HANGS].outbox.overdue, 1);
    for (int n = 0; n < 2 * SHARDS; n++) {
        s->outbox_turn = HANGS;
        ASK(a, store_outbox_claim(s, &rig_outbox, NULL, 4, on_delivery, &a));
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.count, 0);
    }
    assert_int_equal(s->seats[HANGS].outbox.overdue, 1);
    go_on(s);
    while (s->seats[HANGS].outbox.overdue > 0)
        rig_run_ms(5);
    job_free(job);
    store_free(s);
}

/* Leases of the others are extended, and there are numbers, also of a process that never had its own. */
static void test_merges_end_without_one_that_hangs(void **state)
{
    struct store_options o = four();
    struct store_lease leases[2] = {0};
    struct store *s;
    struct answer a;

    (void)state;
    serve();
    o.answer_ms = 200;
    s = rig_open(&o);
    for (unsigned i = 0; i < COUNT_OF(leases); i++) {
        uuid_new(leases[i].token);
        store_token_place(leases[i].token, i == 0 ? HANGS : GOES, SHARDS);
    }
    hang(s);
    ASK(a, store_extend(s, "w", leases, COUNT_OF(leases), on_lease, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.leases[0].token, leases[1].token);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.err.code, 0);
    assert_true(s->seats[HANGS].shard->command.up); /* the watchdog takes longer than all of that */
    s->seats[HANGS].shard->command.io = hung_io;
    store_free(s);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

struct asked {
    struct store *store;
    unsigned over;
};

static void count_err(struct asked *a, const struct err *err)
{
    assert_non_null(err);
    assert_int_equal(err->code, ERR_AGAIN);
    a->over++;
}

static void end_view(void *arg, const struct err *err, const struct store_view *v)
{
    (void)v;
    count_err(arg, err);
}

/* Who is told of the end may ask again, of any shard. */
static void end_claim(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct asked *a = arg;
    char token[UUID_SIZE];

    (void)claims;
    (void)more;
    assert_int_equal(count, 0);
    count_err(a, err);
    for (unsigned i = 0; i < SHARDS; i++) {
        uuid_new(token);
        store_token_place(token, i, SHARDS);
        store_get(a->store, token, end_view, a);
    }
}

static void end_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    assert_null(st);
    count_err(arg, err);
}

static void end_reap(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    (void)recovered;
    (void)overdue;
    count_err(arg, err);
}

static void end_letters(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    (void)l;
    (void)all;
    assert_int_equal(count, 0);
    count_err(arg, err);
}

static void end_deliveries(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                           uint64_t next_ms)
{
    (void)d;
    (void)next_ms;
    assert_int_equal(count, 0);
    (void)err; /* of the shards that were not asked nobody knows */
    ((struct asked *)arg)->over++;
}

static void end_languages(void *arg, const struct err *err, const struct store_language *l, size_t count)
{
    (void)l;
    assert_int_equal(count, 0);
    count_err(arg, err);
}

static void end_lease(void *arg, const struct err *err, struct store_lease *l, size_t count)
{
    (void)l;
    assert_int_equal(count, 0);
    count_err(arg, err);
}

static void end_done(void *arg, const struct err *err)
{
    count_err(arg, err);
}

static void test_end_answers_all_that_was_asked(void **state)
{
    static const int32_t languages[] = {71};
    struct store_options o = four();
    struct store_lease leases[2] = {0};
    struct asked a = {0};

    (void)state;
    serve();
    a.store = rig_open(&o);
    for (unsigned i = 0; i < COUNT_OF(leases); i++) {
        uuid_new(leases[i].token);
        store_token_place(leases[i].token, i, SHARDS);
    }
    store_claim(a.store, "w", languages, 1, 4, 4, end_claim, &a);
    store_stats(a.store, end_stats, &a);
    store_reap(a.store, end_reap, &a);
    store_dead_list(a.store, "tenant", 0, 10, end_letters, &a);
    store_outbox_claim(a.store, &rig_outbox, NULL, 4, end_deliveries, &a);
    store_languages_get(a.store, end_languages, &a);
    store_extend(a.store, "w", leases, COUNT_OF(leases), end_lease, &a);
    store_wait(a.store, leases[1].token, 60000, end_view, &a);
    store_worker_gone(a.store, "w", end_done, &a);
    store_ping(a.store, end_done, &a);
    store_free(a.store);
    assert_int_equal(a.over, 10 + SHARDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_are_those_of_redis),
        cmocka_unit_test(test_shards_are_spread_evenly),
        cmocka_unit_test(test_token_tells_its_shard),
        cmocka_unit_test_teardown(test_another_number_is_refused, rig_after_each),
        cmocka_unit_test_teardown(test_ways_of_jobs, rig_after_each),
        cmocka_unit_test_teardown(test_all_shards_share_the_jobs, rig_after_each),
        cmocka_unit_test_teardown(test_shards_take_turns, rig_after_each),
        cmocka_unit_test_teardown(test_hint_ends_the_pause, rig_after_each),
        cmocka_unit_test_teardown(test_batch_is_in_one_shard, rig_after_each),
        cmocka_unit_test_teardown(test_bounds_of_a_tenant, rig_after_each),
        cmocka_unit_test_teardown(test_bounds_of_the_queue_are_shared_out, rig_after_each),
        cmocka_unit_test_teardown(test_reaped_and_dead, rig_after_each),
        cmocka_unit_test_teardown(test_claims_pass_one_that_hangs, rig_after_each),
        cmocka_unit_test_teardown(test_claims_end_with_one_that_hangs, rig_after_each),
        cmocka_unit_test_teardown(test_webhooks_pass_one_that_hangs, rig_after_each),
        cmocka_unit_test_teardown(test_merges_end_without_one_that_hangs, rig_after_each),
        cmocka_unit_test_teardown(test_end_answers_all_that_was_asked, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
