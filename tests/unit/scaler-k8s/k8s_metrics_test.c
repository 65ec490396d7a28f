/* k8s_metrics_test.c - cpu from metrics.k8s.io, asked for only where a worker does not tell its own; a host
 * of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s.h"

static uint64_t now = 1000000;
static char path[256]; /* of the last request */
static int asked;
static k8s_call_fn answer;
static void *answer_arg;
static struct k8s_call *const pending = (struct k8s_call *)&now; /* never looked into */

static uint64_t test_now(struct execd_ctx *ctx)
{
    (void)ctx;
    return now;
}

static void test_log(struct execd_ctx *ctx, int32_t level, const char *fmt, ...)
{
    (void)ctx;
    (void)level;
    (void)fmt;
}

static const struct execd_host host = {.size = sizeof(host), .now_ms = test_now, .log = test_log};

/* ---- k8s_call.c's, answered by the test ---------------------------------------------------------- */

struct k8s_call *k8s_call(struct k8s_client *c, const struct k8s_request *r, k8s_call_fn fn, void *arg,
                          char why[K8S_WHY])
{
    (void)c;
    (void)why;
    asked++;
    snprintf(path, sizeof(path), "%s", r->path);
    answer = fn;
    answer_arg = arg;
    return pending;
}

void k8s_call_cancel(struct k8s_call *call)
{
    (void)call;
}

static void say(enum k8s_fault fault, const char *json)
{
    cJSON *o = cJSON_Parse(json);

    answer(answer_arg, fault, o, fault == K8S_FINE ? NULL : "it is not there");
    cJSON_Delete(o);
}

/* ---- tests ------------------------------------------------------------------------------------------ */

static struct k8s k;
static struct execd_worker workers[2] = {{.id = "w-1:7:0", .cpu_millis = 5, .cpu_millis_max = 1000},
                                         {.id = "w-2:8:0"}};
static const struct execd_observation o = {
    .size = sizeof(o), .workers = workers, .worker_count = 2, .worker_stride = sizeof(workers[0])};

static int setup(void **state)
{
    static const char *const pods[] = {"{\"metadata\":{\"name\":\"w-1\"}}",
                                       "{\"metadata\":{\"name\":\"w-2\"},\"spec\":{\"containers\":[{"
                                       "\"resources\":{\"limits\":{\"cpu\":\"2\"}}}]}}"};

    (void)state;
    k = (struct k8s){.client = {.host = &host}, .metrics_on = true, .metrics_path = strdup("/metrics")};
    k.watch.selector = strdup("app%3Dw");
    for (size_t i = 0; i < 2; i++) {
        cJSON *pod = cJSON_Parse(pods[i]);

        assert_true(k8s_pods_put(&k.watch.pods, pod, NULL, NULL));
        cJSON_Delete(pod);
    }
    asked = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    k8s_pods_clear(&k.watch.pods);
    free(k.metrics_path);
    free(k.watch.selector);
    free(k.patched);
    return 0;
}

static const struct execd_worker *filled(uint32_t i)
{
    return &k8s_metrics_fill(&k, &o).workers[i];
}

static void test_who_does_not_tell(void **state)
{
    (void)state;
    k8s_metrics_read(&k); /* nobody has looked yet */
    assert_int_equal(asked, 0);
    assert_int_equal(filled(1)->cpu_millis_max, 0);
    k8s_metrics_read(&k);
    k8s_metrics_read(&k); /* one at a time */
    assert_int_equal(asked, 1);
    assert_string_equal(path, "/metrics?labelSelector=app%3Dw");
    say(K8S_FINE,
        "{\"items\":[{\"metadata\":{\"name\":\"w-2\"},\"containers\":[{\"usage\":{\"cpu\":\"250m\"}},"
        "{\"usage\":{\"cpu\":\"1234567n\"}}]},{\"metadata\":{\"name\":\"other\"}}]}");
    assert_int_equal(filled(1)->cpu_millis, 252);
    assert_int_equal(filled(1)->cpu_millis_max, 2000);
    assert_int_equal(filled(0)->cpu_millis, 5); /* who tells it is believed */
    assert_int_equal(workers[1].cpu_millis_max, 0);
    now += 14000;
    k8s_metrics_read(&k);
    assert_int_equal(asked, 1);
    now += 2000;
    k8s_metrics_read(&k);
    assert_int_equal(asked, 2);
    say(K8S_UNREACHED, "null");
    now += 120000; /* what is so old says nothing */
    assert_int_equal(filled(1)->cpu_millis_max, 0);
}

static void test_no_metrics_server(void **state)
{
    (void)state;
    filled(1);
    k8s_metrics_read(&k);
    say(K8S_MISSING, "null");
    now += 60000;
    k8s_metrics_read(&k);
    assert_int_equal(asked, 1);
    now += 300000;
    k8s_metrics_read(&k);
    assert_int_equal(asked, 2);
    say(K8S_FINE,
        "{\"items\":[{\"metadata\":{\"name\":\"w-2\"},\"containers\":[{\"usage\":{\"cpu\":\"x\"}}]}]}");
    assert_int_equal(filled(1)->cpu_millis_max, 0);
}

static void test_all_tell(void **state)
{
    (void)state;
    workers[1].cpu_millis_max = 1;
    filled(1);
    k8s_metrics_read(&k);
    assert_int_equal(asked, 0);
    workers[1].cpu_millis_max = 0;
    k.metrics_on = false;
    filled(1);
    k8s_metrics_read(&k);
    assert_int_equal(asked, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_who_does_not_tell),
        TEST(test_no_metrics_server),
        TEST(test_all_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
