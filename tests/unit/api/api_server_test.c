/* api_server_test.c - routes, problems, waiting, health and metrics of a real API on a real Redis. */
#include "api_fixture.h"

#include <unistd.h>

#define GOOD "{\"source_code\":\"print(1)\",\"language_id\":71}"

/* Asks for the page until the text is there. */
static void metrics_until(struct fixture *fx, const char *text)
{
    struct answer a;
    bool there;

    loop_timer_arm(fx->guard, 100000);
    do {
        http(fx, &a, "GET", "/metrics", NULL, NULL);
        assert_int_equal(a.status, 200);
        there = strstr(a.body.data, text) != NULL;
        answer_done(&a);
    } while (!there);
}

static void test_index_and_unknown(void **state)
{
    struct fixture *fx = *state;
    struct answer a;

    fixture_open(fx);
    http(fx, &a, "GET", "/", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "/submit/batch");
    answer_done(&a);
    http(fx, &a, "GET", "/nowhere", NULL, NULL);
    assert_int_equal(a.status, 404);
    assert_has(&a, "urn:execd:problem:no-such-route");
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/", NULL, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/nonsense", NULL, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/00000000-0000-4000-8000-000000000000", NULL, NULL);
    assert_int_equal(a.status, 404);
    assert_has(&a, "urn:execd:problem:not-found");
    answer_done(&a);
}

static void test_headers(void **state)
{
    struct fixture *fx = *state;
    char *text;

    fixture_open(fx);
    text = raw(fx, "DELETE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: mine-7\r\n\r\n");
    assert_non_null(strstr(text, "HTTP/1.1 405"));
    assert_non_null(strcasestr(text, "\r\nAllow: GET, HEAD\r\n"));
    assert_non_null(strcasestr(text, "\r\nX-Request-Id: mine-7\r\n"));
    assert_non_null(strcasestr(text, "\r\nContent-Type: application/problem+json\r\n"));
    free(text);
    text =
        raw(fx, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: not \"good\"\r\n\r\n");
    assert_null(strstr(text, "good"));
    assert_non_null(strcasestr(text, "\r\nX-Request-Id: "));
    free(text);
    text = raw(fx, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(text, "HTTP/1.1 200"));
    assert_null(strstr(text, "alive"));
    assert_non_null(strcasestr(text, "\r\nContent-Length: 18\r\n"));
    free(text);
    text =
        raw(fx, "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 43\r\n\r\n" GOOD);
    assert_non_null(strstr(text, "HTTP/1.1 202"));
    assert_non_null(strcasestr(text, "\r\nLocation: /v1/jobs/"));
    free(text);
}

static void test_batch_to_result(void **state)
{
    struct fixture *fx = *state;
    struct store_claim claim;
    char path[64], token[UUID_SIZE];
    struct answer a;

    fixture_open(fx);
    http(fx, &a, "POST", "/submit/batch", NULL, "{\"submissions\":[" GOOD "]}");
    assert_int_equal(a.status, 202);
    assert_has(&a, "{\"tokens\":[\"");
    token_of(&a, token);
    answer_done(&a);
    snprintf(path, sizeof(path), "/v1/jobs/%s", token);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"status\":\"queued\"");
    answer_done(&a);
    claim = worker_claim(fx);
    assert_string_equal(claim.job->token, token);
    assert_string_equal(claim.job->tenant, "");
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"status\":\"running\"");
    answer_done(&a);
    worker_finish(fx, &claim, "out\n");
    job_free(claim.job);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"status\":\"completed\"");
    assert_has(&a, "\"stdout\":\"out\\n\"");
    answer_done(&a);
}

static void test_problems(void **state)
{
    static const struct {
        const char *path, *header, *body;
        int status;
        const char *text;
    } cases[] = {
        {"/submit/batch", NULL, "{", 400, "invalid-json"},
        {"/submit/batch", NULL, "", 400, "invalid-json"},
        {"/v1/jobs", NULL, "{\"source_code\":\"x\",\"language_id\":5}", 422, "\"field\":\"language_id\""},
        {"/submit/batch", NULL, "{\"submissions\":[" GOOD ",{\"source_code\":\"x\",\"language_id\":5}]}", 422,
         "\"item\":1"},
        {"/v1/jobs", "Content-Type: text/plain", GOOD, 415, "unsupported-media-type"},
        {"/v1/jobs", "Content-Type: application/jsonx", GOOD, 415, "unsupported-media-type"},
        {"/v1/jobs?wait=soon", NULL, GOOD, 422, "\"field\":\"wait\""},
        {"/v1/jobs?wait=-1", NULL, GOOD, 422, "\"value\":\"-1\""},
        {"/v1/jobs?wait=", NULL, GOOD, 422, "\"bound\":\"0.."},
        {"/v1/jobs?wait=99999999999999999999", NULL, GOOD, 422, "wait"},
    };
    struct fixture *fx = *state;
    struct answer a;

    fixture_open(fx);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        http(fx, &a, "POST", cases[i].path, cases[i].header, cases[i].body);
        if (a.status != cases[i].status)
            fail_msg("case %zu: status %d: %s", i, a.status, a.body.data);
        assert_has(&a, cases[i].text);
        answer_done(&a);
    }
    http(fx, &a, "POST", "/v1/jobs", "Content-Type: Application/JSON ; charset=utf-8", GOOD);
    assert_int_equal(a.status, 202);
    answer_done(&a);
    metrics_until(fx, "\nexecd_jobs_accepted_total 1\n"); /* nothing of what was refused was kept */
    metrics_until(fx, "\nexecd_queue_length{priority=\"normal\"} 1\n");
}

static void test_wait_is_woken(void **state)
{
    struct fixture *fx = *state;
    struct answer get, post, a;
    struct store_claim claim;
    char path[80], token[UUID_SIZE];
    uint64_t begun = clock_mono_ns();

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http_begin(fx, &get, "GET", path, NULL, NULL);
    claim = worker_claim(fx);
    assert_false(get.done);
    worker_finish(fx, &claim, "woken");
    job_free(claim.job);
    fixture_spin(fx, &get.done);
    assert_int_equal(get.status, 200);
    assert_has(&get, "\"stdout\":\"woken\"");
    answer_done(&get);

    http_begin(fx, &post, "POST", "/v1/jobs?wait=60", NULL, GOOD);
    http(fx, &a, "GET", "/livez", NULL, NULL);
    answer_done(&a);
    do { /* until it was stored */
        http(fx, &a, "GET", "/metrics", NULL, NULL);
        fx->flag = strstr(a.body.data, "\nexecd_jobs_accepted_total 2\n") != NULL;
        answer_done(&a);
    } while (!fx->flag);
    assert_false(post.done);
    claim = worker_claim(fx);
    worker_finish(fx, &claim, "posted");
    job_free(claim.job);
    fixture_spin(fx, &post.done);
    assert_int_equal(post.status, 200);
    assert_has(&post, "\"stdout\":\"posted\"");
    answer_done(&post);
    assert_true((clock_mono_ns() - begun) / 1000000000 < 55);
}

static void test_wait_ends(void **state)
{
    struct fixture *fx = *state;
    char path[80], token[UUID_SIZE];
    struct answer a;

    fx->conf->wait_max_ms = 200;
    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=100000", token); /* cut to wait_max_ms */
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"status\":\"queued\"");
    answer_done(&a);
    http(fx, &a, "POST", "/v1/jobs?wait=1", NULL, GOOD);
    assert_int_equal(a.status, 202);
    assert_has(&a, "\"status\":\"queued\"");
    assert_has(&a, "\"created_at\"");
    answer_done(&a);
}

/* The bound on idle connections is none on waiting. */
static void test_wait_outlasts_idle(void **state)
{
    struct fixture *fx = *state;
    char path[80], token[UUID_SIZE];
    struct answer a;

    fx->conf->idle_ms = 1000;
    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=3", token);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"status\":\"queued\"");
    answer_done(&a);
}

static void test_too_many_wait(void **state)
{
    struct fixture *fx = *state;
    struct answer waiting, a;
    char path[80], token[UUID_SIZE];
    struct store_claim claim;

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http_begin(fx, &waiting, "GET", path, NULL, NULL);
    metrics_until(fx, "\nexecd_http_requests_open 2\n");
    fx->api->calls_max = 1;
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 503);
    assert_int_equal(a.retry_after_s, 1);
    assert_has(&a, "urn:execd:problem:overloaded");
    answer_done(&a);
    http(fx, &a, "GET", "/livez", NULL, NULL); /* supervisors are still served */
    assert_int_equal(a.status, 200);
    answer_done(&a);
    http(fx, &a, "GET", "/metrics", NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    claim = worker_claim(fx);
    worker_finish(fx, &claim, "x");
    job_free(claim.job);
    fixture_spin(fx, &waiting.done);
    assert_int_equal(waiting.status, 200);
    answer_done(&waiting);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
}

static void test_client_leaves(void **state)
{
    struct fixture *fx = *state;
    char token[UUID_SIZE], request[160];
    int fds[3];

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(request, sizeof(request), "GET /v1/jobs/%s?wait=600 HTTP/1.1\r\nHost: x\r\n\r\n", token);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = raw_connect(fx);
        assert_int_equal(write(fds[i], request, strlen(request)), strlen(request));
    }
    metrics_until(fx, "\nexecd_http_requests_open 4\n"); /* with this one */
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    metrics_until(fx, "\nexecd_http_requests_open 1\n");
}

static void test_cancel(void **state)
{
    struct fixture *fx = *state;
    char token[UUID_SIZE], path[64];
    struct answer a;

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s", token);
    http(fx, &a, "DELETE", path, NULL, NULL);
    assert_int_equal(a.status, 202);
    assert_has(&a, "\"status\":\"cancelled\"");
    answer_done(&a);
    http(fx, &a, "DELETE", path, NULL, NULL);
    assert_int_equal(a.status, 409);
    answer_done(&a);
    http(fx, &a, "DELETE", "/v1/jobs/00000000-0000-4000-8000-000000000000", NULL, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
}

static void test_languages(void **state)
{
    struct fixture *fx = *state;
    struct answer a;

    fixture_open(fx);
    http(fx, &a, "GET", "/languages", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "71");
    assert_has(&a, "\"Python\"");
    assert_has(&a, "Python (3.11.2)");
    answer_done(&a);
}

static void test_health(void **state)
{
    struct fixture *fx = *state;
    struct answer a;
    bool healthy;

    fixture_open(fx);
    http(fx, &a, "GET", "/health", NULL, NULL);
    assert_int_equal(a.status, 503);
    assert_has(&a, "\"status\":\"unhealthy\"");
    assert_has(&a, "workers");
    answer_done(&a);
    worker_beat(fx, "w");
    do { /* what was read of the store is good for a second */
        http(fx, &a, "GET", "/health", NULL, NULL);
        healthy = a.status == 200;
        if (healthy)
            assert_has(&a, "\"status\":\"healthy\"");
        answer_done(&a);
    } while (!healthy);
    http(fx, &a, "GET", "/livez", NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
}

static void test_full_queue(void **state)
{
    struct fixture *fx = *state;
    struct answer a;
    bool full;

    fx->conf->queue_max_jobs = 2;
    fixture_open(fx);
    worker_beat(fx, "w");
    http(fx, &a, "POST", "/submit/batch", NULL, "{\"submissions\":[" GOOD "," GOOD "," GOOD "]}");
    assert_int_equal(a.status, 503);
    assert_true(a.retry_after_s > 0);
    assert_has(&a, "urn:execd:problem:queue-full");
    answer_done(&a);
    http(fx, &a, "POST", "/submit/batch", NULL, "{\"submissions\":[" GOOD "," GOOD "]}");
    assert_int_equal(a.status, 202);
    answer_done(&a);
    do {
        http(fx, &a, "GET", "/health", NULL, NULL);
        full = a.status == 503 && strstr(a.body.data, "2 of 2 jobs") != NULL;
        answer_done(&a);
    } while (!full);
    http(fx, &a, "GET", "/readyz", NULL, NULL);
    assert_int_equal(a.status, 503);
    answer_done(&a);
}

/* name{label="value",...} number */
static void assert_metric_line(const char *line)
{
    const char *p = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    char *end;

    assert_ptr_not_equal(p, line);
    if (*p == '{') {
        for (p++; *p != '}' && *p != '\0'; p++) {
            if (*p == '"') {
                for (p++; *p != '"' && *p != '\0'; p++)
                    p += *p == '\\';
            }
        }
        p++;
    }
    if (*p != ' ' || (strtod(p + 1, &end), end == p + 1 || *end != '\0'))
        fail_msg("no metric: %s", line);
}

static void test_metrics(void **state)
{
    struct fixture *fx = *state;
    struct store_claim claim;
    char token[UUID_SIZE], *rest, *line;
    struct answer a;

    fixture_open(fx);
    worker_beat(fx, "host:\"7\\");
    submit(fx, NULL, token);
    claim = worker_claim(fx);
    worker_finish(fx, &claim, "x");
    job_free(claim.job);
    submit(fx, NULL, token);
    metrics_until(fx, "\nexecd_jobs_total{status=\"completed\",language=\"71\"} 1\n");
    metrics_until(fx, "\nexecd_queue_length{priority=\"normal\"} 1\n");
    http(fx, &a, "GET", "/metrics", NULL, NULL);
    assert_has(&a, "\nexecd_workers 1\n");
    assert_has(&a, "\nexecd_worker_cpu_ratio{worker=\"host:\\\"7\\\\\"} 0.25\n");
    assert_has(&a, "\nexecd_worker_memory_bytes{worker=\"host:\\\"7\\\\\"} 4096\n");
    assert_has(&a, "\nexecd_warm_runtimes{worker=\"host:\\\"7\\\\\",language=\"71\",state=\"idle\"} 2\n");
    assert_has(&a, "\nexecd_warm_memory_bytes{worker=\"host:\\\"7\\\\\",language=\"71\"} 4097\n");
    assert_has(&a, "\nexecd_warm_steps_total{worker=\"host:\\\"7\\\\\",language=\"71\",way=\"service\"} 8\n");
    assert_has(&a, "\nexecd_warm_steps_total{worker=\"host:\\\"7\\\\\",language=\"71\",way=\"preboot\"} 0\n");
    assert_has(&a,
               "\nexecd_warm_fallbacks_total{worker=\"host:\\\"7\\\\\",language=\"71\",reason=\"died\"} 9\n");
    assert_has(&a, "\nexecd_job_success_ratio{language=\"71\"} 1.000000\n");
    assert_has(&a, "\nexecd_job_execution_seconds_bucket{language=\"71\",le=\"0.01\"} 0\n");
    assert_has(&a, "\nexecd_job_execution_seconds_bucket{language=\"71\",le=\"0.025\"} 1\n");
    assert_has(&a, "\nexecd_job_execution_seconds_bucket{language=\"71\",le=\"+Inf\"} 1\n");
    assert_has(&a, "\nexecd_job_execution_seconds_count{language=\"71\"} 1\n");
    assert_has(&a, "\nexecd_language_info{language=\"71\",name=\"Python\",version=\"Python (3.11.2)\"} 1\n");
    assert_has(&a, "\nexecd_redis_up 1\n");
    for (rest = a.body.data; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '\0' && line[0] != '#')
            assert_metric_line(line);
    }
    answer_done(&a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_index_and_unknown),  TEST(test_headers),
        TEST(test_batch_to_result),    TEST(test_problems),
        TEST(test_wait_is_woken),      TEST(test_wait_ends),
        TEST(test_wait_outlasts_idle), TEST(test_too_many_wait),
        TEST(test_client_leaves),      TEST(test_cancel),
        TEST(test_languages),          TEST(test_health),
        TEST(test_full_queue),         TEST(test_metrics),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
