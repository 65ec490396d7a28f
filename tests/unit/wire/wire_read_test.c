/* wire_read_test.c - bodies to jobs: what is accepted means what it says, what is refused is named exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_internal.h"

static uint64_t memory_min(void *arg, int32_t id, bool *ret_known)
{
    (void)arg;
    *ret_known = id == 71 || id == 62 || id == 63;
    return id == 62 ? UINT64_C(128) << 20 : id == 63 ? UINT64_C(1) << 30 : 0;
}

static int url_check(const char *url, struct err *reterr)
{
    return strncmp(url, "http", 4) == 0 ? 0 : err_set(reterr, ERR_REQUEST, "only http and https");
}

static const struct wire_rules rules = {
    .batch_max = 3,
    .source_max = 64,
    .stdin_max = 16,
    .expected_max = 8,
    .args_max = 3,
    .args_bytes_max = 12,
    .defaults = {.wall_ms = 10000,
                 .cpu_ms = 10000,
                 .memory_bytes = UINT64_C(512) << 20,
                 .cpu_millis = 1000,
                 .processes = 64},
    .min =
        {.wall_ms = 50, .cpu_ms = 50, .memory_bytes = UINT64_C(16) << 20, .cpu_millis = 50, .processes = 64},
    .max = {.wall_ms = 60000,
            .cpu_ms = 60000,
            .memory_bytes = UINT64_C(4096) << 20,
            .cpu_millis = 4000,
            .processes = 64},
    .language_memory_min = memory_min,
    .callbacks_allowed = true,
    .url_check = url_check,
};

static struct job *read_good(const char *body)
{
    struct wire_problem p;
    struct job *job = NULL;

    if (wire_submission_read(bytes_of(body), &rules, &job, &p) != 0)
        fail_msg("%s: %s", body, p.detail);
    return job;
}

static void assert_buf(const struct buf *b, const char *bytes, size_t len)
{
    assert_int_equal(b->len, len);
    if (len > 0)
        assert_memory_equal(b->data, bytes, len);
}

static void test_defaults(void **state)
{
    CLEAN(job_freep) struct job *job = read_good("{\"source_code\":\"print(1)\",\"language_id\":71}");

    (void)state;
    assert_true(uuid_valid(job->token));
    assert_int_equal(job->language_id, 71);
    assert_buf(&job->source, "print(1)", 8);
    assert_int_equal(job->arg_count, 0);
    assert_null(job->args[0]);
    assert_int_equal(job->test_count, 1);
    assert_int_equal(job->tests[0].stdin_data.len, 0);
    assert_false(job->tests[0].has_expected);
    assert_memory_equal(&job->limits, &rules.defaults, sizeof(job->limits));
    assert_null(job->problem_id);
    assert_null(job->callback_url);
    assert_string_equal(job->tenant, "");
    assert_int_equal(job->priority, JOB_PRIORITY_NORMAL);
    assert_true(job->created_ms > 1700000000000);
}

static void test_every_field(void **state)
{
    CLEAN(job_freep)
    struct job *job = read_good("{\"source_code\":\"\xc3\xa9\\n\",\"language_id\":71.0,\"problem_id\":\"p\","
                                "\"callback_url\":\"http://x/\","
                                "\"timeout\":3e3,\"memory_limit\":128,\"stdin\":\"in\",\"args\":[\"a\",\"\","
                                "\"b c\"],\"cpu_limit\":\"200m\","
                                "\"expected_output\":\"\",\"priority\":\"high\",\"encoding\":\"utf-8\"}");

    (void)state;
    assert_buf(&job->source, "\xc3\xa9\n", 3);
    assert_string_equal(job->problem_id, "p");
    assert_string_equal(job->callback_url, "http://x/");
    assert_int_equal(job->limits.wall_ms, 3000);
    assert_int_equal(job->limits.cpu_ms, 3000);
    assert_int_equal(job->limits.memory_bytes, 128 << 20);
    assert_int_equal(job->limits.cpu_millis, 200);
    assert_int_equal(job->limits.processes, 64);
    assert_buf(&job->tests[0].stdin_data, "in", 2);
    assert_int_equal(job->arg_count, 3);
    assert_string_equal(job->args[1], "");
    assert_string_equal(job->args[2], "b c");
    assert_null(job->args[3]);
    assert_true(job->tests[0].has_expected);
    assert_buf(&job->tests[0].expected, "", 0);
    assert_int_equal(job->priority, JOB_PRIORITY_HIGH);
}

static void test_null_is_absent(void **state)
{
    CLEAN(job_freep)
    struct job *job = read_good(
        "{\"source_code\":\"x\",\"language_id\":71,\"problem_id\":null,\"callback_url\":null,\"timeout\":"
        "null,"
        "\"memory_limit\":null,\"stdin\":null,\"args\":null,\"cpu_limit\":null,\"expected_output\":null,"
        "\"priority\":null,\"encoding\":null}");

    (void)state;
    assert_memory_equal(&job->limits, &rules.defaults, sizeof(job->limits));
    assert_false(job->tests[0].has_expected);
    assert_null(job->problem_id);
}

static void test_base64(void **state)
{
    CLEAN(job_freep)
    struct job *job = read_good(
        "{\"source_code\":\"AAECAw==\",\"language_id\":71,\"stdin\":\"/w==\",\"expected_output\":\"\","
        "\"args\":[\"/w==\"],\"encoding\":\"base64\"}");

    (void)state;
    assert_buf(&job->source, "\0\1\2\3", 4);
    assert_buf(&job->tests[0].stdin_data, "\xff", 1);
    assert_true(job->tests[0].has_expected);
    assert_string_equal(job->args[0], "/w==");
}

static void test_cpu_quantities(void **state)
{
    static const struct {
        const char *text;
        uint64_t millis;
    } good[] = {{"\"200m\"", 200}, {"\"0.5\"", 500},     {"\"2\"", 2000},  {"2", 2000},
                {"0.25", 250},     {"\"1.0005\"", 1001}, {"1.0005", 1001}, {"\"4000m\"", 4000},
                {"\"0.05\"", 50},  {"0.1", 100},         {"0.29", 290},    {"\"1.500\"", 1500}};
    static const char *const bad[] = {"",   "m",  ".5",   "5.",  "1e3", "-1",    "+1", "1 ",
                                      " 1", "1k", "0.5m", "1mm", "0x1", "1.2.3", "1,5"};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char body[128];
        CLEAN(job_freep) struct job *job = NULL;

        snprintf(body, sizeof(body), "{\"source_code\":\"x\",\"language_id\":71,\"cpu_limit\":%s}",
                 good[i].text);
        job = read_good(body);
        if (job->limits.cpu_millis != good[i].millis)
            fail_msg("%s is %llu", good[i].text, (unsigned long long)job->limits.cpu_millis);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (num_cpu_millis(bad[i], &n) != -EINVAL)
            fail_msg("accepted as cpu: %s", bad[i]);
    assert_int_equal(num_cpu_millis("99999999999999999999999999", &n), -ERANGE);
    assert_int_equal(num_cpu_millis("99999999", &n), -ERANGE);
}

static void test_memory_of_languages(void **state)
{
    CLEAN(job_freep) struct job *a = read_good("{\"source_code\":\"x\",\"language_id\":63}");
    CLEAN(job_freep)
    struct job *b = read_good("{\"source_code\":\"x\",\"language_id\":62,\"memory_limit\":128}");
    CLEAN(job_freep) struct job *c = read_good("{\"source_code\":\"x\",\"language_id\":62}");

    (void)state;
    assert_int_equal(a->limits.memory_bytes, UINT64_C(1) << 30); /* the default is raised */
    assert_int_equal(b->limits.memory_bytes, UINT64_C(128) << 20);
    assert_int_equal(c->limits.memory_bytes, UINT64_C(512) << 20);
}

/* ---- mistakes --------------------------------------------------------------------------- */

#define S "\"source_code\":\"x\",\"language_id\":71"
#define LONG_65 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct bad {
    const char *body;
    int status;
    const char *type, *field, *value, *bound;
} bads[] = {
    {"", 400, "invalid-json", "", "", ""},
    {"{", 400, "invalid-json", "", "", ""},
    {"nope", 400, "invalid-json", "", "", ""},
    {"{" S "} x", 400, "invalid-json", "", "", ""},
    {"{" S ",}", 400, "invalid-json", "", "", ""},
    {"{" S ",\"stdin\":\"\xff\"}", 400, "invalid-json", "", "", ""},
    {"{" S ",\"stdin\":\"\\ud800\"}", 400, "invalid-json", "", "", ""},
    {"{" S ",\"timeout\":01}", 400, "invalid-json", "", "", ""},
    {"{" S ",\"timeout\":NaN}", 400, "invalid-json", "", "", ""},
    {"\xef\xbb\xbf{" S "}", 400, "invalid-json", "", "", ""},
    {"{" S ",\"timeout\":0.1234567890123456789012345678901234567890123456789012345678901234567890}", 400,
     "number-too-long", "timeout", "", ""},
    {"{" S ",\"args\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", 400, "too-deep",
     "args", "", ""},
    {"{" S ",\"language_id\":71}", 400, "duplicate-field", "language_id", "", ""},
    {"{" S ",\"l\\u0061nguage_id\":71}", 400, "duplicate-field", "l\\u0061nguage_id", "", ""},
    {"{" S ",\"stdin\":\"\\u0000\"}", 422, "nul-character", "stdin", "", ""},
    {"{" S ",\"args\":[\"a\\u0000\"]}", 422, "nul-character", "args", "", ""},
    {"[]", 422, "wrong-type", "body", "[...]", "an object"},
    {"5", 422, "wrong-type", "body", "5", "an object"},
    {"null", 422, "wrong-type", "body", "null", "an object"},
    {"\"x\"", 422, "wrong-type", "body", "\"x\"", "an object"},
    {"{}", 422, "missing-field", "source_code", "", ""},
    {"{\"language_id\":71}", 422, "missing-field", "source_code", "", ""},
    {"{\"source_code\":null,\"language_id\":71}", 422, "missing-field", "source_code", "", ""},
    {"{\"source_code\":\"x\"}", 422, "missing-field", "language_id", "", ""},
    {"{\"source_code\":\"x\",\"language_id\":null}", 422, "missing-field", "language_id", "", ""},
    {"{" S ",\"sourcecode\":\"x\"}", 422, "unknown-field", "sourcecode", "\"x\"", ""},
    {"{" S ",\"Timeout\":5}", 422, "unknown-field", "Timeout", "5", ""},
    {"{" S ",\"tests\":[]}", 422, "unknown-field", "tests", "[...]", ""},
    {"{" S ",\"\":{}}", 422, "unknown-field", "\"\"", "{...}", ""},
    {"{" S ",\"a\\u001bb\":true}", 422, "unknown-field", "a?b", "true", ""},
    {"{\"source_code\":5,\"language_id\":71}", 422, "wrong-type", "source_code", "5", "a string"},
    {"{\"source_code\":[\"x\"],\"language_id\":71}", 422, "wrong-type", "source_code", "[...]", "a string"},
    {"{\"source_code\":\"" LONG_65 "\",\"language_id\":71}", 422, "too-large", "source_code", "65 bytes",
     "0..64 bytes"},
    {"{\"source_code\":\"x\",\"language_id\":\"71\"}", 422, "wrong-type", "language_id", "\"71\"",
     "a whole number"},
    {"{\"source_code\":\"x\",\"language_id\":71.5}", 422, "wrong-type", "language_id", "71.5",
     "a whole number"},
    {"{\"source_code\":\"x\",\"language_id\":true}", 422, "wrong-type", "language_id", "true",
     "a whole number"},
    {"{\"source_code\":\"x\",\"language_id\":9999}", 422, "unknown-language", "language_id", "9999",
     "an id that GET /languages lists"},
    {"{\"source_code\":\"x\",\"language_id\":0}", 422, "out-of-range", "language_id", "0", "1..2147483647"},
    {"{\"source_code\":\"x\",\"language_id\":-71}", 422, "out-of-range", "language_id", "-71",
     "1..2147483647"},
    {"{\"source_code\":\"x\",\"language_id\":4294967367}", 422, "out-of-range", "language_id", "4294967367",
     "1..2147483647"},
    {"{\"source_code\":\"x\",\"language_id\":1e999}", 422, "out-of-range", "language_id",
     "a number above 1e308", "1..2147483647"},
    {"{" S ",\"timeout\":49}", 422, "out-of-range", "timeout", "49", "50..60000 ms"},
    {"{" S ",\"timeout\":60001}", 422, "out-of-range", "timeout", "60001", "50..60000 ms"},
    {"{" S ",\"timeout\":0}", 422, "out-of-range", "timeout", "0", "50..60000 ms"},
    {"{" S ",\"timeout\":-1}", 422, "out-of-range", "timeout", "-1", "50..60000 ms"},
    {"{" S ",\"timeout\":1000000000000}", 422, "out-of-range", "timeout", "1000000000000", "50..60000 ms"},
    {"{" S ",\"timeout\":1e300}", 422, "out-of-range", "timeout", "1e+300", "50..60000 ms"},
    {"{" S ",\"timeout\":-1e999}", 422, "out-of-range", "timeout", "a number below -1e308", "50..60000 ms"},
    {"{" S ",\"timeout\":100.5}", 422, "wrong-type", "timeout", "100.5", "a whole number"},
    {"{" S ",\"timeout\":\"10\"}", 422, "wrong-type", "timeout", "\"10\"", "a whole number"},
    {"{" S ",\"timeout\":{}}", 422, "wrong-type", "timeout", "{...}", "a whole number"},
    {"{" S ",\"memory_limit\":15}", 422, "out-of-range", "memory_limit", "15", "16..4096 MB"},
    {"{" S ",\"memory_limit\":4097}", 422, "out-of-range", "memory_limit", "4097", "16..4096 MB"},
    {"{" S ",\"memory_limit\":17592186044416}", 422, "out-of-range", "memory_limit", "17592186044416",
     "16..4096 MB"},
    {"{" S ",\"memory_limit\":false}", 422, "wrong-type", "memory_limit", "false", "a whole number"},
    {"{\"source_code\":\"x\",\"language_id\":62,\"memory_limit\":127}", 422, "out-of-range", "memory_limit",
     "127", "128..4096 MB for this language"},
    {"{" S ",\"cpu_limit\":\"fast\"}", 422, "out-of-range", "cpu_limit", "\"fast\"", "50m..4000m"},
    {"{" S ",\"cpu_limit\":\"-200m\"}", 422, "out-of-range", "cpu_limit", "\"-200m\"", "50m..4000m"},
    {"{" S ",\"cpu_limit\":\"49m\"}", 422, "out-of-range", "cpu_limit", "\"49m\"", "50m..4000m"},
    {"{" S ",\"cpu_limit\":\"5\"}", 422, "out-of-range", "cpu_limit", "\"5\"", "50m..4000m"},
    {"{" S ",\"cpu_limit\":0}", 422, "out-of-range", "cpu_limit", "0", "50m..4000m"},
    {"{" S ",\"cpu_limit\":-1}", 422, "out-of-range", "cpu_limit", "-1", "50m..4000m"},
    {"{" S ",\"cpu_limit\":1e30}", 422, "out-of-range", "cpu_limit", "1e+30", "50m..4000m"},
    {"{" S ",\"cpu_limit\":[]}", 422, "wrong-type", "cpu_limit", "[...]",
     "a quantity as \"200m\", \"0.5\" or 2"},
    {"{" S ",\"priority\":\"urgent\"}", 422, "out-of-range", "priority", "\"urgent\"",
     "\"high\", \"normal\" or \"low\""},
    {"{" S ",\"priority\":\"HIGH\"}", 422, "out-of-range", "priority", "\"HIGH\"",
     "\"high\", \"normal\" or \"low\""},
    {"{" S ",\"priority\":1}", 422, "wrong-type", "priority", "1", "\"high\", \"normal\" or \"low\""},
    {"{" S ",\"stdin\":[]}", 422, "wrong-type", "stdin", "[...]", "a string"},
    {"{" S ",\"stdin\":\"12345678901234567\"}", 422, "too-large", "stdin", "17 bytes", "0..16 bytes"},
    {"{" S ",\"expected_output\":1}", 422, "wrong-type", "expected_output", "1", "a string"},
    {"{" S ",\"expected_output\":\"123456789\"}", 422, "too-large", "expected_output", "9 bytes",
     "0..8 bytes"},
    {"{" S ",\"args\":\"x\"}", 422, "wrong-type", "args", "\"x\"", "an array of strings"},
    {"{" S ",\"args\":{}}", 422, "wrong-type", "args", "{...}", "an array of strings"},
    {"{" S ",\"args\":[\"a\",1]}", 422, "wrong-type", "args[1]", "1", "a string"},
    {"{" S ",\"args\":[null]}", 422, "wrong-type", "args[0]", "null", "a string"},
    {"{" S ",\"args\":[\"\",\"\",\"\",\"\"]}", 422, "too-large", "args", "4 items", "0..3 items"},
    {"{" S ",\"args\":[\"123456\",\"12345\"]}", 422, "too-large", "args", "13 bytes", "0..12 bytes"},
    {"{" S ",\"callback_url\":\"ftp://example.org/\"}", 422, "invalid-url", "callback_url",
     "\"ftp://example.org/\"", "an absolute http or https URL"},
    {"{" S ",\"callback_url\":\"\"}", 422, "invalid-url", "callback_url", "\"\"",
     "an absolute http or https URL"},
    {"{" S ",\"callback_url\":7}", 422, "wrong-type", "callback_url", "7", "a string"},
    {"{" S ",\"problem_id\":7}", 422, "wrong-type", "problem_id", "7", "a string"},
    {"{" S ",\"encoding\":\"hex\"}", 422, "out-of-range", "encoding", "\"hex\"", "\"utf-8\" or \"base64\""},
    {"{" S ",\"encoding\":64}", 422, "wrong-type", "encoding", "64", "\"utf-8\" or \"base64\""},
    {"{\"encoding\":\"base64\",\"source_code\":\"x\",\"language_id\":71}", 422, "invalid-base64",
     "source_code", "\"x\"", "RFC 4648 section 4, padded, no line breaks"},
    {"{\"encoding\":\"base64\",\"source_code\":\"eA==\",\"stdin\":\"eA=\",\"language_id\":71}", 422,
     "invalid-base64", "stdin", "\"eA=\"", "RFC 4648 section 4, padded, no line breaks"},
    {"{\"encoding\":\"base64\",\"source_code\":\"eA==\",\"expected_output\":\"MTIzNDU2Nzg5\",\"language_id\":"
     "71}",
     422, "too-large", "expected_output", "9 bytes", "0..8 bytes"},
};

static void assert_problem(const struct bad *b, const struct wire_problem *p, int item)
{
    if (p->status != b->status || p->item != item || strcmp(p->type, b->type) != 0 ||
        strcmp(p->field, b->field) != 0 || strcmp(p->value, b->value) != 0 ||
        strcmp(p->bound, b->bound) != 0 || p->detail[0] == '\0')
        fail_msg("%s\n is %d item %d type `%s` field `%s` value `%s` bound `%s`\n %s", b->body, p->status,
                 p->item, p->type, p->field, p->value, p->bound, p->detail);
}

static void test_mistakes_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        struct wire_problem p;
        struct job *job = NULL;

        if (wire_submission_read(bytes_of(bads[i].body), &rules, &job, &p) == 0)
            fail_msg("accepted: %s", bads[i].body);
        assert_null(job);
        assert_problem(&bads[i], &p, -1);
    }
}

/* The same as the middle one of three: named with its index, and nothing is accepted. */
static void test_mistakes_in_a_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        struct bad b = bads[i];
        CLEAN_BUF struct buf body = {0};
        struct wire_problem p;
        struct job **jobs = NULL;
        size_t count = 0;

        if (b.status == 400 && strcmp(b.type, "invalid-json") == 0)
            continue;
        if (strcmp(b.field, "body") == 0)
            b.field = "";
        buf_addf(&body, "{\"submissions\":[{" S "},%s,{" S "}]}", b.body);
        assert_int_equal(wire_batch_read((struct bytes){body.data, body.len}, &rules, &jobs, &count, &p), -1);
        assert_null(jobs);
        assert_problem(&b, &p, 1);
        if (b.status == 422 && strcmp(b.type, "nul-character") != 0)
            assert_non_null(strstr(p.detail, "submissions[1]"));
    }
}

static void test_batches(void **state)
{
    static const struct bad bad[] = {
        {"{\"submissions\":[]}", 422, "out-of-range", "submissions", "0 items", "1..3 items"},
        {"{\"submissions\":[{" S "},{" S "},{" S "},{" S "}]}", 413, "too-large", "submissions", "4 items",
         "1..3 items"},
        {"{\"submissions\":{}}", 422, "wrong-type", "submissions", "{...}", "an array"},
        {"{\"submissions\":null}", 422, "missing-field", "submissions", "", ""},
        {"{}", 422, "missing-field", "submissions", "", ""},
        {"[]", 422, "wrong-type", "body", "[...]", "an object"},
        {"{" S "}", 422, "unknown-field", "source_code", "\"x\"", "\"submissions\""},
        {"{\"submissions\":[{" S "}],\"more\":1}", 422, "unknown-field", "more", "1", "\"submissions\""},
    };
    struct wire_problem p;
    struct job **jobs = NULL;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(wire_batch_read(bytes_of(bad[i].body), &rules, &jobs, &count, &p), -1);
        assert_problem(&bad[i], &p, -1);
    }
    assert_int_equal(wire_batch_read(bytes_of("{\"submissions\":[{" S "},{" S ",\"problem_id\":\"2\"}]}"),
                                     &rules, &jobs, &count, &p),
                     0);
    assert_int_equal(count, 2);
    assert_string_equal(jobs[1]->problem_id, "2");
    assert_string_not_equal(jobs[0]->token, jobs[1]->token);
    job_free(jobs[0]);
    job_free(jobs[1]);
    free(jobs);
}

static void test_long_values_are_cut(void **state)
{
    CLEAN_BUF struct buf body = {0};
    CLEAN_BUF struct buf json = {0};
    struct wire_problem p;
    struct job *job;

    (void)state;
    buf_adds(&body, "{" S ",\"priority\":\"");
    for (int i = 0; i < 5000; i++)
        buf_adds(&body, "\xe2\x82\xac\\u0007");
    buf_adds(&body, "\"}");
    assert_int_equal(wire_submission_read((struct bytes){body.data, body.len}, &rules, &job, &p), -1);
    assert_true(utf8_valid(p.value, strlen(p.value)));
    assert_true(strlen(p.value) > 80 && strcmp(p.value + strlen(p.value) - 3, "...") == 0);
    assert_null(strchr(p.value, 7));
    assert_int_equal(wire_problem_json(&p, &json), 0);
    buf_clear(&body);
    buf_adds(&body, "{" S ",\"problem_id\":\"");
    for (int i = 0; i < 257; i++)
        buf_adds(&body, "x");
    buf_adds(&body, "\"}");
    assert_int_equal(wire_submission_read((struct bytes){body.data, body.len}, &rules, &job, &p), -1);
    assert_string_equal(p.value, "257 bytes");
    assert_string_equal(p.bound, "0..256 bytes");
}

static void test_callbacks_switched_off(void **state)
{
    struct wire_rules off = rules;
    struct wire_problem p;
    struct job *job = NULL;

    (void)state;
    off.callbacks_allowed = false;
    assert_int_equal(wire_submission_read(bytes_of("{" S ",\"callback_url\":\"http://x/\"}"), &off, &job, &p),
                     -1);
    assert_string_equal(p.field, "callback_url");
    assert_string_equal(p.type, "not-allowed");
    assert_int_equal(wire_submission_read(bytes_of("{" S "}"), &off, &job, &p), 0);
    job_free(job);
}

static void test_too_many_values(void **state)
{
    CLEAN_BUF struct buf body = {0};
    struct wire_problem p;
    struct job **jobs;
    size_t count;

    (void)state;
    buf_adds(&body, "{\"submissions\":[0");
    for (int i = 0; i < 100000; i++)
        buf_adds(&body, ",0");
    buf_adds(&body, "]}");
    assert_int_equal(wire_batch_read((struct bytes){body.data, body.len}, &rules, &jobs, &count, &p), -1);
    assert_int_equal(p.status, 413);
    assert_string_equal(p.type, "too-large");
}

static void test_problem_as_json(void **state)
{
    static const char want[] =
        "{\"type\":\"urn:execd:problem:out-of-range\",\"title\":\"Out of range\",\"status\":422,\"detail\":"
        "\"submissions[1].timeout: 7 is out of range; allowed: 50..60000 "
        "ms\",\"item\":1,\"field\":\"timeout\",\"value\":\"7\","
        "\"bound\":\"50..60000 ms\"}";
    CLEAN_BUF struct buf json = {0};
    struct wire_problem p;
    struct job **jobs;
    size_t count;

    (void)state;
    assert_int_equal(wire_batch_read(bytes_of("{\"submissions\":[{" S "},{" S ",\"timeout\":7}]}"), &rules,
                                     &jobs, &count, &p),
                     -1);
    assert_int_equal(wire_problem_json(&p, &json), 0);
    assert_string_equal(json.data, want);
    buf_clear(&json);
    assert_int_equal(wire_problem_set(&p, 404, "not-found", "no job %s", "x\x1b\xff"), -1);
    assert_int_equal(wire_problem_json(&p, &json), 0);
    assert_string_equal(json.data,
                        "{\"type\":\"urn:execd:problem:not-found\",\"title\":\"Not found\",\"status\":404,"
                        "\"detail\":\"no job x\?\?\"}");
}

/* Whatever is sent: it is accepted, or refused with a problem that can be sent; nothing leaks (asan), nothing
 * hangs. */
static void test_mutated_bodies(void **state)
{
    static const char seed[] =
        "{ \"submissions\" : [ {" S " , \"stdin\":\"some text\" ,\"args\":[\"a\"],\"timeout\":1000,"
        "\"memory_limit\":64,\"priority\":\"low\",\"cpu_limit\":\"1\",\"encoding\":\"utf-8\"}]}";
    static const char alphabet[] = "{}[]\",:\\/ntru0123456789eE.+- \n\tfals\xc3\xa9\xff\0\x1f";
    uint64_t x = 42;
    unsigned accepted = 0;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        char text[sizeof(seed)];
        struct wire_problem p;
        struct job **jobs = NULL;
        size_t count = 0;

        memcpy(text, seed, sizeof(seed));
        for (int i = 0; i <= round % 3; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            text[(x >> 33) % (sizeof(seed) - 1)] = alphabet[(x >> 40) % (sizeof(alphabet) - 1)];
        }
        if (wire_batch_read((struct bytes){text, sizeof(seed) - 1}, &rules, &jobs, &count, &p) == 0) {
            accepted++;
            for (size_t i = 0; i < count; i++)
                job_free(jobs[i]);
            free(jobs);
        } else {
            CLEAN_BUF struct buf json = {0};
            struct wire_fault f;

            assert_true(p.status >= 400 && p.status < 500);
            assert_int_equal(wire_problem_json(&p, &json), 0);
            assert_int_equal(wire_text_check((struct bytes){json.data, json.len},
                                             &(struct wire_text_rules){.values_max = 100}, &f),
                             0);
        }
    }
    assert_true(accepted > 1000 && accepted < 99000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_null_is_absent),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_cpu_quantities),
        cmocka_unit_test(test_memory_of_languages),
        cmocka_unit_test(test_mistakes_alone),
        cmocka_unit_test(test_mistakes_in_a_batch),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_callbacks_switched_off),
        cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_problem_as_json),
        cmocka_unit_test(test_mutated_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
