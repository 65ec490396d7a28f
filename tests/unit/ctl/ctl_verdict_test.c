/* ctl_verdict_test.c - exit statuses and words for verdicts. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_internal.h"

static void test_exit_status(void **state)
{
    static const struct {
        enum job_status status;
        int exit_code, signal, expected;
    } cases[] = {
        {JOB_COMPLETED, 0, 0, 0},
        {JOB_RUNTIME_ERROR, 3, 0, 3},
        {JOB_RUNTIME_ERROR, 255, 0, 255},
        {JOB_RUNTIME_ERROR, -1, SIGSEGV, 139},
        {JOB_RUNTIME_ERROR, -1, 0, 1},
        {JOB_RUNTIME_ERROR, -1, 1000, 255},
        {JOB_COMPILE_ERROR, 1, 0, 1},
        {JOB_WRONG_ANSWER, 0, 0, 1},
        {JOB_TIME_LIMIT_EXCEEDED, -1, SIGKILL, 124},
        {JOB_MEMORY_LIMIT_EXCEEDED, -1, SIGKILL, 137},
        {JOB_OUTPUT_LIMIT_EXCEEDED, -1, SIGKILL, 153},
        {JOB_CANCELLED, -1, SIGKILL, 130},
        {JOB_INTERNAL_ERROR, -1, 0, 125},
        {JOB_QUEUED, -1, 0, 75},
        {JOB_RUNNING, -1, 0, 75},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wire_answer a = {
            .status = cases[i].status, .exit_code = cases[i].exit_code, .signal = cases[i].signal};

        assert_int_equal(ctl_exit_status(&a), cases[i].expected);
    }
}

static void test_words(void **state)
{
    struct wire_answer a = {.status = JOB_COMPLETED};
    char text[64], small[8];

    (void)state;
    ctl_verdict_text(&a, text, sizeof(text));
    assert_string_equal(text, "");
    a.status = JOB_RUNTIME_ERROR;
    a.exit_code = 2; /* the program said what it wanted to say */
    ctl_verdict_text(&a, text, sizeof(text));
    assert_string_equal(text, "");
    a.exit_code = -1;
    a.signal = SIGSEGV;
    ctl_verdict_text(&a, text, sizeof(text));
    assert_string_equal(text, "killed by signal 11 (Segmentation fault)");
    a = (struct wire_answer){.status = JOB_INTERNAL_ERROR, .message = "why"};
    ctl_verdict_text(&a, text, sizeof(text));
    assert_string_equal(text, "internal error of the server: why");
    ctl_verdict_text(&a, small, sizeof(small));
    assert_string_equal(small, "interna");
    for (int s = JOB_COMPILE_ERROR; s < JOB_STATUS_COUNT; s++) {
        a = (struct wire_answer){.status = (enum job_status)s, .signal = SIGKILL};
        ctl_verdict_text(&a, text, sizeof(text));
        assert_string_not_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exit_status), cmocka_unit_test(test_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
