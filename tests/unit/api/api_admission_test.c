/* api_admission_test.c - Idempotency-Key, rates, bounds of a key, dead letters: what a client hears of them.
 */
#include "api_fixture.h"

#include <signal.h>
#include <strings.h>

#define KEY_A "a-key-of-the-tests-0123456789"
#define KEY_B "b-key-of-the-tests-0123456789"
#define ONE "{\"source_code\":\"print(1)\",\"language_id\":71}"
#define TWO "{\"source_code\":\"print(2)\",\"language_id\":71}"
#define BATCH(a, b) "{\"submissions\":[" a "," b "]}"
#define IDEM "Idempotency-Key: \"8e03978e-40d5-43dd-bc93-6894a57f9324\""

/* A request with these headers (each ended by CR LF); the whole answer, the caller's. */
static char *ask(struct fixture *fx, const char *path, const char *headers, const char *body)
{
    CLEAN_FREE char *text =
        mem_printf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                   "%sContent-Length: %zu\r\n\r\n%s",
                   path, headers, strlen(body), body);

    return raw(fx, text);
}

static int status_of(const char *answer)
{
    assert_int_equal(strncmp(answer, "HTTP/1.1 ", 9), 0);
    return (int)strtol(answer + 9, NULL, 10);
}

/* The value of a header, up to the end of its line; NULL if it is not there. */
static const char *header_of(const char *answer, const char *name)
{
    static char value[256];
    const char *end = strstr(answer, "\r\n\r\n");

    for (const char *p = answer; (p = strstr(p, "\r\n")) != NULL && p < end;) {
        p += 2;
        if (strncasecmp(p, name, strlen(name)) == 0 && strncmp(p + strlen(name), ": ", 2) == 0) {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(p + strlen(name) + 2, "\r"),
                     p + strlen(name) + 2);
            return value;
        }
    }
    return NULL;
}

static uint64_t number_of(const char *answer, const char *name)
{
    const char *value = header_of(answer, name);

    assert_non_null(value);
    return strtoull(value, NULL, 10);
}

static void assert_accepted(struct fixture *fx, uint64_t count)
{
    char line[80];
    struct answer a;
    bool same;

    snprintf(line, sizeof(line), "\nexecd_jobs_accepted_total %llu\n", (unsigned long long)count);
    do { /* what is told may be a second old */
        http(fx, &a, "GET", "/metrics", "X-Auth-Token: " KEY_A, NULL);
        same = strstr(a.body.data, line) != NULL;
        answer_done(&a);
    } while (!same);
}

/* ---- Idempotency-Key ---------------------------------------------------------------- */

static void test_same_tokens(void **state)
{
    static const char *const paths[] = {"/v1/jobs", "/submit/batch"};
    static const char *const keys[] = {"one", "two"};
    struct fixture *fx = *state;
    char header[80], first[UUID_SIZE], again[UUID_SIZE];

    fixture_open(fx);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const char *body = i == 0 ? ONE : BATCH(ONE, TWO);
        struct answer a;

        snprintf(header, sizeof(header), "Idempotency-Key: \"%s\"", keys[i]);
        http(fx, &a, "POST", paths[i], header, body);
        assert_int_equal(a.status, 202);
        token_of(&a, first);
        for (int k = 0; k < 3; k++) {
            struct answer b;

            http(fx, &b, "POST", paths[i], header, body);
            assert_int_equal(b.status, 202);
            assert_string_equal(a.body.data, b.body.data);
            token_of(&b, again);
            assert_string_equal(first, again);
            answer_done(&b);
        }
        answer_done(&a);
    }
    assert_accepted(fx, 3);
}

static void test_repeated_with_wait(void **state)
{
    struct fixture *fx = *state;
    struct store_claim claim;
    char token[UUID_SIZE];
    struct answer a;
    char *text;

    fixture_open(fx);
    submit(fx, IDEM, token);
    claim = worker_claim(fx);
    worker_finish(fx, &claim, "again");
    job_free(claim.job);
    http(fx, &a, "POST", "/v1/jobs?wait=60", IDEM, ONE); /* how one waits is no part of the request */
    assert_int_equal(a.status, 200);
    assert_has(&a, token);
    assert_has(&a, "\"status\":\"completed\"");
    answer_done(&a);
    text = ask(fx, "/v1/jobs", IDEM "\r\n", ONE);
    assert_string_equal(header_of(text, "Location") + strlen("/v1/jobs/"), token);
    free(text);
}

static void test_another_request_with_the_key(void **state)
{
    static const struct {
        const char *path, *body;
    } others[] = {{"/v1/jobs", TWO}, {"/v1/jobs", ONE " "}, {"/submit/batch", BATCH(ONE, TWO)}};
    struct fixture *fx = *state;
    char token[UUID_SIZE];
    struct answer a;

    fixture_open(fx);
    submit(fx, IDEM, token);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        http(fx, &a, "POST", others[i].path, IDEM, others[i].body);
        assert_int_equal(a.status, 422);
        assert_has(&a, "urn:execd:problem:idempotency-key-reused");
        assert_has(&a, "\"field\":\"Idempotency-Key\"");
        answer_done(&a);
    }
    assert_accepted(fx, 1);
}

static void test_malformed_keys(void **state)
{
    static const char *const bad[] = {
        "",        "\"\"",       "abc",          "\"abc",  "abc\"",  "\"a\"b\"", "'abc'", "\"a\\\"",
        "\"\\a\"", "\"a\"; b=1", "\"a\", \"b\"", "\"\t\"", ":YWJj:", "5",        "?1",    "\"\xc3\xa4\""};
    static const char *const good[] = {"\"a\"", "\"a\\\"b\"", " \"\\\\\" ", "\"~ !\""};
    struct fixture *fx = *state;
    CLEAN_FREE char *longest = mem_printf("%0255d", 0), *longer = mem_printf("%0256d", 0);
    char header[400], *text;

    fixture_open(fx);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(header, sizeof(header), "Idempotency-Key: %s\r\n", bad[i]);
        text = ask(fx, "/v1/jobs", header, ONE);
        if (status_of(text) != 400 || strstr(text, "urn:execd:problem:invalid-idempotency-key") == NULL)
            fail_msg("%s: %s", header, text);
        free(text);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        snprintf(header, sizeof(header), "Idempotency-Key: %s\r\n", good[i]);
        text = ask(fx, "/v1/jobs", header, ONE);
        assert_int_equal(status_of(text), 202);
        free(text);
    }
    snprintf(header, sizeof(header), "Idempotency-Key: \"%s\"\r\n", longest);
    text = ask(fx, "/v1/jobs", header, ONE);
    assert_int_equal(status_of(text), 202);
    free(text);
    snprintf(header, sizeof(header), "Idempotency-Key: \"%s\"\r\n", longer);
    text = ask(fx, "/v1/jobs", header, ONE);
    assert_int_equal(status_of(text), 400);
    free(text);
    assert_accepted(fx, COUNT_OF(good) + 1);
}

/* While nobody knows what became of the first, the second is told so. */
static void test_the_first_is_under_way(void **state)
{
    struct fixture *fx = *state;
    pid_t redis = store_embedded_pid(fx->redis);
    struct answer first, second;

    fixture_open(fx);
    kill(redis, SIGSTOP);
    http_begin(fx, &first, "POST", "/v1/jobs", IDEM, ONE);
    while (TAILQ_EMPTY(&fx->api->submitting)) {
        struct answer a;

        http(fx, &a, "GET", "/livez", NULL, NULL);
        answer_done(&a);
    }
    http(fx, &second, "POST", "/v1/jobs", IDEM, ONE);
    kill(redis, SIGCONT);
    assert_int_equal(second.status, 409);
    assert_has(&second, "urn:execd:problem:idempotency-key-in-use");
    fixture_spin(fx, &first.done);
    assert_int_equal(first.status, 202);
    assert_true(TAILQ_EMPTY(&fx->api->submitting));
    answer_done(&first);
    answer_done(&second);
}

/* The client left before the answer: the key is free again, and the job is there. */
static void test_the_first_client_leaves(void **state)
{
    struct fixture *fx = *state;
    pid_t redis = store_embedded_pid(fx->redis);
    CLEAN_FREE char *text =
        mem_printf("POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" IDEM
                   "\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n" ONE,
                   strlen(ONE));
    char token[UUID_SIZE];
    struct answer a;
    int fd;

    fixture_open(fx);
    kill(redis, SIGSTOP);
    fd = raw_connect(fx);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    while (TAILQ_EMPTY(&fx->api->submitting)) {
        http(fx, &a, "GET", "/livez", NULL, NULL);
        answer_done(&a);
    }
    close(fd);
    http(fx, &a, "GET", "/livez", NULL, NULL);
    answer_done(&a);
    kill(redis, SIGCONT);
    while (!TAILQ_EMPTY(&fx->api->submitting)) {
        http(fx, &a, "GET", "/livez", NULL, NULL);
        answer_done(&a);
    }
    submit(fx, IDEM, token);
    assert_accepted(fx, 1);
}

/* ---- bounds and rates ---------------------------------------------------------------------- */

static void with_keys(struct fixture *fx, const struct conf_key *a, const struct conf_key *b)
{
    fx->conf->keys = mem_zero(2, sizeof(*fx->conf->keys));
    fx->conf->key_count = 2;
    fx->conf->keys[0] = *a;
    fx->conf->keys[1] = *b;
    fx->conf->keys[0].name = mem_dup("a");
    fx->conf->keys[0].key = mem_dup(KEY_A);
    fx->conf->keys[1].name = mem_dup("b");
    fx->conf->keys[1].key = mem_dup(KEY_B);
    fixture_open(fx);
}

#define AS_A "X-Auth-Token: " KEY_A "\r\n"
#define AS_B "X-Auth-Token: " KEY_B "\r\n"

static void test_rate_headers(void **state)
{
    const struct conf_key a = {.rate = 30, .burst = 3}, b = {.rate = 0};
    struct fixture *fx = *state;
    char *text;

    with_keys(fx, &a, &b);
    text = ask(fx, "/v1/jobs", AS_A, ONE);
    assert_int_equal(status_of(text), 202);
    assert_string_equal(header_of(text, "RateLimit-Policy"), "\"jobs\";q=3;w=6;qu=\"jobs\"");
    assert_string_equal(header_of(text, "RateLimit"), "\"jobs\";r=2;t=2");
    free(text);
    text = ask(fx, "/submit/batch", AS_A, BATCH(ONE, TWO));
    assert_int_equal(status_of(text), 202);
    free(text);
    text = ask(fx, "/submit/batch", AS_A, BATCH(ONE, TWO));
    assert_int_equal(status_of(text), 429);
    assert_non_null(strstr(text, "urn:execd:problem:quota-exceeded"));
    assert_in_range(number_of(text, "Retry-After"), 1, 4);
    assert_int_equal(strncmp(header_of(text, "RateLimit"), "\"jobs\";r=0;t=", 13), 0);
    assert_non_null(header_of(text, "RateLimit-Policy"));
    free(text);
    for (int i = 0; i < 5; i++) {
        text = ask(fx, "/v1/jobs", AS_B, ONE);
        assert_int_equal(status_of(text), 202);
        assert_null(header_of(text, "RateLimit"));
        free(text);
    }
    assert_accepted(fx, 8);
}

static void test_bounds_of_a_key(void **state)
{
    const struct conf_key a = {.max_jobs = 2}, b = {.weight = 2};
    struct fixture *fx = *state;
    char *text;

    with_keys(fx, &a, &b);
    text = ask(fx, "/submit/batch", AS_A, BATCH(ONE, TWO));
    assert_int_equal(status_of(text), 202);
    free(text);
    text = ask(fx, "/v1/jobs", AS_A, ONE);
    assert_int_equal(status_of(text), 503);
    assert_non_null(strstr(text, "urn:execd:problem:queue-full"));
    assert_non_null(strstr(text, "for this key"));
    assert_int_equal(number_of(text, "Retry-After"), 60); /* nothing has left the queue: nobody knows */
    free(text);
    text = ask(fx, "/v1/jobs", AS_B, ONE);
    assert_int_equal(status_of(text), 202);
    free(text);
}

/* The keys' own: the same one is another's. */
static void test_keys_are_apart(void **state)
{
    const struct conf_key plain = {.weight = 1};
    struct fixture *fx = *state;
    char *text, *other;

    with_keys(fx, &plain, &plain);
    text = ask(fx, "/v1/jobs", AS_A IDEM "\r\n", ONE);
    other = ask(fx, "/v1/jobs", AS_B IDEM "\r\n", TWO);
    assert_int_equal(status_of(text), 202);
    assert_int_equal(status_of(other), 202);
    assert_string_not_equal(strstr(text, "\"token\""), strstr(other, "\"token\""));
    free(text);
    free(other);
}

/* ---- dead letters --------------------------------------------------------------------------------- */

struct reaping {
    struct fixture *fx;
    bool answered;
    size_t count;
};

static void note_reaped(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    struct reaping *r = arg;

    (void)overdue;
    assert_null(err);
    r->count = recovered;
    r->answered = true;
    loop_stop(r->fx->loop);
}

/* The lease of what the worker holds is over, as often as it may be. */
static void lose_workers(struct fixture *fx, int times)
{
    for (int i = 0; i < times; i++) {
        struct store_claim c = worker_claim(fx);
        struct reaping r;

        job_free(c.job);
        do {
            r = (struct reaping){.fx = fx};
            store_reap(fx->store, note_reaped, &r);
            fixture_spin(fx, &r.answered);
        } while (r.count == 0);
    }
}

static void test_dead_letters(void **state)
{
    struct fixture *fx = *state;
    char token[UUID_SIZE], again[UUID_SIZE], path[80];
    struct answer a;

    fx->lease_ms = 1;
    fixture_open(fx);
    http(fx, &a, "GET", "/v1/dead", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body.data, "{\"total\":0,\"jobs\":[]}");
    answer_done(&a);
    submit(fx, NULL, token);
    lose_workers(fx, 3);
    http(fx, &a, "GET", "/v1/dead?limit=5", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "{\"total\":1,\"jobs\":[{\"token\":");
    assert_has(&a, token);
    assert_has(&a, "\"language_id\":71");
    assert_has(&a, "\"attempts\":3");
    assert_has_not(&a, "print(1)");
    answer_done(&a);
    http(fx, &a, "GET", "/v1/dead?limit=x", NULL, NULL);
    assert_int_equal(a.status, 422);
    assert_has(&a, "\"field\":\"limit\"");
    answer_done(&a);
    snprintf(path, sizeof(path), "/v1/dead/%s", token);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "\"source_code\":\"print(1)\"");
    answer_done(&a);
    http(fx, &a, "POST", path, NULL, "");
    assert_int_equal(a.status, 202);
    token_of(&a, again);
    answer_done(&a);
    assert_string_not_equal(token, again);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    snprintf(path, sizeof(path), "/v1/jobs/%s", token); /* what has ended stays ended */
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"status\":\"internal_error\"");
    answer_done(&a);
    snprintf(path, sizeof(path), "/v1/jobs/%s", again);
    http(fx, &a, "GET", path, NULL, NULL);
    assert_has(&a, "\"status\":\"queued\"");
    answer_done(&a);
    assert_accepted(fx, 2);
}

static void note_refused(void *arg, const struct err *err)
{
    struct reaping *r = arg;

    assert_int_equal(err->code, ERR_CONFLICT);
    r->answered = true;
    loop_stop(r->fx->loop);
}

/* A worker that was given up comes with its result: it is thrown away, and told of. */
static void test_late_results(void **state)
{
    struct job_result late = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct fixture *fx = *state;
    struct reaping r = {.fx = fx};
    char token[UUID_SIZE];
    struct answer a;
    bool told;

    fx->lease_ms = 1;
    fixture_open(fx);
    submit(fx, NULL, token);
    lose_workers(fx, 1);
    job_result_add(&late)->status = JOB_COMPLETED;
    store_finish(fx->store, "worker", token, 1, &late, NULL, 0, note_refused, &r);
    fixture_spin(fx, &r.answered);
    job_result_done(&late);
    do {
        http(fx, &a, "GET", "/metrics", NULL, NULL);
        told = strstr(a.body.data, "\nexecd_results_late_total 1\n") != NULL &&
               strstr(a.body.data, "\nexecd_jobs_dead_total 0\n") != NULL;
        answer_done(&a);
    } while (!told);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_same_tokens),    TEST(test_repeated_with_wait),     TEST(test_another_request_with_the_key),
        TEST(test_malformed_keys), TEST(test_the_first_is_under_way), TEST(test_the_first_client_leaves),
        TEST(test_rate_headers),   TEST(test_bounds_of_a_key),        TEST(test_keys_are_apart),
        TEST(test_dead_letters),   TEST(test_late_results),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
