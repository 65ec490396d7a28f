/* store_codec_test.c - records survive the way, and nothing that is damaged is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_internal.h"

static struct bytes view(const struct buf *b)
{
    return (struct bytes){b->data, b->len};
}

static struct job *sample(void)
{
    struct job *job = job_new();
    const struct bytes expected = {"\0\xff", 2};

    uuid_new(job->token);
    job->language_id = 71;
    job->priority = JOB_PRIORITY_LOW;
    job->created_ms = 1234567890123u;
    job->limits.wall_ms = 1;
    job->limits.stack_bytes = UINT64_MAX;
    job->problem_id = mem_dup("p");
    job->tenant = mem_dup("");
    buf_add(&job->source, "a\0b\xff", 4);
    job_args_add(job, bytes_of("one"));
    job_args_add(job, bytes_of(""));
    job_tests_add(job, bytes_of("in"), &expected);
    job_tests_add(job, bytes_of(""), NULL);
    return job;
}

static void test_job(void **state)
{
    CLEAN(job_freep) struct job *job = sample();
    CLEAN(job_freep) struct job *back = NULL;
    CLEAN_BUF struct buf b = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(store_put_job(job, true, &b), 0);
    assert_int_equal(store_get_job(view(&b), &back, &err), 0);
    assert_string_equal(back->token, job->token);
    assert_int_equal(back->language_id, 71);
    assert_int_equal(back->priority, JOB_PRIORITY_LOW);
    assert_memory_equal(&back->limits, &job->limits, sizeof(job->limits));
    assert_null(back->callback_url);
    assert_string_equal(back->problem_id, "p");
    assert_string_equal(back->tenant, "");
    assert_int_equal(back->source.len, 4);
    assert_memory_equal(back->source.data, "a\0b\xff", 4);
    assert_int_equal(back->arg_count, 2);
    assert_string_equal(back->args[1], "");
    assert_int_equal(back->test_count, 2);
    assert_true(back->tests[0].has_expected);
    assert_memory_equal(back->tests[0].expected.data, "\0\xff", 2);
    assert_false(back->tests[1].has_expected);
}

static void test_light_job_has_no_bytes(void **state)
{
    CLEAN(job_freep) struct job *job = sample();
    CLEAN(job_freep) struct job *back = NULL;
    CLEAN_BUF struct buf b = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(store_put_job(job, false, &b), 0);
    assert_int_equal(store_get_job(view(&b), &back, &err), 0);
    assert_string_equal(back->token, ""); /* whoever asks knows it */
    assert_string_equal(back->problem_id, "p");
    assert_memory_equal(&back->limits, &job->limits, sizeof(job->limits));
    assert_int_equal(back->source.len, 0);
    assert_int_equal(back->test_count, 0);
    assert_int_equal(back->arg_count, 0);
}

static void fill(struct job_result *r)
{
    struct job_test_result *t;

    r->status = JOB_WRONG_ANSWER;
    buf_adds(&r->compile.bytes, "warning");
    r->message = mem_dup("why");
    r->attempt = 3;
    t = job_result_add(r);
    t->status = JOB_WRONG_ANSWER;
    buf_add(&t->out.bytes, "\0\x80", 2);
    t->err.truncated = true;
    t->measure = (struct job_measure){.ran = true,
                                      .exit_code = -1,
                                      .signal = 9,
                                      .wall_ns = 5,
                                      .cpu_ns = 6,
                                      .memory_bytes = 7,
                                      .oom = true,
                                      .hit = JOB_HIT_MEMORY};
}

static void test_result(void **state)
{
    struct job_result r = {0}, back;
    CLEAN_BUF struct buf b = {0};
    struct err err = {0};

    (void)state;
    fill(&r);
    assert_int_equal(store_put_result(&r, &b), 0);
    assert_int_equal(store_get_result(view(&b), &back, &err), 0);
    assert_int_equal(back.status, JOB_WRONG_ANSWER);
    assert_string_equal(back.message, "why");
    assert_int_equal(back.test_count, 1);
    assert_memory_equal(back.tests[0].out.bytes.data, "\0\x80", 2);
    assert_true(back.tests[0].err.truncated);
    assert_int_equal(back.tests[0].measure.exit_code, -1);
    assert_int_equal(back.tests[0].measure.hit, JOB_HIT_MEMORY);
    job_result_done(&back);
    job_result_done(&r);
}

/* Cut anywhere and changed anywhere: an error or a record, never a crash. */
static void test_damage(void **state)
{
    CLEAN(job_freep) struct job *job = sample();
    struct job_result r = {0}, back;
    CLEAN_BUF struct buf j = {0}, b = {0};
    struct err err = {0};
    uint32_t seed = 1;

    (void)state;
    fill(&r);
    store_put_job(job, true, &j);
    store_put_result(&r, &b);
    for (size_t n = 0; n < MAX(j.len, b.len); n++) {
        struct job *got = NULL;

        if (n < j.len && store_get_job((struct bytes){j.data, n}, &got, &err) == 0)
            job_free(got);
        if (n < b.len && store_get_result((struct bytes){b.data, n}, &back, &err) == 0)
            job_result_done(&back);
    }
    for (int i = 0; i < 20000; i++) {
        struct job *got = NULL;
        char *at, old;

        seed = seed * 1103515245u + 12345u;
        at = &j.data[seed % j.len];
        old = *at;
        *at = (char)(seed >> 16);
        if (store_get_job(view(&j), &got, &err) == 0)
            job_free(got);
        *at = old;
        at = &b.data[seed % b.len];
        old = *at;
        *at = (char)(seed >> 16);
        if (store_get_result(view(&b), &back, &err) == 0)
            job_result_done(&back);
        *at = old;
    }
    job_result_done(&r);
}

static void test_urls(void **state)
{
    static const char *const good[] = {"redis://localhost",     "redis://:p%40ss@h:6380/3",
                                       "redis://u:p@[::1]:1/0", "unix:/a/b",
                                       "unix:///a/b?db=2",      "redis://h/",
                                       "rediss://h:1/2",        "sentinel://a,[::1]:3,u/m.a-s_t/4",
                                       "sentinels://u@h/m"};
    static const char *const bad[] = {"",
                                      "http://h",
                                      "redis://",
                                      "redis://h:0",
                                      "redis://h:99999",
                                      "redis://h/x",
                                      "redis://h/5000",
                                      "unix:relative",
                                      "unix:",
                                      "unix:/a?x=1",
                                      "redis://[::1",
                                      "redis://:%zz@h",
                                      "redis://a,b",
                                      "sentinel://a:1",
                                      "sentinel://a,/m",
                                      "sentinel:///m",
                                      "sentinel://a/m m",
                                      "sentinel://a/m/x",
                                      "sentinel://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a/m"};
    struct store_address a;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(store_url_parse(good[i], &a, &err), 0);
        if (i == 1) {
            assert_string_equal(a.password, "p@ss");
            assert_int_equal(a.db, 3);
            assert_int_equal(a.nodes[0].port, 6380);
        }
        if (i == 2)
            assert_string_equal(a.nodes[0].host, "::1");
        if (i == 7) {
            assert_int_equal(a.node_count, 3);
            assert_string_equal(a.nodes[1].host, "::1");
            assert_int_equal(a.nodes[1].port, 3);
            assert_int_equal(a.nodes[2].port, 26379);
            assert_string_equal(a.master, "m.a-s_t");
            assert_int_equal(a.db, 4);
        }
        assert_int_equal(a.tls, i == 6 || i == 8);
        assert_int_equal(a.sentinel, i >= 7);
        store_address_done(&a);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(store_url_parse(bad[i], &a, &err), ERR_CONFIG);
        assert_null(strstr(err.text, "%zz"));
        store_address_done(&a);
    }
}

static void test_worker(void **state)
{
    static struct store_worker w, back;
    CLEAN_BUF struct buf b = {0};
    struct err err = {0};

    (void)state;
    snprintf(w.id, sizeof(w.id), "host:1:2");
    w.slots = 4;
    w.draining = true;
    w.missing = 5;
    w.warm_count = STORE_WARM_MAX;
    for (size_t i = 0; i < STORE_WARM_MAX; i++) {
        w.warm[i] = (struct store_warm){
            .language_id = (int32_t)i, .booting = 1, .idle = 2, .busy = 3, .memory_bytes = 4};
        w.warm[i].steps[STORE_WARM_WAYS - 1] = 5;
        w.warm[i].misses[STORE_WARM_MISSES - 1] = UINT64_MAX;
    }
    assert_int_equal(store_put_worker(&w, &b), 0);
    assert_int_equal(store_get_worker(view(&b), &back, &err), 0);
    assert_string_equal(back.id, w.id);
    assert_int_equal(back.warm_count, w.warm_count);
    assert_memory_equal(back.warm, w.warm, sizeof(w.warm));
    for (size_t len = 0; len < b.len; len++) /* an older execd's end sooner, others are damaged */
        if (store_get_worker((struct bytes){b.data, len}, &back, &err) == 0)
            assert_true(back.warm_count <= STORE_WARM_MAX);
    w.warm_count = 1000; /* more than there is room for */
    buf_clear(&b);
    assert_int_equal(store_put_worker(&w, &b), 0);
    assert_int_equal(store_get_worker(view(&b), &back, &err), 0);
    assert_int_equal(back.warm_count, STORE_WARM_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_worker),
        cmocka_unit_test(test_light_job_has_no_bytes),
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
