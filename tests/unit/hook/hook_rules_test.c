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
                                          "not an address",
                                          ""};
    static const char *const allowed[] = {"1.1.1.1",          "172.32.0.1",      "11.0.0.1",
                                          "100.128.0.1",      "2606:4700::1111", "::ffff:8.8.8.8",
                                          "64:ff9b::808:808", "2002:808:808::1"};
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

/* The example of the Standard Webhooks specification's libraries. */
static void test_signature(void **state)
{
    struct hook_key key;
    CLEAN_BUF struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(hook_key_read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &key, &err), 0);
    assert_int_equal(
        hook_sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, bytes_of("{\"test\": 2432232314}"), &out),
        0);
    assert_string_equal(out.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(hook_key_read(NULL, &key, &err), 0);
    assert_int_equal(key.len, 0);
    static const char *const bad[] = {
        "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_short", "whsec_!!!!", "whsec_QUJD"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(hook_key_read(bad[i], &key, &err), ERR_CONFIG);
        assert_true(bad[i][0] == '\0' || strlen(bad[i]) < 8 ||
                    strstr(err.text, bad[i] + 6) == NULL); /* never shown */
    }
}

static void test_next(void **state)
{
    const struct conf c = {.hook_attempts = 5, .hook_first_retry_ms = 1000, .hook_max_retry_ms = 8000};
    uint64_t ms;

    (void)state;
    assert_int_equal(hook_next(&c, 1, 200, false, 0, 0, &ms), HOOK_DELIVERED);
    assert_int_equal(hook_next(&c, 1, 204, false, 0, 0, &ms), HOOK_DELIVERED);
    assert_int_equal(hook_next(&c, 1, 410, false, 0, 0, &ms), HOOK_GIVE_UP);
    assert_int_equal(hook_next(&c, 1, 0, true, 0, 0, &ms), HOOK_GIVE_UP);
    assert_int_equal(hook_next(&c, 5, 500, false, 0, 0, &ms), HOOK_GIVE_UP);
    for (uint32_t attempt = 1; attempt < 5; attempt++) {
        uint64_t full = MIN(UINT64_C(1000) << (attempt - 1), (uint64_t)8000);

        for (uint32_t jitter = 0; jitter < 5000; jitter += 77) {
            assert_int_equal(hook_next(&c, attempt, 302, false, 0, jitter, &ms), HOOK_RETRY);
            assert_in_range(ms, full / 2, full);
        }
    }
    assert_int_equal(hook_next(&c, 1, 429, false, 5, 0, &ms), HOOK_RETRY);
    assert_int_equal(ms, 5000);
    assert_int_equal(hook_next(&c, 1, 503, false, 100000, 0, &ms), HOOK_RETRY);
    assert_int_equal(ms, 8000); /* within our own bound */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_guard_exceptions),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
