/* hook_rules_test.c - which addresses, which signature, which delay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hook_internal.h"

static void test_guard(void **state)
{
    static const char *const refused[] = {"127.0.0.1",
                                          "127.255.255.254",
                                          "0.0.0.0",
                                          "10.0.0.1",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.168.1.1",
                                          "169.254.169.254",
                                          "100.64.0.1",
                                          "192.0.2.1",
                                          "198.18.0.1",
                                          "198.51.100.7",
                                          "203.0.113.9",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "240.0.0.1",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fe80::1%eth0",
                                          "fc00::1",
                                          "fdff::1",
                                          "ff02::1",
                                          "2001:db8::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "::127.0.0.1",
                                          "64:ff9b::7f00:1",
                                          "64:ff9b::a9fe:a9fe",
                                          "2002:7f00:1::",
                                          "2002:a00:1::1",
                                          "2001:0:0:0:0:0:80ff:fffe" /* Teredo of 127.0.0.1 */,
                                          "2001:0:4136:e378:8000:63bf:f7f7:f7f7" /* Teredo of 8.8.8.8 */,
                                          "2002:808:808::1",
                                          "::ffff:0:127.0.0.1",
                                          "::ffff:0:a00:1",
                                          "2606:4700::5efe:a00:1",
                                          "2606:4700::200:5efe:7f00:1",
                                          "64:ff9b:1::808:808",
                                          "2001:20::1",
                                          "2001:1::1",
                                          "3fff::1",
                                          "5f00::1",
                                          "100::1",
                                          "100:0:0:1::1",
                                          "fec0::1",
                                          "168.63.129.16",
                                          "64:ff9b::168.63.129.16",
                                          "192.88.99.1",
                                          "192.31.196.1",
                                          "192.175.48.1",
                                          "192.0.0.192",
                                          "100.100.100.200",
                                          "not an address",
                                          ""};
    static const char *const allowed[] = {
        "1.1.1.1",          "172.32.0.1",           "11.0.0.1",
        "100.128.0.1",      "2606:4700::1111",      "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2001:4860:4860::8888", "2606:4700::5efe:808:808",
        "168.63.129.17",    "192.88.98.255"};
    const struct conf conf = {0};
    struct hook_guard g;
    struct err err = {0};

    (void)state;
    assert_int_equal(hook_guard_open(&g, &conf, &err), 0);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (hook_guard_allows(&g, refused[i]))
            fail_msg("%s is allowed", refused[i]);
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (!hook_guard_allows(&g, allowed[i]))
            fail_msg("%s is refused", allowed[i]);
}

static void test_guard_exceptions(void **state)
{
    char *networks[] = {(char *)(uintptr_t) "10.1.0.0/16", (char *)(uintptr_t) "fd00::/8",
                        (char *)(uintptr_t) "127.0.0.1"};
    char *bad[] = {(char *)(uintptr_t) "10.1.0.0/33"};
    struct conf conf = {.hook_allow_networks = networks, .hook_allow_network_count = 3};
    struct hook_guard g;
    struct err err = {0};

    (void)state;
    assert_int_equal(hook_guard_open(&g, &conf, &err), 0);
    assert_true(hook_guard_allows(&g, "10.1.255.1"));
    assert_false(hook_guard_allows(&g, "10.2.0.1"));
    assert_true(hook_guard_allows(&g, "fdab::1"));
    assert_true(hook_guard_allows(&g, "127.0.0.1"));
    assert_false(hook_guard_allows(&g, "127.0.0.2"));
    conf.hook_allow_private = true;
    assert_int_equal(hook_guard_open(&g, &conf, &err), 0);
    assert_true(hook_guard_allows(&g, "192.168.1.1"));
    assert_false(hook_guard_allows(&g, "nonsense"));
    conf.hook_allow_networks = bad;
    conf.hook_allow_network_count = 1;
    assert_int_equal(hook_guard_open(&g, &conf, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "10.1.0.0/33"));
}

/* What is denied stays so, in whatever form, though it is allowed as well. */
static void test_guard_denies(void **state)
{
    char *all[] = {(char *)(uintptr_t) "0.0.0.0/0", (char *)(uintptr_t) "::/0"};
    char *denied[] = {(char *)(uintptr_t) "8.8.0.0/16", (char *)(uintptr_t) "2606:4700::/32"};
    struct conf conf = {.hook_allow_networks = all,
                        .hook_allow_network_count = 2,
                        .hook_deny_networks = denied,
                        .hook_deny_network_count = 2};
    struct hook_guard g;
    struct err err = {0};

    (void)state;
    for (int private = 0; private < 2; private ++) {
        conf.hook_allow_private = private == 1;
        assert_int_equal(hook_guard_open(&g, &conf, &err), 0);
        assert_false(hook_guard_allows(&g, "8.8.8.8"));
        assert_false(hook_guard_allows(&g, "::ffff:8.8.8.8"));
        assert_false(hook_guard_allows(&g, "64:ff9b::8.8.8.8"));
        assert_false(hook_guard_allows(&g, "2002:808:808::1"));
        assert_false(hook_guard_allows(&g, "2001:0:808:808::1"));                    /* Teredo's server */
        assert_false(hook_guard_allows(&g, "2001:0:4136:e378:8000:63bf:f7f7:f7f7")); /* its 8.8.8.8 */
        assert_false(hook_guard_allows(&g, "64:ff9b:1:808:8:800::"));                /* NAT64: /48 */
        assert_false(hook_guard_allows(&g, "64:ff9b:1:ab08:8:808::"));               /* /56 */
        assert_false(hook_guard_allows(&g, "64:ff9b:1:abcd:8:808:800:0"));           /* /64 */
        assert_false(hook_guard_allows(&g, "64:ff9b:1:abcd:1234:5678:8.8.8.8"));     /* /96 */
        assert_false(hook_guard_allows(&g, "2606:4700::1111"));
        assert_true(hook_guard_allows(&g, "2002:809:808::1"));
        assert_true(hook_guard_allows(&g, "2001:0:4136:e378:8000:63bf:f6f7:f7f7"));
        assert_true(hook_guard_allows(&g, "8.9.8.8"));
        assert_true(hook_guard_allows(&g, "127.0.0.1"));
    }
    conf.hook_deny_networks = all;
    conf.hook_deny_network_count = HOOK_NETWORKS_MAX + 1;
    assert_int_equal(hook_guard_open(&g, &conf, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "hook.deny_networks: 65 networks are more than 64"));
}

#define VECTOR_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define VECTOR_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define OTHER_SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

static void sign(const char *secret, const char *previous, struct buf *out)
{
    struct hook_keys keys;
    struct err err = {0};

    assert_int_equal(hook_keys_read("hook.", secret, previous, &keys, &err), 0);
    assert_int_equal(keys.count, (secret != NULL) + (previous != NULL));
    assert_int_equal(hook_sign_all(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                   bytes_of("{\"test\": 2432232314}"), out),
                     0);
}

/* The example of the Standard Webhooks specification's libraries. */
static void test_signature(void **state)
{
    static const char *const bad[] = {
        "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_short", "whsec_!!!!", "whsec_QUJD"};
    CLEAN_BUF struct buf out = {0};
    struct hook_key key;
    struct err err = {0};

    (void)state;
    sign(VECTOR_SECRET, NULL, &out);
    assert_string_equal(out.data, VECTOR_SIGNATURE);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(hook_key_read("hook.secret", bad[i], &key, &err), ERR_CONFIG);
        assert_true(bad[i][0] == '\0' || strlen(bad[i]) < 8 ||
                    strstr(err.text, bad[i] + 6) == NULL); /* never shown */
    }
}

/* While receivers change over: the new one's first, then the old one's. */
static void test_rotation(void **state)
{
    CLEAN_BUF struct buf both = {0};
    CLEAN_BUF struct buf other = {0};
    CLEAN_BUF struct buf none = {0};

    (void)state;
    sign(OTHER_SECRET, NULL, &other);
    sign(OTHER_SECRET, VECTOR_SECRET, &both);
    assert_int_equal(both.len, other.len + 1 + strlen(VECTOR_SIGNATURE));
    assert_memory_equal(both.data, other.data, other.len);
    assert_string_equal(both.data + other.len, " " VECTOR_SIGNATURE);
    sign(NULL, NULL, &none);
    assert_int_equal(none.len, 0);
}

/* A key's own secrets sign its webhooks, and nothing else does. */
static void test_secrets_of_a_key(void **state)
{
    struct conf_key list[] = {{.name = (char *)(uintptr_t) "a"},
                              {.name = (char *)(uintptr_t) "b",
                               .hook_secret = (char *)(uintptr_t)VECTOR_SECRET,
                               .hook_previous_secret = (char *)(uintptr_t)OTHER_SECRET}};
    struct conf conf = {.keys = list, .key_count = 2, .hook_secret = (char *)(uintptr_t)OTHER_SECRET};
    struct hook_key vector, other;
    struct hook_secrets x;
    struct err err = {0};

    (void)state;
    assert_int_equal(hook_key_read("k", VECTOR_SECRET, &vector, &err), 0);
    assert_int_equal(hook_key_read("k", OTHER_SECRET, &other, &err), 0);
    assert_int_equal(hook_secrets_open(&x, &conf, &err), 0);
    assert_int_equal(hook_secrets_of(&x, "b")->count, 2);
    assert_memory_equal(&hook_secrets_of(&x, "b")->list[0], &vector, sizeof(vector));
    assert_memory_equal(&hook_secrets_of(&x, "b")->list[1], &other, sizeof(other));
    assert_int_equal(hook_secrets_of(&x, "a")->count,
                     1); /* what says nothing, or is gone, has the common one */
    assert_memory_equal(&hook_secrets_of(&x, "a")->list[0], &other, sizeof(other));
    assert_ptr_equal(hook_secrets_of(&x, "gone"), hook_secrets_of(&x, "a"));
    hook_secrets_close(&x);
    list[1].hook_secret = (char *)(uintptr_t) "whsec_short";
    assert_int_equal(hook_secrets_open(&x, &conf, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "api.keys: `b`: hook_secret: "));
    assert_null(strstr(err.text, "short"));
}

static enum store_outcome next(const struct conf *c, uint32_t tries, int status, uint64_t retry_after_s,
                               uint32_t jitter, uint64_t *ret_ms)
{
    const struct hook_answer a = {.status = status, .sent = true, .retry_after_s = retry_after_s};

    return hook_outcome(c, tries, &a, jitter, ret_ms);
}

static void test_outcome(void **state)
{
    const struct conf c = {.hook_attempts = 5, .hook_first_retry_ms = 1000, .hook_max_retry_ms = 8000};
    const struct hook_answer refused = {.refused = true};
    uint64_t ms;

    (void)state;
    assert_int_equal(next(&c, 1, 200, 0, 0, &ms), STORE_DELIVERED);
    assert_int_equal(next(&c, 1, 204, 0, 0, &ms), STORE_DELIVERED);
    assert_int_equal(next(&c, 1, 410, 0, 0, &ms), STORE_GIVEN_UP);
    assert_int_equal(hook_outcome(&c, 1, &refused, 0, &ms), STORE_GIVEN_UP);
    assert_int_equal(next(&c, 5, 500, 0, 0, &ms), STORE_GIVEN_UP);
    for (uint32_t tries = 1; tries < 5; tries++) {
        uint64_t full = MIN(UINT64_C(1000) << (tries - 1), (uint64_t)8000);

        for (uint32_t jitter = 0; jitter < 5000; jitter += 77) {
            assert_int_equal(next(&c, tries, 302, 0, jitter, &ms), STORE_FAILED);
            assert_in_range(ms, full / 2, full);
        }
    }
    assert_int_equal(next(&c, 1, 429, 5, 0, &ms), STORE_FAILED);
    assert_int_equal(ms, 5000);
    assert_int_equal(next(&c, 1, 503, 100000, 0, &ms), STORE_FAILED);
    assert_int_equal(ms, 8000); /* within our own bound */
}

/* However the dice fall: attempts do not run out before the window is over, and the result is kept until
 * then. */
static void test_the_window_is_filled(void **state)
{
    const struct conf c = {.hook_attempts = 50, /* as shipped: conf_load_test.c */
                           .hook_first_retry_ms = 1000,
                           .hook_max_retry_ms = 7200000,
                           .hook_window_ms = 86400000,
                           .hook_timeout_ms = 10000};
    uint64_t ms, shortest = 0;

    (void)state;
    for (uint32_t tries = 1; tries < c.hook_attempts; tries++) {
        assert_int_equal(next(&c, tries, 500, 0, 0, &ms), STORE_FAILED);
        shortest += ms;
    }
    assert_true(shortest >= c.hook_window_ms);
    assert_true(hook_horizon_ms(&c) > c.hook_window_ms + HOOK_GRACE_MS + HOOK_LEASE_MS(&c));
}

static void test_health(void **state)
{
    static const struct {
        int status;
        enum store_health health;
    } cases[] = {{200, STORE_WELL}, {302, STORE_WELL}, {404, STORE_WELL}, {410, STORE_WELL},
                 {429, STORE_ILL},  {500, STORE_ILL},  {503, STORE_ILL},  {0, STORE_ILL}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(hook_health(&(struct hook_answer){.status = cases[i].status, .sent = true}),
                         cases[i].health);
    assert_int_equal(hook_health(&(struct hook_answer){.refused = true, .sent = true}), STORE_UNKNOWN);
    assert_int_equal(hook_health(&(struct hook_answer){.sent = false}), STORE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),        cmocka_unit_test(test_guard_exceptions),
        cmocka_unit_test(test_guard_denies), cmocka_unit_test(test_signature),
        cmocka_unit_test(test_rotation),     cmocka_unit_test(test_secrets_of_a_key),
        cmocka_unit_test(test_outcome),      cmocka_unit_test(test_the_window_is_filled),
        cmocka_unit_test(test_health),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
