/* k8s_parts_test.c - scaler-k8s without a server: kubeconfigs, service accounts, quantities, pods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "k8s.h"

static char dir[64];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/execd-k8s-test-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

static const char *put(const char *name, const char *text)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

/* ---- kubeconfig ------------------------------------------------------------------------------ */

#define HEAD "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
#define CONTEXTS "contexts:\n- name: here\n  context: {cluster: c, user: u, namespace: jobs}\n"
#define CLUSTER "clusters:\n- name: c\n  cluster:\n    server: https://10.0.0.1:6443/\n"
#define USER "users:\n- name: u\n  user:\n"

static bool load(const char *text, struct k8s_config *c, char why[K8S_WHY])
{
    *c = (struct k8s_config){0};
    why[0] = '\0';
    return k8s_config_kubeconfig(c, put("config", text), NULL, why);
}

static void test_kubeconfig(void **state)
{
    struct k8s_config c;
    char why[K8S_WHY];

    (void)state;
    put("key.pem", "KEY");
    put("token", "  secret\n");
    if (!load(HEAD CONTEXTS CLUSTER "    certificate-authority-data: Q0E=\n" USER
                                    "    client-certificate-data: Q0VSVA==\n"
                                    "    client-key: key.pem\n    tokenFile: token\n    token: unused\n",
              &c, why))
        fail_msg("%s", why);
    assert_string_equal(c.server, "https://10.0.0.1:6443");
    assert_string_equal(c.ns, "jobs");
    assert_string_equal(c.ca.text.ptr, "CA");
    assert_string_equal(c.cert.text.ptr, "CERT");
    assert_string_equal(c.key.text.ptr, "KEY"); /* relative to the kubeconfig */
    assert_string_equal(c.token.text.ptr, "secret");
    put("token", "rotated\n");
    assert_true(k8s_source_reload(&c.token, why));
    assert_false(k8s_source_reload(&c.token, why));
    assert_string_equal(c.token.text.ptr, "rotated");
    put("token", "\n"); /* as while it is replaced: the last good one stays */
    assert_false(k8s_source_reload(&c.token, why));
    assert_string_equal(c.token.text.ptr, "rotated");
    k8s_config_done(&c);
}

static void test_kubeconfig_as_json(void **state)
{
    struct k8s_config c;
    char why[K8S_WHY];

    (void)state;
    if (!load("{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\","
              "\"user\":\"u\"}}],"
              "\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://"
              "a\",\"insecure-skip-tls-verify\":false}}],"
              "\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}",
              &c, why))
        fail_msg("%s", why);
    assert_string_equal(c.ns, "default");
    assert_string_equal(c.token.text.ptr, "t");
    k8s_config_done(&c);
}

static void test_kubeconfigs_that_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"a: [", "config:2: did not find expected node content"},
        {"", "it has no current-context"},
        {HEAD, "it has no context here"},
        {HEAD CONTEXTS, "there is no cluster for context here"},
        {HEAD CONTEXTS "clusters:\n- {name: c, cluster: {}}\n", "the context's cluster has no server"},
        {HEAD CONTEXTS CLUSTER, "it has no user u"},
        {HEAD CONTEXTS CLUSTER "    insecure-skip-tls-verify: true\n" USER "    token: t\n",
         "not supported here: insecure-skip-tls-verify"},
        {HEAD CONTEXTS CLUSTER "    proxy-url: http://p\n" USER "    token: t\n",
         "not supported here: proxy-url"},
        {HEAD CONTEXTS CLUSTER USER "    exec: {command: aws}\n", "not supported here: exec"},
        {HEAD CONTEXTS CLUSTER USER "    as: somebody\n", "not supported here: as"},
        {HEAD CONTEXTS CLUSTER USER "    client-certificate-data: Q0E=\n",
         "one of client-certificate and client-key is missing"},
        {HEAD CONTEXTS CLUSTER USER "    client-key-data: '!'\n", "it is no base64: client-key-data"},
        {HEAD CONTEXTS CLUSTER USER "    tokenFile: nowhere\n", "there is no token in nowhere"},
        {HEAD CONTEXTS CLUSTER "    certificate-authority: nowhere.pem\n" USER "    token: t\n",
         "nowhere.pem: No such file or directory"},
        {HEAD CONTEXTS "clusters:\n- {name: c, cluster: {server: 'http://a'}}\n" USER "    token: t\n",
         "credentials are not sent without TLS"},
        {HEAD CONTEXTS "clusters:\n- {name: c, cluster: {server: 'ssh://a'}}\n" USER "    token: t\n",
         "no URL of http or https"},
    };
    struct k8s_config c;
    char why[K8S_WHY];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(load(cases[i].text, &c, why));
        if (strstr(why, cases[i].why) == NULL)
            fail_msg("%s\n  says: %s\n  not:  %s", cases[i].text, why, cases[i].why);
        assert_null(c.server);
    }
}

/* ---- the account of a pod ------------------------------------------------------------------------ */

static void test_in_cluster(void **state)
{
    struct k8s_config c = {0};
    char why[K8S_WHY];

    (void)state;
    unsetenv("KUBERNETES_SERVICE_HOST");
    assert_false(k8s_config_in_cluster(&c, dir, why));
    assert_non_null(strstr(why, "KUBERNETES_SERVICE_HOST"));
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    unsetenv("POD_NAMESPACE");
    unlink(put("token", ""));
    assert_false(k8s_config_in_cluster(&c, dir, why));
    assert_non_null(strstr(why, "token: No such file"));
    put("token", "abc\n");
    put("ca.crt", "CA\n");
    put("namespace", "jobs\n");
    if (!k8s_config_in_cluster(&c, dir, why))
        fail_msg("%s", why);
    assert_string_equal(c.server, "https://[fd00::1]:443");
    assert_string_equal(c.token.text.ptr, "abc");
    assert_string_equal(c.ns, "jobs");
    k8s_config_done(&c);
    setenv("POD_NAMESPACE", "other", 1);
    assert_true(k8s_config_in_cluster(&c, dir, why));
    assert_string_equal(c.ns, "other");
    k8s_config_done(&c);
}

/* ---- text ------------------------------------------------------------------------------------------ */

static void test_quantities(void **state)
{
    static const struct {
        const char *text;
        int64_t millis; /* -1: no quantity */
    } cases[] = {{"0", 0},
                 {"2", 2000},
                 {"250m", 250},
                 {"1.5", 1500},
                 {".5", 500},
                 {"5.", 5000},
                 {"+5", 5000},
                 {"123456789n", 124},
                 {"1n", 1},
                 {"1500u", 2},
                 {"1k", 1000000},
                 {"1Ki", 1024000},
                 {"7616Ki", INT64_C(7616) * 1024 * 1000},
                 {"1E3", 1000000},
                 {"1e3", 1000000},
                 {"1e-3", 1},
                 {"1E", INT64_MAX},
                 {"1Ei", INT64_MAX},
                 {"1P", INT64_C(1000000000000000000)},
                 {"1K", -1},
                 {"1e", -1},
                 {"", -1},
                 {".", -1},
                 {"m", -1},
                 {"1.2.3", -1},
                 {"1 ", -1},
                 {"1e99", -1},
                 {"9999999999999999999", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t millis = 0;
        const bool fine = k8s_quantity_millis(cases[i].text, &millis);

        if (fine != (cases[i].millis >= 0) || (fine && millis != cases[i].millis))
            fail_msg("%s: %d %lld", cases[i].text, fine, (long long)millis);
    }
}

static void test_base64_and_escapes(void **state)
{
    struct k8s_text t = {0};
    char *escaped;

    (void)state;
    assert_true(k8s_base64("YWJj\nZGU=", &t));
    assert_string_equal(t.ptr, "abcde");
    assert_true(k8s_base64("", &t));
    assert_int_equal(t.len, 0);
    assert_false(k8s_base64("YW-j", &t));
    assert_false(k8s_base64("YW=j", &t));
    k8s_text_done(&t);
    escaped = k8s_escape("app=execd,role in (a, b)&limit=\xc3");
    assert_string_equal(escaped, "app%3Dexecd%2Crole%20in%20%28a%2C%20b%29%26limit%3D%C3");
    free(escaped);
}

/* ---- pods ------------------------------------------------------------------------------------------- */

static void put_pod(struct k8s_pods *p, const char *json)
{
    cJSON *o = cJSON_Parse(json);

    assert_non_null(o);
    assert_true(k8s_pods_put(p, o, NULL, NULL));
    cJSON_Delete(o);
}

static void count_told(void *arg, const struct k8s_pod *pod)
{
    (void)pod;
    ++*(int *)arg;
}

static void test_pods(void **state)
{
    struct k8s_pods p = {0};
    struct k8s_pod *pod;
    int told = 0;
    cJSON *o;

    (void)state;
    k8s_pods_begin(&p);
    put_pod(&p,
            "{\"metadata\":{\"name\":\"w-7-abc\",\"annotations\":{\"" K8S_COST "\":\"" K8S_COST_FIRST "\"},"
            "\"ownerReferences\":[{\"uid\":\"no\"},{\"uid\":\"rs\",\"controller\":true}]},"
            "\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1500m\"}}},"
            "{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]},"
            "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}");
    put_pod(&p, "{\"metadata\":{\"name\":\"w-8\"},\"status\":{\"phase\":\"Pending\"}}");
    k8s_pods_end(&p);
    assert_int_equal(p.count, 2);
    pod = k8s_pods_of_worker(&p, "w-7-abc:12:0a0b0c0d");
    assert_non_null(pod);
    assert_true(pod->started && pod->ready && pod->costed && !pod->deleting);
    assert_string_equal(pod->owner, "rs");
    assert_int_equal(pod->cpu_max_millis, 2500);
    assert_int_equal(pod->ordinal, -1);
    pod = k8s_pods_by_name(&p, "w-8");
    assert_true(!pod->started && !pod->ready && !pod->costed);
    assert_int_equal(pod->ordinal, 8);
    assert_null(k8s_pods_of_worker(&p, "w-7-ab:12:0a0b0c0d"));
    assert_null(k8s_pods_of_worker(&p, "host"));
    assert_null(k8s_pods_of_worker(&p, ""));
    /* One that ends without our mark is told of, once. */
    o = cJSON_Parse("{\"metadata\":{\"name\":\"w-8\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
    assert_true(k8s_pods_put(&p, o, count_told, &told));
    assert_true(k8s_pods_put(&p, o, count_told, &told));
    assert_int_equal(told, 1);
    cJSON_Delete(o);
    assert_null(k8s_pods_of_worker(&p, "w-8:1:0"));
    /* A list that does not tell of it any more. */
    k8s_pods_begin(&p);
    put_pod(&p, "{\"metadata\":{\"name\":\"w-8\"}}");
    k8s_pods_end(&p);
    assert_int_equal(p.count, 1);
    o = cJSON_Parse("{\"metadata\":{\"name\":\"w-8\"}}");
    k8s_pods_remove(&p, o);
    k8s_pods_remove(&p, o);
    cJSON_Delete(o);
    assert_int_equal(p.count, 0);
    assert_null(p.tree);
}

static void test_pods_with_long_names(void **state)
{
    static const char name[] = "a-release-with-quite-a-long-name-execd-worker-5d4f6c8b9-x2x7k";
    struct k8s_pods p = {0};
    char json[128], worker[96];

    (void)state;
    for (int i = 0; i < 50; i++) {
        snprintf(json, sizeof(json), "{\"metadata\":{\"name\":\"%s%02d\"}}", name, i);
        put_pod(&p, json);
    }
    assert_int_equal(p.count, 50);
    /* A worker's name has the end of its host's name. */
    snprintf(worker, sizeof(worker), "%s07:123:00000001", name + strlen(name) + 2 - K8S_HOST);
    assert_string_equal(k8s_pods_of_worker(&p, worker)->name + strlen(name), "07");
    k8s_pods_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kubeconfig),
        cmocka_unit_test(test_kubeconfig_as_json),
        cmocka_unit_test(test_kubeconfigs_that_are_refused),
        cmocka_unit_test(test_in_cluster),
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_base64_and_escapes),
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_pods_with_long_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
