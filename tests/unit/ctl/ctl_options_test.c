/* ctl_options_test.c - the command line: where options may stand, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_internal.h"

static struct ctl_options o;

/* Parses a command line of up to 15 words; getopt moves them, so they are copied. */
static int parse(const char *const *words)
{
    static char *argv[16];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    argv[argc] = NULL;
    return ctl_options_parse(argc, argv, &o);
}
#define PARSE(...) parse((const char *const[]){"execctl", __VA_ARGS__, NULL})

static void test_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--url", "http://h:1", "run", "a.py", "--stdin", "-", "b.py", "--timeout=50"), -1);
    assert_string_equal(o.command->name, "run");
    assert_string_equal(o.url, "http://h:1");
    assert_string_equal(o.stdin_file, "-");
    assert_int_equal(o.timeout_ms, 50);
    assert_int_equal(o.operand_count, 2);
    assert_string_equal(o.operands[0], "a.py");
    assert_string_equal(o.operands[1], "b.py");
    assert_null(o.args[0]);
}

static void test_args(void **state)
{
    (void)state;
    assert_int_equal(PARSE("run", "a.py", "--memory", "64", "--", "--url", "x", "--"), -1);
    assert_int_equal(o.operand_count, 1);
    assert_int_equal(o.memory_mb, 64);
    assert_null(o.url);
    assert_string_equal(o.args[0], "--url");
    assert_string_equal(o.args[1], "x");
    assert_string_equal(o.args[2], "--");
    assert_null(o.args[3]);
}

static void test_result(void **state)
{
    (void)state;
    assert_int_equal(PARSE("result", "t", "--wait", "0", "--json"), -1);
    assert_int_equal(o.wait_s, 0);
    assert_true(o.json);
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(PARSE("fly"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("--url", "http://h"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run", "a", "--nonsense"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run", "a", "--key", "secret"),
                     CTL_EXIT_USAGE); /* an abbreviation would open a file */
    assert_int_equal(PARSE("run", "a", "--timeout", "0"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run", "a", "--timeout", "-1"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run", "a", "--memory", "much"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("run", "a", "--wait", "1"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("result"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("result", "a", "b"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("result", "a", "--", "b"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("health", "--json"), CTL_EXIT_USAGE);
    assert_int_equal(PARSE("languages", "x"), CTL_EXIT_USAGE);
}

static void test_help(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help"), 0);
    assert_int_equal(PARSE("run", "--help"), 0);
    assert_int_equal(PARSE("--version"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_anywhere), cmocka_unit_test(test_args),
                                       cmocka_unit_test(test_result), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_help)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
