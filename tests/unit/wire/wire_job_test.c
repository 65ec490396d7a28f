/* wire_job_test.c - what GET /v1/jobs/{token} and webhooks show; no byte of output is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_internal.h"

#define TOKEN "11111111-2222-4333-8444-555555555555"

struct fixture {
    struct job *job;
    struct job_result result;
    struct wire_job view;
    struct buf out;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.job = job_new()};

    memcpy(f.job->token, TOKEN, sizeof(f.job->token));
    f.job->language_id = 71;
    f.job->created_ms = 1700000000123;
    f.job->limits = (struct job_limits){.wall_ms = 3000,
                                        .cpu_ms = 3000,
                                        .memory_bytes = 128u << 20,
                                        .cpu_millis = 500,
                                        .processes = 64,
                                        .output_bytes = 1 << 20,
                                        .file_bytes = 2,
                                        .open_files = 3,
                                        .box_bytes = 4,
                                        .box_inodes = 5,
                                        .stack_bytes = 6};
    f.view = (struct wire_job){.job = f.job};
    return f;
}

static void fixture_done(struct fixture *f)
{
    job_free(f->job);
    job_result_done(&f->result);
    buf_done(&f->out);
}

static const char *show(struct fixture *f)
{
    struct wire_text_rules rules = {.nul_allowed = true, .values_max = 1000};
    struct wire_fault fault;

    buf_clear(&f->out);
    assert_int_equal(wire_job_json(&f->view, &f->out), 0);
    if (wire_text_check((struct bytes){f->out.data, f->out.len}, &rules, &fault) != 0)
        fail_msg("no JSON at %zu: %s: %s", fault.offset, fault.text, f->out.data);
    return f->out.data;
}

static struct job_test_result *add(struct fixture *f, enum job_status status, const char *out, size_t len)
{
    struct job_test_result *t = job_result_add(&f->result);

    t->status = status;
    buf_add(&t->out.bytes, out, len);
    t->measure = (struct job_measure){
        .ran = true, .exit_code = 0, .wall_ns = 45320000, .cpu_ns = 1500, .memory_bytes = 4096};
    f->view.result = &f->result;
    return t;
}

#define LIMITS                                                                                               \
    "\"limits\":{\"timeout\":3000,\"cpu_time\":3000,\"memory_limit\":128,\"memory_bytes\":134217728,\"cpu_"  \
    "limit\":\"500m\","                                                                                      \
    "\"processes\":64,\"output_bytes\":1048576,\"file_bytes\":2,\"open_files\":3,\"box_bytes\":4,\"box_"     \
    "inodes\":5,"                                                                                            \
    "\"stack_bytes\":6}"

static void test_queued(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    assert_string_equal(
        show(&f),
        "{\"token\":\"" TOKEN
        "\",\"status\":\"queued\",\"language_id\":71,\"problem_id\":null,\"stdout\":null,"
        "\"stdout_encoding\":\"utf-8\",\"stdout_truncated\":false,\"stderr\":null,\"stderr_encoding\":\"utf-"
        "8\","
        "\"stderr_truncated\":false,\"compile_output\":null,\"compile_output_encoding\":\"utf-8\","
        "\"compile_output_truncated\":false,\"exit_code\":null,\"signal\":null,\"execution_time\":null,\"cpu_"
        "time\":null,"
        "\"memory\":null,\"processes_limit_hit\":false,\"disk_limit_hit\":false,\"limit_hit\":null," LIMITS
        ",\"message\":null,\"attempt\":0,\"created_at\":"
        "\"2023-11-14T22:13:20.123Z\",\"started_at\":null,\"finished_at\":null}");
    fixture_done(&f);
}

static void test_completed(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    add(&f, JOB_COMPLETED, "Hello, World!\n", 14);
    f.job->problem_id = mem_dup("prob-\"1\"");
    f.view.status = f.result.status = JOB_COMPLETED;
    f.view.started_ms = 1700000000124;
    f.view.attempt = 1;
    f.result.finished_ms = 1700000000200;
    buf_adds(&f.result.compile.bytes, "warning\n");
    assert_string_equal(
        show(&f),
        "{\"token\":\"" TOKEN
        "\",\"status\":\"completed\",\"language_id\":71,\"problem_id\":\"prob-\\\"1\\\"\","
        "\"stdout\":\"Hello, "
        "World!\\n\",\"stdout_encoding\":\"utf-8\",\"stdout_truncated\":false,\"stderr\":\"\","
        "\"stderr_encoding\":\"utf-8\",\"stderr_truncated\":false,\"compile_output\":\"warning\\n\","
        "\"compile_output_encoding\":\"utf-8\",\"compile_output_truncated\":false,\"exit_code\":0,\"signal\":"
        "null,"
        "\"execution_time\":45.32,\"cpu_time\":0.002,\"memory\":4096,\"processes_limit_hit\":false,\"disk_"
        "limit_hit\":false,\"limit_hit\":null," LIMITS ",\"message\":null,"
        "\"attempt\":1,\"created_at\":\"2023-11-14T22:13:20.123Z\",\"started_at\":\"2023-11-14T22:13:20."
        "124Z\","
        "\"finished_at\":\"2023-11-14T22:13:20.200Z\"}");
    fixture_done(&f);
}

static void has(struct fixture *f, const char *part)
{
    if (strstr(show(f), part) == NULL)
        fail_msg("no %s in %s", part, f->out.data);
}

static void has_not(struct fixture *f, const char *part)
{
    if (strstr(show(f), part) != NULL)
        fail_msg("%s in %s", part, f->out.data);
}

static void test_signal_and_limits(void **state)
{
    struct fixture f = fixture_new();
    struct job_test_result *t = add(&f, JOB_RUNTIME_ERROR, "", 0);

    (void)state;
    f.view.status = JOB_RUNTIME_ERROR;
    t->measure.exit_code = -1;
    t->measure.signal = 11;
    has(&f, "\"exit_code\":null,\"signal\":11");
    has(&f, "\"limit_hit\":null");
    f.view.status = t->status = JOB_TIME_LIMIT_EXCEEDED;
    t->measure.signal = 9;
    t->measure.hit = JOB_HIT_WALL;
    has(&f, "\"limit_hit\":\"wall_time\"");
    t->measure.hit = JOB_HIT_CPU;
    has(&f, "\"limit_hit\":\"cpu_time\"");
    f.view.status = t->status = JOB_MEMORY_LIMIT_EXCEEDED;
    t->measure.hit = JOB_HIT_NONE;
    t->measure.oom = true;
    has(&f, "\"limit_hit\":\"memory\"");
    f.view.status = t->status = JOB_OUTPUT_LIMIT_EXCEEDED;
    t->measure.oom = false;
    t->out.truncated = true;
    has(&f, "\"limit_hit\":\"output\"");
    has(&f, "\"stdout_truncated\":true");
    f.job->limits.cpu_millis = 0;
    has(&f, "\"cpu_limit\":null");
    fixture_done(&f);
}

static void test_compile_error(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    f.view.status = f.result.status = JOB_COMPILE_ERROR;
    f.view.result = &f.result;
    f.result.compile_measure = (struct job_measure){.ran = true, .exit_code = 1};
    buf_adds(&f.result.compile.bytes, "error: x");
    f.result.compile.truncated = true;
    has(&f, "\"stdout\":\"\"");
    has(&f, "\"compile_output\":\"error: "
            "x\",\"compile_output_encoding\":\"utf-8\",\"compile_output_truncated\":true");
    has(&f, "\"exit_code\":null,\"signal\":null,\"execution_time\":null");
    f.result.compile_measure.hit = JOB_HIT_WALL;
    has(&f, "\"limit_hit\":\"wall_time\"");
    f.result.message = mem_dup("the compiler\nwas stopped");
    has(&f, "\"message\":\"the compiler\\nwas stopped\"");
    fixture_done(&f);
}

static void test_terminal_without_a_run(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    f.view.status = JOB_CANCELLED;
    has(&f, "\"status\":\"cancelled\"");
    has(&f, "\"stdout\":\"\"");
    fixture_done(&f);
}

static void test_bytes(void **state)
{
    struct fixture f = fixture_new();
    struct job_test_result *t = add(&f, JOB_COMPLETED, "a\0b\xe2\x82\xac\x1b\x7f\"\\\b\f\r\t", 14);

    (void)state;
    f.view.status = JOB_COMPLETED;
    has(&f, "\"stdout\":\"a\\u0000b\xe2\x82\xac\\u001b\\u007f\\\"\\\\\\b\\f\\r\\t\",\"stdout_encoding\":"
            "\"utf-8\"");
    buf_add(&t->out.bytes, "\xff", 1);
    has(&f, "\"stdout\":\"YQBi4oKsG38iXAgMDQn/\",\"stdout_encoding\":\"base64\"");
    fixture_done(&f);
}

/* The first test that failed is on top, else the last one; a single one has no list. */
static void test_several_tests(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    f.view.status = JOB_COMPLETED;
    add(&f, JOB_COMPLETED, "one", 3);
    has_not(&f, "\"tests\"");
    add(&f, JOB_COMPLETED, "two", 3);
    has(&f, "\"problem_id\":null,\"stdout\":\"two\"");
    has(&f, "\"tests\":[{\"status\":\"completed\",\"stdout\":\"one\"");
    f.view.status = JOB_WRONG_ANSWER;
    add(&f, JOB_WRONG_ANSWER, "three", 5);
    add(&f, JOB_RUNTIME_ERROR, "four", 4);
    has(&f, "\"problem_id\":null,\"stdout\":\"three\"");
    has(&f, "{\"status\":\"runtime_error\",\"stdout\":\"four\"");
    fixture_done(&f);
}

static void test_times(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } times[] = {{0, "0"},
                 {1, "0"},
                 {500, "0.001"},
                 {999999, "1"},
                 {1000000, "1"},
                 {1234567, "1.235"},
                 {10000000000, "10000"},
                 {1100000, "1.1"},
                 {UINT64_MAX, "18446744073709.552"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        CLEAN_BUF struct buf out = {0};
        struct wire_put w;

        wire_put_begin(&w, &out);
        wire_put_ms(&w, times[i].ns);
        assert_int_equal(wire_put_end(&w), 0);
        assert_string_equal(out.data, times[i].text);
    }
}

static void test_no_room_takes_everything_back(void **state)
{
    struct fixture f = fixture_new();
    CLEAN_BUF struct buf out = {.max = 100};

    (void)state;
    buf_adds(&out, "before");
    assert_int_equal(wire_job_json(&f.view, &out), -ENOBUFS);
    assert_string_equal(out.data, "before");
    fixture_done(&f);
}

static void test_small_answers(void **state)
{
    static const struct wire_language languages[] = {{71, "Python", "3.11.2", "main.py", true},
                                                     {50, "C", NULL, "main.c", false}};
    static const struct wire_check checks[] = {{"redis", true, "connected"}, {"workers", false, NULL}};
    struct fixture f = fixture_new();
    struct job *jobs[] = {f.job, f.job};

    (void)state;
    assert_int_equal(wire_token_json(f.job, &f.out), 0);
    assert_string_equal(f.out.data, "{\"token\":\"" TOKEN "\",\"status\":\"queued\"}");
    buf_clear(&f.out);
    assert_int_equal(wire_tokens_json(jobs, 2, &f.out), 0);
    assert_string_equal(f.out.data, "{\"tokens\":[\"" TOKEN "\",\"" TOKEN "\"]}");
    buf_clear(&f.out);
    assert_int_equal(wire_languages_json(languages, 2, &f.out), 0);
    assert_string_equal(
        f.out.data,
        "[{\"id\":71,\"name\":\"Python\",\"version\":\"3.11.2\",\"file_name\":\"main.py\",\"ready\":true},"
        "{\"id\":50,\"name\":\"C\",\"version\":null,\"file_name\":\"main.c\",\"ready\":false}]");
    buf_clear(&f.out);
    assert_int_equal(wire_languages_json(NULL, 0, &f.out), 0);
    assert_string_equal(f.out.data, "[]");
    buf_clear(&f.out);
    assert_int_equal(wire_health_json(true, checks, 2, &f.out), 0);
    assert_string_equal(f.out.data,
                        "{\"status\":\"healthy\",\"checks\":[{\"name\":\"redis\",\"ok\":true,\"detail\":"
                        "\"connected\"},{\"name\":\"workers\",\"ok\":false,\"detail\":null}]}");
    buf_clear(&f.out);
    assert_int_equal(wire_health_json(false, NULL, 0, &f.out), 0);
    assert_string_equal(f.out.data, "{\"status\":\"unhealthy\",\"checks\":[]}");
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queued),
        cmocka_unit_test(test_completed),
        cmocka_unit_test(test_signal_and_limits),
        cmocka_unit_test(test_compile_error),
        cmocka_unit_test(test_terminal_without_a_run),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_several_tests),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_no_room_takes_everything_back),
        cmocka_unit_test(test_small_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
