/* run_window_test.c - how many jobs a worker holds: what is claimed ahead is begun soon, and a slot that is
 * free never waits for a question that was not asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_worker.h"

static void test_window(void **state)
{
    (void)state;
    assert_int_equal(run_window(2, 1000000), 2); /* as long as nothing is known, and for long jobs */
    assert_int_equal(run_window(2, 25001), 2);
    assert_int_equal(run_window(2, 25000), 4);
    assert_int_equal(run_window(2, 5000), 6);
    assert_int_equal(run_window(2, 1000), 10); /* bounded, however short they are */
    assert_int_equal(run_window(2, 0), 10);
    assert_int_equal(run_window(1024, 0), 5120);
}

/* With jobs of this length none that is claimed waits longer than it would be begun within. */
static void test_what_is_ahead_is_begun_soon(void **state)
{
    (void)state;
    for (uint64_t us = 100; us <= 25000; us += 100)
        for (unsigned slots = 1; slots <= 16; slots++)
            assert_in_range((run_window(slots, us) - slots) / slots * us, us, MAX(10000, us));
}

/* A free slot is asked for at once; what is held ahead, half at a time. */
static void test_wants(void **state)
{
    (void)state;
    assert_int_equal(run_window_wants(2, 2, 0), 2);
    assert_int_equal(run_window_wants(2, 2, 1), 1);
    assert_int_equal(run_window_wants(2, 2, 2), 0);
    assert_int_equal(run_window_wants(2, 4, 3), 1);
    assert_int_equal(run_window_wants(2, 10, 9), 0);
    assert_int_equal(run_window_wants(2, 10, 7), 0);
    assert_int_equal(run_window_wants(2, 10, 6), 4);
    assert_int_equal(run_window_wants(2, 10, 0), 10);
    assert_int_equal(run_window_wants(2, 2, 9), 0); /* jobs that were short are long now */
    for (unsigned slots = 1; slots <= 16; slots++)
        for (unsigned held = 0; held < slots; held++)
            for (unsigned ahead = 0; ahead <= 4; ahead++)
                assert_true(run_window_wants(slots, slots + ahead * slots, held) > 0);
}

/* Results that wait for one shard do not keep the worker from the others; those of all are bounded. */
static void test_unrecorded(void **state)
{
    (void)state;
    assert_int_equal(run_window_unrecorded(2, 4, 1), 4);
    assert_int_equal(run_window_unrecorded(2, 4, 0), 4); /* what is for 1 */
    for (unsigned shards = 2; shards <= 64; shards++)
        for (uint64_t us = 0; us <= 30000; us += 1000) {
            const unsigned bound = run_window_unrecorded(4, run_window(4, us), shards);

            assert_true(bound >=
                        (shards - 1) * run_window(4, 0) + run_window(4, us)); /* all but one are away */
            assert_true(bound <= 20 * shards);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_what_is_ahead_is_begun_soon),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_unrecorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
