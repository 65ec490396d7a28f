/* store_error_test.c - Redis' errors by class: none is a job's fault; each is seen on a real server where one
 * can be brought to it. */
#include <sys/stat.h>

#include "store_rig.h"

static void test_classes(void **state)
{
    static const struct {
        const char *text;
        bool clients;
        int code;
        enum store_after after;
    } cases[] = {
        {"LOADING Redis is loading the dataset in memory", true, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"BUSY Redis is busy running a script.", true, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"TRYAGAIN Multiple keys request during rehashing of slot", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"CLUSTERDOWN The cluster is down", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"MASTERDOWN Link with MASTER is down", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"READONLY You can't write against a read only replica.", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"NOSCRIPT No matching script. Please use EVAL.", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"NOAUTH Authentication required.", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"MOVED 3999 127.0.0.1:6381", false, ERR_AGAIN, STORE_AFTER_LEAVE},
        {"NOPERM User u has no permissions", true, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"MISCONF Redis is configured to save RDB snapshots", true, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"NOREPLICAS Not enough good replicas to write.", true, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"OOM command not allowed when used memory > 'maxmemory'.", true, ERR_FULL, STORE_AFTER_NOTHING},
        {"OOM command not allowed when used memory > 'maxmemory'.", false, ERR_AGAIN, STORE_AFTER_NOTHING},
        /* Redis 6, from inside of a script */
        {"ERR Error running script (call to f_01): @user_script:3: @user_script: 3: -OOM command not allowed",
         false, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"ERR Error running script (call to f_01): @user_script:3: -READONLY You can't write", false,
         ERR_AGAIN, STORE_AFTER_LEAVE},
        {"-MISCONF Errors writing to the AOF file", false, ERR_AGAIN, STORE_AFTER_NOTHING},
        {"ERR Error running script: @user_script:1: Script killed by user with SCRIPT KILL...", false,
         ERR_AGAIN, STORE_AFTER_NOTHING},
        /* what only looks like one */
        {"ERR unknown command 'LOADING'", false, ERR_INTERNAL, STORE_AFTER_NOTHING},
        {"ERR ROOM is none", false, ERR_INTERNAL, STORE_AFTER_NOTHING},
        {"CONFLICT OOM is what this job is called", false, ERR_CONFLICT, STORE_AFTER_NOTHING},
        {"NOTFOUND no such job", true, ERR_NOT_FOUND, STORE_AFTER_NOTHING},
        {"FULL jobs", true, ERR_FULL, STORE_AFTER_NOTHING},
    };
    struct shard s = {.loop = loop};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        enum store_after after = store_error_judge(&s, cases[i].text, cases[i].clients, &err);

        if (err.code != cases[i].code || after != cases[i].after)
            fail_msg("`%s` is %d: %s", cases[i].text, err.code, err.text);
    }
}

/* ---- real ones ------------------------------------------------------------------------------- */

#define SERVER "--port %u --appendonly yes --appendfsync always --enable-debug-command yes "

struct scene {
    uint16_t port;
    struct store *s;
    struct job *job;
    uint32_t epoch;
};

/* A job is running, and another one can be submitted. */
static struct scene begin_with(const char *args, uint64_t answer_ms)
{
    static char url[64];
    struct scene x = {.port = rig_redis(args, NULL)};
    struct store_options o = rig_options(url);
    struct answer a;

    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", x.port);
    o.answer_ms = answer_ms;
    x.s = rig_open(&o);
    x.job = rig_job(1000, "http://h/");
    assert_int_equal(rig_submit(x.s, x.job), 0);
    assert_int_equal(rig_claim(x.s, &a), 0);
    assert_int_equal(a.count, 1);
    x.epoch = a.claims[0].epoch;
    job_free(a.claims[0].job);
    return x;
}

static struct scene begin(const char *args)
{
    return begin_with(args, 30000);
}

static int submit_another(struct scene *x)
{
    struct job *job = rig_job(1000, NULL);
    int code = rig_submit(x->s, job);

    job_free(job);
    return code;
}

static void end(struct scene *x)
{
    rig_connected(x->s, true);
    while (rig_finish(x->s, x->job->token, x->epoch) == ERR_AGAIN)
        rig_run_ms(20);
    rig_is(x->s, x->job->token, JOB_COMPLETED);
    assert_int_equal(submit_another(x), 0);
    job_free(x->job);
    store_free(x->s);
}

static void test_noscript(void **state)
{
    struct scene x = begin(SERVER);

    (void)state;
    rig_cli(x.port, "", "script flush", "OK");
    assert_int_equal(submit_another(&x), 0); /* it is asked once more by itself */
    rig_cli(x.port, "", "script flush", "OK");
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_AGAIN);
    end(&x);
}

static void test_readonly(void **state)
{
    struct scene x = begin_with(SERVER, 3000);

    (void)state;
    rig_cli(x.port, "", "replicaof 127.0.0.1 1", "OK");
    assert_int_equal(submit_another(&x), ERR_AGAIN); /* nothing was done, for sure */
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_AGAIN);
    rig_connected(x.s, false);
    rig_cli(x.port, "", "replicaof no one", "OK");
    end(&x);
}

static void test_busy(void **state)
{
    struct scene x = begin(SERVER "--busy-reply-threshold 50");
    CLEAN_FREE char *script =
        mem_printf("redis-cli -p %u eval 'while true do end' 0 >/dev/null 2>&1 &", x.port);
    int code;

    (void)state;
    assert_int_equal(system(script), 0);
    do /* until it runs, and long enough */
        code = rig_finish(x.s, x.job->token, 99);
    while (code == ERR_CONFLICT);
    assert_int_equal(code, ERR_AGAIN);
    rig_cli(x.port, "", "script kill", "OK");
    end(&x);
}

/* Its epoch. */
static uint32_t claim_one(struct scene *x)
{
    static const int32_t language = 71;
    struct answer a;

    ASK(a, store_claim(x->s, "w", &language, 1, 1, 1, on_claim, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.count, 1);
    job_free(a.claims[0].job);
    return a.claims[0].epoch;
}

/* A full memory takes no job; turns, results, leases, heartbeats and webhooks go on. */
static void test_oom(void **state)
{
    struct scene x = begin(SERVER);
    struct store_lease lease = {.epoch = x.epoch};
    struct store_worker w = {.id = "w", .slots = 1};
    struct answer a;

    (void)state;
    memcpy(lease.token, x.job->token, UUID_SIZE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit_another(&x), 0);
    claim_one(&x); /* its tenant's next turn is later than its ring says */
    rig_cli(x.port, "", "config set maxmemory 1mb", "OK");
    assert_int_equal(submit_another(&x), ERR_FULL);
    claim_one(&x);
    ASK(a, store_extend(x.s, "w", &lease, 1, on_lease, &a));
    assert_int_equal(a.err.code, 0);
    assert_false(a.leases[0].lost);
    ASK(a, store_heartbeat(x.s, &w, 60000, on_beat, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_release(x.s, "w", x.job->token, x.epoch, on_done, &a));
    assert_int_equal(a.err.code, 0);
    x.epoch = claim_one(&x);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), 0);
    ASK(a, store_outbox_claim(x.s, &rig_outbox, NULL, 1, on_delivery, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.count, 1);
    rig_is(x.s, x.job->token, JOB_COMPLETED);
    rig_cli(x.port, "", "config set maxmemory 0", "OK");
    end(&x);
}

/* Its folder is gone, so a snapshot fails, and it takes no more writes. */
static void test_misconf(void **state)
{
    char dir[128], args[256];
    struct scene x;
    int code;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/gone", rig_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(args, sizeof(args), "--port %%u --save 1000000 1 --dir %s", dir);
    x = begin(args);
    assert_int_equal(rmdir(dir), 0);
    rig_cli(x.port, "", "bgsave", "Background saving started");
    do
        code = submit_another(&x);
    while (code == 0);
    assert_int_equal(code, ERR_AGAIN);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_AGAIN);
    assert_int_equal(mkdir(dir, 0700), 0);
    rig_cli(x.port, "", "config set stop-writes-on-bgsave-error no", "OK");
    end(&x);
}

static void test_rights_are_taken(void **state)
{
    struct scene x = begin(SERVER);

    (void)state;
    rig_cli(x.port, "", "acl setuser default -evalsha", "OK");
    assert_int_equal(submit_another(&x), ERR_AGAIN);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_AGAIN);
    rig_cli(x.port, "", "acl setuser default +evalsha", "OK");
    end(&x);
}

static void test_too_few_replicas(void **state)
{
    struct scene x = begin(SERVER);

    (void)state;
    rig_cli(x.port, "", "config set min-replicas-to-write 1", "OK");
    assert_int_equal(submit_another(&x), ERR_AGAIN);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_AGAIN);
    rig_cli(x.port, "", "config set min-replicas-to-write 0", "OK");
    end(&x);
}

/* ---- what Redis should not hold --------------------------------------------------------------- */

static void cli(const struct scene *x, const char *want, const char *format, ...)
{
    char words[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(words, sizeof(words), format, ap);
    va_end(ap);
    rig_cli(x->port, "", words, want);
}

#define FOREIGN "00000000-0000-4000-8000-00000000000"

/* Tokens of nobody, records of another type and without numbers, before one of ours: a claim goes through
 * them, and gives a lease to each that it takes. */
static void test_foreign_records(void **state)
{
    struct scene x = begin(SERVER);
    struct job *job = rig_job(10, NULL);
    struct answer a;

    (void)state;
    assert_int_equal(rig_submit(x.s, job), 0);
    cli(&x, "OK", "set {t}:job:" FOREIGN "1 text");
    cli(&x, "2", "hset {t}:job:" FOREIGN "2 st 0 prio 1");
    cli(&x, "1", "copy {t}:def:%s {t}:def:" FOREIGN "2", job->token);
    cli(&x, "1", "hset {t}:job:" FOREIGN "3 st 0");
    cli(&x, "1", "lpush {t}:def:" FOREIGN "3 list");
    cli(&x, "5", "lpush {t}:q:1:71:tenant " FOREIGN "1 " FOREIGN "2 " FOREIGN "3 " FOREIGN "4");
    cli(&x, "2", "hincrby {t}:count queued:1 1");
    assert_int_equal(rig_claim(x.s, &a), 0);
    assert_int_equal(a.count, 2);
    cli(&x, "3", "zcard {t}:lease");
    for (size_t i = 0; i < a.count; i++)
        job_free(a.claims[i].job);
    job_free(job);
    job = rig_job(10, NULL); /* what was skipped is not taken for one of those that wait */
    assert_int_equal(rig_submit(x.s, job), 0);
    assert_int_equal(rig_claim(x.s, &a), 0);
    assert_int_equal(a.count, 1);
    job_free(a.claims[0].job);
    job_free(job);
    end(&x);
}

/* The turn of a tenant whose queue was taken away passes to the next, and does not come again. */
static void test_a_queue_that_is_gone(void **state)
{
    struct scene x = begin(SERVER);
    struct job *job = rig_job(10, NULL);
    struct answer a;

    (void)state;
    assert_int_equal(rig_submit(x.s, job), 0);
    cli(&x, "1", "zadd {t}:ring:1:71 -1 ghost");
    assert_int_equal(rig_claim(x.s, &a), 0);
    assert_int_equal(a.count, 1);
    cli(&x, "0", "zcard {t}:ring:1:71");
    job_free(a.claims[0].job);
    job_free(job);
    end(&x);
}

/* A Redis that lost its last writes gives an epoch again, to another worker: the first has no say. */
static void test_an_epoch_given_twice(void **state)
{
    struct scene x = begin(SERVER);
    struct store_lease lease = {.epoch = x.epoch};
    struct answer a;

    (void)state;
    memcpy(lease.token, x.job->token, UUID_SIZE);
    cli(&x, "0", "hset {t}:job:%s w heir", x.job->token);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), ERR_CONFLICT);
    ASK(a, store_release(x.s, "w", x.job->token, x.epoch, on_done, &a));
    assert_int_equal(a.err.code, ERR_CONFLICT);
    ASK(a, store_extend(x.s, "w", &lease, 1, on_lease, &a));
    assert_true(a.leases[0].lost);
    ASK(a, store_extend(x.s, "heir", &lease, 1, on_lease, &a));
    assert_false(a.leases[0].lost);
    cli(&x, "0", "hset {t}:job:%s w w", x.job->token);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch), 0);
    cli(&x, "0", "hset {t}:job:%s w heir", x.job->token);
    assert_int_equal(rig_finish(x.s, x.job->token, x.epoch),
                     ERR_CONFLICT); /* nor when the heir has ended it */
    cli(&x, "0", "hset {t}:job:%s w w", x.job->token);
    end(&x);
}

/* ---- no answer at all --------------------------------------------------------------------------- */

/* A server that hangs: a submission is answered in its time, and what comes later is heard by nobody. */
static void test_a_hanging_redis_answers_in_time(void **state)
{
    struct store_options o;
    char url[64];
    struct store *s;
    struct answer a;
    struct job *job = rig_job(10, NULL);
    uint64_t begun;
    pid_t pid;

    (void)state;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", rig_redis(SERVER, &pid));
    o = rig_options(url);
    o.answer_ms = 300;
    s = rig_open(&o);
    kill(pid, SIGSTOP);
    begun = loop_now_ms(loop);
    ASK(a, store_submit(s, &job, 1, &rig_tenant, on_submitted, &a));
    assert_int_equal(a.err.code, ERR_UNSURE);
    assert_true(loop_now_ms(loop) - begun >= 300);
    assert_true(store_connected(s)); /* the watchdog takes longer than that */
    kill(pid, SIGCONT);
    ASK(a, store_ping(s, on_done, &a));
    assert_int_equal(a.err.code, 0);
    rig_is(s, job->token, JOB_QUEUED); /* it was unsure */
    kill(pid, SIGSTOP);
    a = (struct answer){0};
    store_submit(s, &job, 1, &rig_tenant, on_submitted, &a);
    store_free(s); /* with one that waits, and answers for it */
    assert_int_equal(a.err.code, ERR_UNSURE);
    job_free(job);
}

static void on_letters(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    (void)l;
    (void)count;
    (void)all;
    take_err(arg, err);
}

/* The same for what clients ask about a job, with as many questions as are put at once and more. */
static void test_a_hanging_redis_does_not_hang_readers(void **state)
{
    enum { READERS = 100, READS_AT_ONCE = 32 };
    static struct answer readers[READERS];
    struct store_options o;
    char url[64];
    struct store *s;
    struct answer a, waiting = {0};
    struct job *job = rig_job(10, NULL);
    pid_t pid;

    (void)state;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", rig_redis(SERVER, &pid));
    o = rig_options(url);
    o.answer_ms = 300;
    s = rig_open(&o);
    assert_int_equal(rig_submit(s, job), 0);
    kill(pid, SIGSTOP);
    store_wait(s, job->token, 100, on_view, &waiting);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct answer){0};
        store_get(s, job->token, on_view, &readers[i]);
    }
    assert_int_equal(s->seats[0].shard->reading, READS_AT_ONCE);
    ASK(a, store_cancel(s, job->token, on_done, &a));
    assert_int_equal(a.err.code, ERR_UNSURE);
    for (size_t i = 0; i < READERS; i++) {
        until(&readers[i].over);
        assert_int_equal(readers[i].err.code, ERR_AGAIN);
    }
    until(&waiting.over);
    assert_int_equal(waiting.err.code, ERR_AGAIN);
    ASK(a, store_dead_list(s, "", 0, 1, on_letters, &a));
    assert_int_equal(a.err.code, ERR_AGAIN);
    assert_true(store_connected(s)); /* the watchdog takes longer than that */
    kill(pid, SIGCONT);
    rig_is(s, job->token, JOB_CANCELLED); /* it was unsure */
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct answer){0};
        store_get(s, job->token, on_view, &readers[i]);
    }
    for (size_t i = 0; i < READERS; i++) { /* each in its turn */
        until(&readers[i].over);
        assert_int_equal(readers[i].err.code, 0);
    }
    assert_int_equal(s->seats[0].shard->reading, 0);
    s->seats[0].shard->read_mean = 1 << 20; /* as if they had been large: fewer at a time */
    kill(pid, SIGSTOP);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct answer){0};
        store_get(s, job->token, on_view, &readers[i]);
    }
    assert_int_equal(s->seats[0].shard->reading, 2);
    store_free(s); /* with some that were asked and some that wait for their turn */
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(readers[i].err.code, ERR_AGAIN);
    job_free(job);
}

/* Whoever was answered `unsure` leaves behind what Redis has not read: so many bytes, and no more. */
static void test_a_hanging_redis_holds_so_many_bytes(void **state)
{
    struct store_options o;
    char url[64];
    struct store *s;
    struct answer a[4];
    struct job *job = rig_job(100000, NULL);
    pid_t pid;

    (void)state;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", rig_redis(SERVER, &pid));
    o = rig_options(url);
    o.answer_ms = 50;
    o.unanswered_max = 250000;
    s = rig_open(&o);
    kill(pid, SIGSTOP);
    for (size_t i = 0; i < COUNT_OF(a); i++) {
        ASK(a[i], store_submit(s, &job, 1, &rig_tenant, on_submitted, &a[i]));
        assert_int_equal(a[i].err.code, i < 2 ? ERR_UNSURE : ERR_FULL);
    }
    assert_non_null(strstr(a[3].err.text, "above 250000"));
    ASK(a[0], store_claim(s, "w", &(int32_t){71}, 1, 1, 1, on_claim, &a[0]); kill(pid, SIGCONT));
    assert_int_equal(a[0].err.code, 0); /* what workers have to say is not meant */
    if (a[0].count > 0)
        job_free(a[0].claims[0].job); /* it was unsure */
    s->seats[0].shard->o.answer_ms = RIG_PATIENCE_MS;
    ASK(a[0], store_submit(s, &job, 1, &rig_tenant, on_submitted, &a[0]));
    assert_int_equal(a[0].err.code, 0);
    job_free(job);
    job = rig_job(300000, NULL); /* one that is more than the bound, alone */
    assert_int_equal(s->seats[0].shard->unanswered, 0);
    assert_int_equal(rig_submit(s, job), 0);
    store_free(s);
    job_free(job);
}

/* What keeps no bytes is not refused for those that others left. */
static void test_a_cancellation_is_no_bytes(void **state)
{
    struct job *job = rig_job(100000, NULL);
    struct store_options o;
    char url[64];
    struct store *s;
    struct answer a;
    pid_t pid;

    (void)state;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", rig_redis(SERVER, &pid));
    o = rig_options(url);
    o.answer_ms = 50;
    o.unanswered_max = 50000;
    s = rig_open(&o);
    kill(pid, SIGSTOP);
    assert_int_equal(rig_submit(s, job), ERR_UNSURE);
    ASK(a, store_cancel(s, job->token, on_done, &a));
    assert_int_equal(a.err.code, ERR_UNSURE);
    store_free(s);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test_teardown(test_noscript, rig_after_each),
        cmocka_unit_test_teardown(test_readonly, rig_after_each),
        cmocka_unit_test_teardown(test_busy, rig_after_each),
        cmocka_unit_test_teardown(test_oom, rig_after_each),
        cmocka_unit_test_teardown(test_misconf, rig_after_each),
        cmocka_unit_test_teardown(test_rights_are_taken, rig_after_each),
        cmocka_unit_test_teardown(test_too_few_replicas, rig_after_each),
        cmocka_unit_test_teardown(test_foreign_records, rig_after_each),
        cmocka_unit_test_teardown(test_a_queue_that_is_gone, rig_after_each),
        cmocka_unit_test_teardown(test_an_epoch_given_twice, rig_after_each),
        cmocka_unit_test_teardown(test_a_hanging_redis_answers_in_time, rig_after_each),
        cmocka_unit_test_teardown(test_a_hanging_redis_holds_so_many_bytes, rig_after_each),
        cmocka_unit_test_teardown(test_a_cancellation_is_no_bytes, rig_after_each),
        cmocka_unit_test_teardown(test_a_hanging_redis_does_not_hang_readers, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
