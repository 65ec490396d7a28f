/* api_keys_test.c - API keys: who is let in, and whose jobs are seen. */
#include "api_fixture.h"

#define KEY_A "a-key-of-the-tests-0123456789"
#define KEY_B "b-key-of-the-tests-0123456789"
#define A_BEARER "Authorization: Bearer " KEY_A
#define B_TOKEN "X-Auth-Token: " KEY_B

static int setup(void **state)
{
    struct fixture *fx;

    if (fixture_setup(state) != 0)
        return -1;
    fx = *state;
    fx->conf->keys = mem_zero(2, sizeof(*fx->conf->keys));
    fx->conf->key_count = 2;
    fx->conf->keys[0] = (struct conf_key){.name = mem_dup("a"), .key = mem_dup(KEY_A)};
    fx->conf->keys[1] = (struct conf_key){.name = mem_dup("b"), .key = mem_dup(KEY_B)};
    fixture_open(fx);
    return 0;
}

static void test_refused(void **state)
{
    static const char *const headers[] = {
        NULL,
        "Authorization: Bearer",
        "Authorization: Bearer x",
        "Authorization: Basic " KEY_A,
        "Authorization: " KEY_A,
        "Authorization: Bearer " KEY_A "x",
        "Authorization: Bearer a-key-of-the-tests-012345678",
        "X-Auth-Token: A-key-of-the-tests-0123456789",
        "X-Auth-Token: x",
    };
    static const char *const paths[] = {"/", "/v1/jobs/00000000-0000-4000-8000-000000000000", "/languages",
                                        "/metrics", "/nowhere"};
    struct fixture *fx = *state;
    struct answer a;
    char *text;

    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        for (size_t k = 0; k < COUNT_OF(paths); k++) {
            http(fx, &a, "GET", paths[k], headers[i], NULL);
            if (a.status != 401)
                fail_msg("%s with %s: status %d", paths[k], headers[i], a.status);
            answer_done(&a);
        }
    }
    text = raw(fx, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strcasestr(text, "\r\nWWW-Authenticate: Bearer"));
    assert_non_null(strcasestr(text, "\r\nContent-Type: application/problem+json\r\n"));
    free(text);
}

static void test_open_routes(void **state)
{
    static const char *const paths[] = {"/livez", "/readyz", "/health"};
    struct fixture *fx = *state;
    struct answer a;

    worker_beat(fx, "w");
    for (size_t k = 0; k < COUNT_OF(paths); k++) {
        http(fx, &a, "GET", paths[k], NULL, NULL);
        assert_true(a.status == 200 || a.status == 503); /* health may be a second old */
        answer_done(&a);
    }
}

static void test_accepted(void **state)
{
    static const char *const headers[] = {A_BEARER, "authorization: bearer  " KEY_A, "X-Auth-Token: " KEY_A,
                                          B_TOKEN};
    struct fixture *fx = *state;
    struct answer a;

    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        http(fx, &a, "GET", "/languages", headers[i], NULL);
        assert_int_equal(a.status, 200);
        answer_done(&a);
    }
}

static void test_tenants(void **state)
{
    struct fixture *fx = *state;
    struct store_claim claim;
    char path[80], token[UUID_SIZE];
    struct answer a;

    submit(fx, A_BEARER, token);
    snprintf(path, sizeof(path), "/v1/jobs/%s?wait=60", token);
    http(fx, &a, "GET", path, B_TOKEN, NULL); /* at once, as for a token that nobody has */
    assert_int_equal(a.status, 404);
    answer_done(&a);
    http(fx, &a, "DELETE", path, B_TOKEN, NULL);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    claim = worker_claim(fx);
    assert_string_equal(claim.job->tenant, "a");
    worker_finish(fx, &claim, "hidden");
    job_free(claim.job);
    http(fx, &a, "GET", path, B_TOKEN, NULL);
    assert_int_equal(a.status, 404);
    assert_has_not(&a, "hidden");
    answer_done(&a);
    http(fx, &a, "GET", path, A_BEARER, NULL);
    assert_int_equal(a.status, 200);
    assert_has(&a, "hidden");
    answer_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_open_routes, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_accepted, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_tenants, setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
