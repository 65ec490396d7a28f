/* run_why_test.c - a failed compile step's reason: what was measured first, then the system's words for a
 * full file. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_internal.h"

static void expect(struct job_measure m, const char *output, const char *words)
{
    const struct job_limits l = {.file_bytes = 1234, .box_bytes = 5678, .box_inodes = 99};
    CLEAN_FREE char *why = run_why(&m, &l, bytes_of(output));

    if (words == NULL) {
        assert_null(why);
    } else {
        assert_non_null(why);
        assert_string_equal(why, words);
    }
}

static void test_why(void **state)
{
    const char *file =
        "gcc: internal compiler error: File size limit exceeded signal terminated program as\n";

    (void)state;
    expect((struct job_measure){.exit_code = 1}, "main.c:1:1: error: x\n", NULL);
    expect((struct job_measure){.exit_code = 1}, "", NULL);
    expect((struct job_measure){.exit_code = 4}, file,
           "the compile step passed its limit: file size (1234 bytes)");
    expect((struct job_measure){.exit_code = 1}, "as: a.o: File too large",
           "the compile step passed its limit: file size (1234 bytes)");
    expect((struct job_measure){.signal = SIGXFSZ}, "",
           "the compile step passed its limit: file size (1234 bytes)");
    expect((struct job_measure){.exit_code = 1}, "cc1: No space left on device\n",
           "the compile step passed its limit: files (5678 bytes, 99 files and folders)");
    expect((struct job_measure){.signal = SIGSEGV}, "",
           "the compiler crashed: signal 11 (Segmentation fault)");
    expect((struct job_measure){.signal = SIGKILL, .hit = JOB_HIT_WALL}, file,
           "the compile step passed its limit: wall_time");
    expect((struct job_measure){.signal = SIGKILL, .hit = JOB_HIT_OUTPUT}, file,
           "the compile step passed its limit: output");
    expect((struct job_measure){.signal = SIGKILL, .oom = true}, file,
           "the compile step passed its limit: memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_why)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
