/* job_verdict_test.c - verdicts from measurements, comparison of outputs, legal changes of state. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job.h"

static enum job_status verdict(struct job_measure m, const char *expected, const char *said, bool truncated)
{
    struct job_test test = {0};
    struct job_output out = {.truncated = truncated};
    enum job_status s;

    if (expected != NULL) {
        test.has_expected = true;
        buf_adds(&test.expected, expected);
    }
    buf_adds(&out.bytes, said);
    s = job_verdict(&m, &test, &out);
    buf_done(&test.expected);
    buf_done(&out.bytes);
    return s;
}

static void test_verdicts(void **state)
{
    const struct {
        struct job_measure m;
        bool truncated;
        enum job_status want;
    } rows[] = {
        {{.ran = true}, false, JOB_COMPLETED},
        {{.ran = false}, false, JOB_INTERNAL_ERROR},
        {{.ran = true, .exit_code = 1}, false, JOB_RUNTIME_ERROR},
        {{.ran = true, .exit_code = -1, .signal = SIGSEGV}, false, JOB_RUNTIME_ERROR},
        {{.ran = true, .exit_code = -1, .signal = SIGXCPU}, false, JOB_RUNTIME_ERROR},
        {{.ran = true, .exit_code = -1, .signal = SIGXFSZ}, false, JOB_RUNTIME_ERROR},
        {{.ran = true, .signal = SIGKILL, .hit = JOB_HIT_CPU}, false, JOB_TIME_LIMIT_EXCEEDED},
        {{.ran = true, .signal = SIGKILL, .hit = JOB_HIT_WALL}, false, JOB_TIME_LIMIT_EXCEEDED},
        {{.ran = true, .signal = SIGKILL, .hit = JOB_HIT_MEMORY}, false, JOB_MEMORY_LIMIT_EXCEEDED},
        {{.ran = true, .signal = SIGKILL, .hit = JOB_HIT_OUTPUT}, true, JOB_OUTPUT_LIMIT_EXCEEDED},
        {{.ran = true}, true, JOB_OUTPUT_LIMIT_EXCEEDED},
        {{.ran = true, .oom = true, .hit = JOB_HIT_WALL},
         false,
         JOB_MEMORY_LIMIT_EXCEEDED}, /* oom comes first */
        {{.ran = true, .signal = SIGKILL}, false, JOB_RUNTIME_ERROR},
        {{.ran = true, .signal = SIGABRT}, false, JOB_RUNTIME_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (verdict(rows[i].m, NULL, "", rows[i].truncated) != rows[i].want)
            fail_msg("row %zu", i);
    assert_int_equal(verdict((struct job_measure){.ran = true}, "42\n", "42", false), JOB_COMPLETED);
    assert_int_equal(verdict((struct job_measure){.ran = true}, "42\n", "43", false), JOB_WRONG_ANSWER);
    assert_int_equal(verdict((struct job_measure){.ran = true, .exit_code = 1}, "42\n", "42", false),
                     JOB_RUNTIME_ERROR);
}

static void test_comparison(void **state)
{
    static const struct {
        const char *e, *a;
        bool same;
    } rows[] = {
        {"", "", true},
        {"", "\n \n", true},
        {"a", "a\n", true},
        {"a\nb", "a \nb\t\r\n\n", true},
        {"a\nb", "a\n\nb", false},
        {"a", " a", false},
        {"a b", "a  b", false},
        {"a", "", false},
        {"a\n\nb", "a\n \nb", true},
        {"a", "a\nb", false},
        {"a\nb", "a", false},
        {"A", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (job_output_matches(bytes_of(rows[i].e), bytes_of(rows[i].a)) != rows[i].same)
            fail_msg("row %zu", i);
    assert_false(job_output_matches((struct bytes){"a\0b", 3}, (struct bytes){"a\0c", 3}));
    assert_true(job_output_matches((struct bytes){NULL, 0}, (struct bytes){NULL, 0}));
}

static void test_compile(void **state)
{
    (void)state;
    assert_int_equal(job_compile_verdict(&(struct job_measure){.ran = true}, false), JOB_COMPLETED);
    assert_int_equal(job_compile_verdict(&(struct job_measure){.ran = true, .exit_code = 1}, false),
                     JOB_COMPILE_ERROR);
    assert_int_equal(job_compile_verdict(&(struct job_measure){.ran = true, .hit = JOB_HIT_WALL}, false),
                     JOB_COMPILE_ERROR);
    assert_int_equal(job_compile_verdict(&(struct job_measure){.ran = true, .oom = true}, false),
                     JOB_COMPILE_ERROR);
    assert_int_equal(job_compile_verdict(&(struct job_measure){.ran = false}, false), JOB_INTERNAL_ERROR);
}

static void test_states(void **state)
{
    (void)state;
    assert_true(job_status_may(JOB_QUEUED, JOB_RUNNING));
    assert_true(job_status_may(JOB_RUNNING, JOB_QUEUED));
    assert_true(job_status_may(JOB_RUNNING, JOB_WRONG_ANSWER));
    assert_false(job_status_may(JOB_QUEUED, JOB_COMPLETED));
    for (int from = JOB_COMPLETED; from < JOB_STATUS_COUNT; from++)
        for (int to = 0; to < JOB_STATUS_COUNT; to++)
            assert_false(job_status_may((enum job_status)from, (enum job_status)to));
    for (int s = 0; s < JOB_STATUS_COUNT; s++) {
        enum job_status back;

        assert_int_equal(job_status_parse(job_status_name((enum job_status)s), &back), 0);
        assert_int_equal(back, s);
        assert_int_equal(job_status_terminal((enum job_status)s), s > JOB_RUNNING);
    }
}

static void test_fold(void **state)
{
    struct job_result r = {0};

    (void)state;
    assert_int_equal(job_result_fold(&r), JOB_INTERNAL_ERROR);
    job_result_add(&r)->status = JOB_COMPLETED;
    assert_int_equal(job_result_fold(&r), JOB_COMPLETED);
    job_result_add(&r)->status = JOB_WRONG_ANSWER;
    job_result_add(&r)->status = JOB_RUNTIME_ERROR;
    assert_int_equal(job_result_fold(&r), JOB_WRONG_ANSWER);
    job_result_done(&r);
}

static void test_jobs_own_what_they_hold(void **state)
{
    CLEAN(job_freep) struct job *job = job_new();
    char arg[] = "one";

    (void)state;
    assert_int_equal(job_args_add(job, (struct bytes){arg, 2}), 0);
    arg[0] = 'X';
    assert_string_equal(job->args[0], "on");
    assert_null(job->args[1]);
    assert_int_equal(job_tests_add(job, bytes_of("in"), NULL), 0);
    assert_int_equal(job->test_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_compile),  cmocka_unit_test(test_states),
        cmocka_unit_test(test_fold),     cmocka_unit_test(test_jobs_own_what_they_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
