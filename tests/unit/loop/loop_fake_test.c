/* loop_fake_test.c - the twin keeps the loop's promises, and its clock jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop.h"

#define DAY_MS (24u * 3600u * 1000u)

static struct loop *loop;
static char order[16];

static void note(void *arg)
{
    size_t n = strlen(order);

    order[n] = *(const char *)arg;
    order[n + 1] = '\0';
}

static void *text(const char *s)
{
    return (void *)(uintptr_t)s;
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void test_timers(void **state)
{
    struct loop_timer *a = loop_timer_new(loop, note, text("a")), *b = loop_timer_new(loop, note, text("b")),
                      *c = loop_timer_new(loop, note, text("c")), *end = loop_timer_new(loop, stop, NULL);
    uint64_t begun = loop_now_ms(loop);

    (void)state;
    loop_timer_arm(b, DAY_MS);
    loop_timer_arm(a, 2 * DAY_MS);
    loop_timer_arm(a, 5); /* replaces */
    loop_timer_arm(c, DAY_MS);
    loop_timer_arm(end, DAY_MS + 1);
    assert_string_equal(order, "");
    loop_run(loop);
    assert_string_equal(order, "abc"); /* of one time: as they were armed */
    assert_int_equal(loop_now_ms(loop) - begun, DAY_MS + 1);
    assert_false(loop_timer_armed(a));
    loop_timer_arm(a, 1);
    loop_timer_cancel(a);
    loop_run(loop); /* nothing is left to wait for */
    assert_string_equal(order, "abc");
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(c);
    loop_timer_free(end);
    loop_timer_free(NULL);
}

static void post_more(void *arg)
{
    loop_post(loop, note, arg);
}

static void test_posts_come_before_timers(void **state)
{
    struct loop_timer *t = loop_timer_new(loop, note, text("t"));

    (void)state;
    order[0] = '\0';
    loop_timer_arm(t, 0);
    loop_post(loop, post_more, text("2"));
    loop_post(loop, note, text("1"));
    loop_run(loop);
    assert_string_equal(order, "12t");
    loop_timer_free(t);
}

static int setup(void **state)
{
    struct err err;

    (void)state;
    return loop_new(&loop, &err);
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_posts_come_before_timers),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
