/* wire_answer_test.c - the client's half: what one end writes, the other reads back byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_internal.h"

#define TOKEN "11111111-2222-4333-8444-555555555555"

static uint64_t memory_min(void *arg, int32_t id, bool *ret_known)
{
    (void)arg;
    *ret_known = id > 0;
    return 0;
}

static const struct wire_rules rules = {
    .batch_max = 3,
    .source_max = 1 << 20,
    .stdin_max = 1 << 20,
    .expected_max = 8,
    .args_max = 3,
    .args_bytes_max = 100,
    .min = {.wall_ms = 1, .memory_bytes = 1 << 20},
    .max = {.wall_ms = 60000, .memory_bytes = UINT64_C(1) << 40},
    .language_memory_min = memory_min,
};

static void round_trip(struct bytes source, struct bytes input, const char *const *args)
{
    struct wire_request r = {.language_id = 50,
                             .source = source,
                             .stdin_data = input,
                             .args = args,
                             .timeout_ms = 700,
                             .memory_mb = 64};
    CLEAN_BUF struct buf json = {0};
    CLEAN(job_freep) struct job *job = NULL;
    struct wire_problem p;

    assert_int_equal(wire_request_json(&r, &json), 0);
    if (wire_submission_read((struct bytes){json.data, json.len}, &rules, &job, &p) != 0)
        fail_msg("%s: %s", json.data, p.detail);
    assert_int_equal(job->language_id, 50);
    assert_int_equal(job->limits.wall_ms, 700);
    assert_int_equal(job->limits.memory_bytes, 64 << 20);
    assert_int_equal(job->source.len, source.len);
    assert_memory_equal(job->source.data, source.ptr, source.len);
    assert_int_equal(job->tests[0].stdin_data.len, input.len);
    if (input.len > 0)
        assert_memory_equal(job->tests[0].stdin_data.data, input.ptr, input.len);
    for (size_t i = 0; args != NULL && args[i] != NULL; i++)
        assert_string_equal(job->args[i], args[i]);
}

static void test_requests(void **state)
{
    static const char *const args[] = {"one", "t\"w\xc3\xa9", NULL}, *const bad[] = {"\xff", NULL};
    struct wire_request r = {.language_id = 71, .source = bytes_of("x")};
    CLEAN_BUF struct buf json = {0};
    char every[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        every[i] = (char)i;
    round_trip(bytes_of("print(\"\\n\")\n"), bytes_of("1 2\n"), args);
    round_trip((struct bytes){every, 256}, bytes_of("text"), NULL);
    round_trip(bytes_of("x"), (struct bytes){every, 256}, NULL);
    round_trip(bytes_of("x"), (struct bytes){"a\0b", 3}, NULL);
    round_trip(bytes_of("x"), (struct bytes){0}, NULL);
    assert_int_equal(wire_request_json(&r, &json), 0);
    assert_string_equal(json.data, "{\"language_id\":71,\"source_code\":\"x\"}");
    r.args = bad;
    assert_int_equal(wire_request_json(&r, &json), -EILSEQ);
    assert_string_equal(json.data, "{\"language_id\":71,\"source_code\":\"x\"}");
}

static void test_job_round_trip(void **state)
{
    struct job *job = job_new();
    struct job_result result = {.status = JOB_RUNTIME_ERROR, .message = mem_dup("why")};
    struct wire_job view = {.job = job, .status = JOB_RUNTIME_ERROR, .result = &result};
    struct job_test_result *t = job_result_add(&result);
    CLEAN_BUF struct buf json = {0};
    struct wire_answer a;
    struct err err = {0};
    char every[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        every[i] = (char)i;
    memcpy(job->token, TOKEN, sizeof(job->token));
    t->status = JOB_RUNTIME_ERROR;
    t->measure = (struct job_measure){.ran = true,
                                      .exit_code = -1,
                                      .signal = 11,
                                      .wall_ns = 1234567,
                                      .cpu_ns = 1000000,
                                      .memory_bytes = UINT64_C(5) << 30};
    buf_add(&t->out.bytes, every, 256);
    buf_add(&t->err.bytes, every, 128); /* UTF-8, with U+0000 */
    buf_adds(&result.compile.bytes, "\xf0\x9f\x98\x80 \\u0041");
    assert_int_equal(wire_job_json(&view, &json), 0);
    assert_int_equal(wire_answer_read((struct bytes){json.data, json.len}, &a, &err), 0);
    assert_string_equal(a.token, TOKEN);
    assert_int_equal(a.status, JOB_RUNTIME_ERROR);
    assert_int_equal(a.out.len, 256);
    assert_memory_equal(a.out.data, every, 256);
    assert_int_equal(a.err.len, 128);
    assert_memory_equal(a.err.data, every, 128);
    assert_string_equal(a.compile.data, "\xf0\x9f\x98\x80 \\u0041");
    assert_int_equal(a.exit_code, -1);
    assert_int_equal(a.signal, 11);
    assert_true(a.execution_ms > 1.2345 && a.execution_ms < 1.2355 && a.cpu_ms > 0.999 && a.cpu_ms < 1.001);
    assert_int_equal(a.memory_bytes, UINT64_C(5) << 30);
    assert_string_equal(a.message, "why");
    wire_answer_done(&a);
    assert_null(a.out.data);
    job_result_done(&result);
    job_free(job);
}

static void test_queued_answer(void **state)
{
    struct wire_answer a;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        wire_answer_read(bytes_of("{\"token\":\"" TOKEN "\",\"status\":\"queued\",\"stdout\":null,"
                                  "\"exit_code\":null,\"unknown\":{\"stdout\":\"x\"}}"),
                         &a, &err),
        0);
    assert_int_equal(a.status, JOB_QUEUED);
    assert_int_equal(a.exit_code, -1);
    assert_int_equal(a.out.len, 0);
    wire_answer_done(&a);
}

static void test_bad_answers(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"token\":5,\"status\":\"queued\"}",
        "{\"token\":\"x\",\"status\":\"queued\"}",
        "{\"token\":\"" TOKEN "\"}",
        "{\"token\":\"" TOKEN "\",\"status\":\"nope\"}",
        "{\"token\":\"" TOKEN "\",\"status\":5}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"stdout\":5}",
        "{\"token\":\"" TOKEN
        "\",\"status\":\"completed\",\"stdout\":\"x\",\"stderr\":\"!\",\"stderr_encoding\":\"base64\"}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"exit_code\":256}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"exit_code\":1.5}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"signal\":\"9\"}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"memory\":-1}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"execution_time\":1e999}",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"cpu_time\":true}",
        "<html>502</html>",
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\"",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct wire_answer a;
        struct err err = {0};

        if (wire_answer_read(bytes_of(bad[i]), &a, &err) == 0)
            fail_msg("accepted: %s", bad[i]);
        assert_int_not_equal(err.code, 0);
        assert_string_not_equal(err.text, "");
    }
}

static void test_mutated_answers(void **state)
{
    static const char seed[] =
        "{\"token\":\"" TOKEN "\",\"status\":\"completed\",\"stdout\":\"a\\u0000b\",\"stderr\":\"/w==\","
        "\"stderr_encoding\":\"base64\",\"exit_code\":0,\"limits\":{\"a\":[1,2,{}]},\"memory\":1e6}";
    static const char alphabet[] = "{}[]\",:\\/ntru0123456789eE.+- \n\xc3\xa9\0";
    uint64_t x = 7;
    unsigned good = 0;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        CLEAN_FREE char *text = malloc(sizeof(seed) - 1);
        struct wire_answer a;
        struct err err = {0};

        memcpy(text, seed, sizeof(seed) - 1);
        for (int i = 0; i < 2; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            text[(x >> 33) % (sizeof(seed) - 1)] = alphabet[(x >> 40) % (sizeof(alphabet) - 1)];
        }
        if (wire_answer_read((struct bytes){text, sizeof(seed) - 1}, &a, &err) == 0) {
            good++;
            wire_answer_done(&a);
        }
    }
    assert_true(good > 1000);
}

static void test_problem_text(void **state)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"type\":\"x\",\"title\":\"T\",\"detail\":\"timeout: 7 is out of "
         "range\",\"field\":\"timeout\",\"value\":\"7\",\"bound\":\"50..60 ms\"}",
         "timeout: 7 is out of range (allowed 50..60 ms)"},
        {"{\"title\":\"Not found\",\"status\":404}", "Not found"},
        {"{\"detail\":\"bad\",\"item\":3,\"field\":\"args\"}", "bad (item 3) (field args)"},
        {"{\"detail\":\"a\\u001b[31m\\nb\"}", "a?[31m?b"},
        {"<html>", "the server gave no reason"},
        {"{\"detail\":5}", "the server gave no reason"},
        {"", "the server gave no reason"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEAN_BUF struct buf out = {0};

        assert_int_equal(wire_problem_text(bytes_of(cases[i].body), &out), 0);
        assert_string_equal(out.data, cases[i].text);
    }
}

static void collect(void *arg, int32_t id, const char *name, const char *version)
{
    buf_addf(arg, "%d=%s/%s;", id, name, version);
}

static void test_languages(void **state)
{
    static const char *const bad[] = {
        "{}", "[1]", "[{}]", "[{\"id\":\"71\",\"name\":\"x\"}]", "[{\"id\":71}]", "x"};
    CLEAN_BUF struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(
        wire_languages_read(bytes_of("[{\"id\":71,\"name\":\"Python\",\"version\":\"3.11\",\"x\":[]},"
                                     "{\"version\":null,\"name\":\"C\",\"id\":50}]"),
                            collect, &out, &err),
        0);
    assert_string_equal(out.data, "71=Python/3.11;50=C/;");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_not_equal(wire_languages_read(bytes_of(bad[i]), collect, &out, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),        cmocka_unit_test(test_job_round_trip),
        cmocka_unit_test(test_queued_answer),   cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_mutated_answers), cmocka_unit_test(test_problem_text),
        cmocka_unit_test(test_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
