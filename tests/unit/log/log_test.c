/* log_test.c - one event, one line, whatever a client sent. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static int ends[2];

static char *line(void)
{
    static char text[65536];
    ssize_t n = read(ends[0], text, sizeof(text) - 1);

    text[MAX(n, (ssize_t)0)] = '\0';
    return text;
}

static void test_kv(void **state)
{
    const char *text;

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_INFO, ends[1]);
    LOG_INFO("event_a", F_STR("plain", "a/b-1.2:3"), F_STR("odd", "x y\n\"z\"\\\x01\xff"), F_INT("i", -5),
             F_UINT("u", 5), F_DBL("d", 1.5), F_STR("none", NULL));
    text = line();
    assert_non_null(strstr(text, "Z INFO event_a plain=a/b-1.2:3 odd=\"x y\\n\\\"z\\\"\\\\\\u0001\\u00ff\" "
                                 "i=-5 u=5 d=1.5 none=\"\"\n"));
    assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text));
}

static void test_json(void **state)
{
    const char *text;

    (void)state;
    log_setup(LOG_FORMAT_JSON, LOG_LEVEL_DEBUG, ends[1]);
    LOG_DEBUG("event_b", F_STR("s", "\"\xe2\x82\xac\n"), F_DBL("d", NAN));
    text = line();
    assert_non_null(strstr(
        text, "\"level\":\"DEBUG\",\"event\":\"event_b\",\"s\":\"\\\"\xe2\x82\xac\\n\",\"d\":null}\n"));
}

static void test_level(void **state)
{
    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_WARN, ends[1]);
    LOG_INFO("event_c", F_INT("i", 1));
    assert_string_equal(line(), "");
    LOG_ERROR("event_c", F_INT("i", 1));
    assert_non_null(strstr(line(), "ERROR event_c i=1"));
}

static void test_long_values_are_cut(void **state)
{
    static char big[100000];
    struct log_field many[64];
    const char *text;

    (void)state;
    memset(big, 'a', sizeof(big) - 1);
    log_setup(LOG_FORMAT_JSON, LOG_LEVEL_INFO, ends[1]);
    LOG_INFO("event_d", F_STR("s", big));
    text = line();
    assert_true(strlen(text) < LOG_VALUE_MAX + 200);
    assert_non_null(strstr(text, "...\"}\n"));
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct log_field)F_STR("k", big);
    log_write(LOG_LEVEL_INFO, "event_e", many, COUNT_OF(many));
    text = line();
    assert_true(strlen(text) <= LOG_LINE_MAX);
    assert_string_equal(text + strlen(text) - 2, "}\n"); /* still well formed */
}

static void test_floods_are_counted(void **state)
{
    unsigned lines = 0;

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_INFO, ends[1]);
    for (int i = 0; i < 1000; i++)
        LOG_INFO("event_f", F_INT("i", i));
    for (const char *p = line(); (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_in_range(lines, LOG_BURST, 2 * LOG_BURST); /* a second may have turned meanwhile */
    LOG_INFO("event_g", F_INT("i", 1));               /* another event is not held back by it */
    assert_non_null(strstr(line(), "event_g"));
    do
        LOG_INFO("event_f", F_STR("again", "x"));
    while (line()[0] == '\0');
    LOG_INFO("event_h", F_INT("i", 1));
}

static int setup(void **state)
{
    (void)state;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return -1;
    return fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kv),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_floods_are_counted),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
