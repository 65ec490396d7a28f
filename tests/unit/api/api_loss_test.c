/* api_loss_test.c - Redis away, the API paused, the API gone in the middle of everything. */
#include "api_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#define GOOD "{\"source_code\":\"print(1)\",\"language_id\":71}"

static void test_redis_away(void **state)
{
    struct fixture *fx = *state;
    struct store_options so = {.url = "unix:/nonexistent/redis.sock",
                               .lease_ms = 1000,
                               .max_attempts = 1,
                               .result_ttl_ms = 1000,
                               .queue_max_jobs = 1,
                               .queue_max_bytes = 1};
    struct err err = {0};
    struct answer a;

    assert_int_equal(store_open(fx->loop, &so, &fx->store, &err), 0);
    fixture_open(fx);
    http(fx, &a, "GET", "/livez", NULL, NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    http(fx, &a, "GET", "/readyz", NULL, NULL);
    assert_int_equal(a.status, 503);
    answer_done(&a);
    http(fx, &a, "GET", "/health", NULL, NULL);
    assert_int_equal(a.status, 503);
    assert_has(&a, "redis");
    answer_done(&a);
    http(fx, &a, "GET", "/metrics", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\nexecd_redis_up 0\n");
    assert_has_not(&a, "execd_queue_length");
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/00000000-0000-4000-8000-000000000000", NULL, NULL);
    assert_int_equal(a.status, 503);
    assert_true(a.retry_after_s > 0);
    answer_done(&a);
    http(fx, &a, "GET", "/v1/jobs/00000000-0000-4000-8000-000000000000?wait=1", NULL, NULL);
    assert_int_equal(a.status, 503);
    answer_done(&a);
    http(fx, &a, "DELETE", "/v1/jobs/00000000-0000-4000-8000-000000000000", NULL, NULL);
    assert_int_equal(a.status, 503);
    answer_done(&a);
}

/* Two requests on one connection, the second one after api_pause(). */
static void test_pause(void **state)
{
    static const char first[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char second[] =
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 43\r\n\r\n" GOOD;
    struct fixture *fx = *state;
    char token[UUID_SIZE], path[80], text[4096];
    struct store_claim claim;
    struct answer waiting, a;
    ssize_t n;
    int fd;

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http_begin(fx, &waiting, "GET", path, NULL, NULL);
    claim = worker_claim(fx);
    fd = raw_connect(fx);
    assert_int_equal(write(fd, first, strlen(first)), strlen(first));
    do { /* the server has seen it when its answer is there */
        http(fx, &a, "GET", "/livez", NULL, NULL);
        answer_done(&a);
    } while ((n = recv(fd, text, sizeof(text), MSG_DONTWAIT)) < 0);
    assert_false(waiting.done);
    api_pause(fx->api);
    assert_int_equal(write(fd, second, strlen(second)), strlen(second));
    worker_finish(fx, &claim, "finished");
    job_free(claim.job);
    fixture_spin(fx, &waiting.done); /* what waits gets its answer */
    assert_int_equal(waiting.status, 200);
    assert_has(&waiting, "finished");
    answer_done(&waiting);
    for (size_t len = 0; len < 12;) {
        worker_beat(fx, "w"); /* turns the loop */
        n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
        assert_true(n != 0 || len > 0);
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
    }
    assert_memory_equal(text, "HTTP/1.1 503", 12);
    close(fd);
}

static void drained(void *arg)
{
    struct fixture *fx = arg;

    fx->flag = true;
    loop_stop(fx->loop);
}

/* The end of the process does not cut an answer off: what waits is told how things are. */
static void test_drain(void **state)
{
    struct fixture *fx = *state;
    struct answer waiting;
    char token[UUID_SIZE], path[80];

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http_begin(fx, &waiting, "GET", path, NULL, NULL);
    while (fx->api->call_count == 0)
        worker_beat(fx, "w");
    api_pause(fx->api);
    fx->flag = false;
    api_drain(fx->api, drained, fx);
    fixture_spin(fx, &fx->flag);
    api_free(fx->api);
    fx->api = NULL;
    fixture_spin(fx, &waiting.done);
    assert_int_equal(waiting.status, 200);
    assert_has(&waiting, "\"queued\"");
    answer_done(&waiting);
}

/* Everything at once is under way when the API goes: nothing may be touched later (the sanitizers look). */
static void test_free_in_the_middle(void **state)
{
    struct fixture *fx = *state;
    struct answer waiting[4], a;
    char token[UUID_SIZE], path[80];

    fixture_open(fx);
    submit(fx, NULL, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http_begin(fx, &waiting[0], "GET", path, NULL, NULL);
    http_begin(fx, &waiting[1], "POST", "/v1/jobs?wait=60", NULL, GOOD);
    do {
        http(fx, &a, "GET", "/metrics", NULL, NULL);
        fx->flag = strstr(a.body.data, "\nexecd_http_requests_open 3\n") != NULL;
        answer_done(&a);
    } while (!fx->flag);
    api_free(fx->api); /* store and client go in the teardown */
    fx->api = NULL;
    net_client_free(fx->client);
    fx->client = NULL;
    answer_done(&waiting[0]);
    answer_done(&waiting[1]);
}

static void turned(void *arg)
{
    loop_stop(arg);
}

/* The API goes in the very turn in which a question was put to Redis. */
static void test_free_while_asking(void **state)
{
    struct fixture *fx = *state;
    static const char *const requests[] = {
        "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 43\r\n\r\n" GOOD,
        "DELETE /v1/jobs/00000000-0000-4000-8000-000000000000 HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    int fds[COUNT_OF(requests)];

    fixture_open(fx);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        fds[i] = raw_connect(fx);
        assert_int_equal(write(fds[i], requests[i], strlen(requests[i])), strlen(requests[i]));
    }
    while (fx->api->call_count == 0) {
        loop_post(fx->loop, turned, fx->loop);
        loop_run(fx->loop);
    }
    api_free(fx->api);
    fx->api = NULL;
    worker_beat(fx, "w"); /* their answers come before this one */
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        close(fds[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_redis_away),        TEST(test_pause), TEST(test_drain), TEST(test_free_in_the_middle),
        TEST(test_free_while_asking),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
