/* base_test.c - errors, bytes, numbers, text, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base.h"

static void test_errors(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set(&e, ERR_CONFIG, "field `%s`", "x"), ERR_CONFIG);
    assert_string_equal(e.text, "field `x`");
    errno = ENOENT;
    assert_int_equal(err_sys(&e, "open `%s`", "f"), -ENOENT);
    assert_string_equal(e.text, "open `f`: No such file or directory");
    assert_int_equal(err_add(&e, "start"), -ENOENT);
    assert_string_equal(e.text, "start: open `f`: No such file or directory");
    errno = 0;
    assert_true(err_sys(&e, "odd") < 0); /* a failure is never reported as success */
    for (int i = 0; i < 100; i++)
        err_add(&e, "a prefix that makes it longer and longer");
    assert_true(strlen(e.text) < sizeof(e.text));
    assert_int_equal(err_set(NULL, ERR_FULL, "nobody listens"), ERR_FULL);
}

static void test_buf(void **state)
{
    CLEAN_BUF struct buf b = {.max = 8};

    (void)state;
    assert_int_equal(buf_adds(&b, "12345"), 0);
    assert_int_equal(buf_adds(&b, "6789"), -ENOBUFS); /* whole or not at all */
    assert_string_equal(b.data, "12345");
    assert_int_equal(buf_addf(&b, "%d", 678), 0);
    assert_string_equal(b.data, "12345678");
    assert_int_equal(buf_addf(&b, "%d", 9), -ENOBUFS);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
    buf_done(&b);
    assert_int_equal(b.max, 8);
}

static void test_numbers(void **state)
{
    uint64_t u = 7;
    int64_t i = 7;

    (void)state;
    assert_int_equal(num_u64("18446744073709551615", 0, UINT64_MAX, &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(num_u64("18446744073709551616", 0, UINT64_MAX, &u), -ERANGE);
    assert_int_equal(num_u64("5", 6, 9, &u), -ERANGE);
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0", "one"};
    for (size_t n = 0; n < COUNT_OF(bad); n++)
        assert_int_equal(num_u64(bad[n], 0, UINT64_MAX, &u), -EINVAL);
    assert_int_equal(num_u64(NULL, 0, 1, &u), -EINVAL);
    assert_int_equal(num_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(num_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &i), -ERANGE);
    assert_int_equal(num_i64("9223372036854775808", INT64_MIN, INT64_MAX, &i), -ERANGE);
    assert_int_equal(num_i64("--1", INT64_MIN, INT64_MAX, &i), -EINVAL);
    assert_int_equal(num_bytes("64k", UINT64_MAX, &u), 0);
    assert_int_equal(u, 65536);
    assert_int_equal(num_bytes("2G", UINT64_MAX, &u), 0);
    assert_true(u == UINT64_C(2) << 30);
    assert_int_equal(num_bytes("99999999999999G", UINT64_MAX, &u), -ERANGE);
    assert_int_equal(num_bytes("1kk", UINT64_MAX, &u), -EINVAL);
    assert_int_equal(num_bytes("1T", UINT64_MAX, &u), -EINVAL);
    assert_int_equal(num_bytes("k", UINT64_MAX, &u), -EINVAL);
}

static void test_utf8(void **state)
{
    static const char *const good[] = {
        "", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "a\xc3"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_true(utf8_valid("a\0b", 3));
    assert_int_equal(utf8_cut("a\xe2\x82\xac", 3), 1);
    assert_int_equal(utf8_cut("a\xe2\x82\xac", 4), 4);
    assert_int_equal(utf8_cut("abc", 3), 3);
    assert_int_equal(utf8_cut("\xf0\x9f\x98", 3), 0);
}

static void test_base64(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm-_"};
    unsigned char every[256];
    CLEAN_BUF struct buf text = {0};
    CLEAN_BUF struct buf back = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        buf_clear(&text);
        buf_clear(&back);
        assert_int_equal(base64_encode(&text, pairs[i][0], strlen(pairs[i][0])), 0);
        assert_string_equal(text.data, pairs[i][1]);
        assert_int_equal(base64_decode(&back, text.data, text.len), 0);
        assert_string_equal(back.data, pairs[i][0]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        buf_clear(&back);
        assert_int_equal(base64_decode(&back, bad[i], strlen(bad[i])), -EINVAL);
        assert_int_equal(back.len, 0);
    }
    for (size_t i = 0; i < 256; i++)
        every[i] = (unsigned char)i;
    buf_clear(&text);
    buf_clear(&back);
    base64_encode(&text, every, 256);
    assert_int_equal(base64_decode(&back, text.data, text.len), 0);
    assert_memory_equal(back.data, every, 256);
}

static void test_secrets(void **state)
{
    (void)state;
    assert_true(equal_secret("abc", 3, "abc", 3));
    assert_false(equal_secret("abc", 3, "abd", 3));
    assert_false(equal_secret("abc", 3, "ab", 2));
    assert_true(equal_secret("", 0, "", 0));
}

static void test_time_and_ids(void **state)
{
    char iso[CLOCK_ISO_SIZE], a[UUID_SIZE], b[UUID_SIZE];

    (void)state;
    clock_iso(0, iso);
    assert_string_equal(iso, "1970-01-01T00:00:00.000Z");
    clock_iso(1706745599123u, iso);
    assert_string_equal(iso, "2024-01-31T23:59:59.123Z");
    clock_iso(UINT64_MAX, iso);
    assert_string_equal(iso, "9999-12-31T23:59:59.999Z");
    assert_true(clock_mono_ns() <= clock_mono_ns());
    uuid_new(a);
    uuid_new(b);
    assert_true(uuid_valid(a));
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    a[3] = 'G';
    assert_false(uuid_valid(a));
    assert_false(uuid_valid(""));
    assert_false(uuid_valid("00000000-0000-4000-8000-0000000000000"));
    assert_false(uuid_valid("00000000-0000-4000-8000-00000000000"));
}

static void test_ownership(void **state)
{
    char *s = mem_dup("x");
    char *t = steal(&s);
    int fd = 5;

    (void)state;
    assert_null(s);
    assert_null(mem_dup(NULL));
    free(t);
    assert_int_equal(steal_fd(&fd), 5);
    assert_int_equal(fd, -1);
    errno = EIO;
    closep(&fd);
    assert_int_equal(errno, EIO);
}

static void test_cpu_quantities(void **state)
{
    static const struct {
        const char *text;
        uint64_t millis;
    } good[] = {{"200m", 200}, {"0.5", 500}, {"2", 2000}, {"0.125", 125},
                {"1.5", 1500}, {"0", 0},     {"007m", 7}, {"0.0001", 1}};
    static const char *const bad[] = {"",   "m",  ".5",   "5.",  "1e3",   "-1",
                                      "+1", "1 ", "0.5m", "1mm", "1.2.3", "x"};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (num_cpu_millis(good[i].text, &n) != 0 || n != good[i].millis)
            fail_msg("%s", good[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (num_cpu_millis(bad[i], &n) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(num_cpu_millis("9999999999", &n), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_quantities),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_time_and_ids),
        cmocka_unit_test(test_ownership),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
