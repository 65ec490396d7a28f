/* scale_plan_test.c - who goes, who stays, who is ended; and what of the past is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scale_internal.h"

/* Workers as words, one for each: its jobs, then what it is: s stays, l told to leave, d and says so, e and
 * holds nothing, x drains because somebody else ends it.  Names are a, b, c... in that order. */
static size_t fleet(const char *words, struct scale_worker *w)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    size_t n = 0;

    for (; *words != '\0'; words += words[2] == ' ' ? 3 : 2, n++) {
        const char kind = words[1];

        w[n] = (struct scale_worker){.id = names[n],
                                     .held = (uint32_t)(words[0] - '0'),
                                     .started_ms = n,
                                     .leaving = strchr("lde", kind) != NULL,
                                     .draining = strchr("dex", kind) != NULL,
                                     .drained = kind == 'e'};
    }
    return n;
}

struct row {
    const char *what, *fleet;
    uint32_t replicas, target;
    const char *orders; /* -a: leave, +a: stay */
    const char *ending;
    uint32_t after;
};

static void check_row(const struct row *r)
{
    struct scale_worker w[8];
    struct scale_plan p;
    char orders[64] = "", ending[64] = "";

    scale_plan_make(w, fleet(r->fleet, w), r->replicas, r->target, &p);
    for (size_t i = 0; i < p.order_count; i++)
        snprintf(orders + strlen(orders), sizeof(orders) - strlen(orders), "%s%c%s", i == 0 ? "" : " ",
                 p.orders[i].leave ? '-' : '+', p.orders[i].worker);
    for (size_t i = 0; i < p.ending_count; i++)
        snprintf(ending + strlen(ending), sizeof(ending) - strlen(ending), "%s%s", i == 0 ? "" : " ",
                 p.ending[i]);
    if (strcmp(orders, r->orders) != 0 || strcmp(ending, r->ending) != 0 || p.replicas != r->after ||
        p.change != (r->after != r->replicas))
        fail_msg("%s: orders `%s`, ends `%s`, %u replicas instead of `%s`, `%s`, %u", r->what, orders, ending,
                 p.replicas, r->orders, r->ending, r->after);
    scale_plan_done(&p);
}

static void test_plan(void **state)
{
    static const struct row rows[] = {
        {"nobody and nothing", "", 0, 0, "", "", 0},
        {"as it should be", "2s 0s", 2, 2, "", "", 2},
        {"up at once", "2s 0s", 2, 5, "", "", 5},
        {"down is told, and changes nothing yet", "2s 1s 3s", 3, 1, "-b -a", "", 3},
        {"of equals the youngest", "1s 1s 1s", 3, 2, "-c", "", 3},
        {"told but busy: waited for", "2l 1s 3s", 3, 2, "", "", 3},
        {"it drains and is busy: waited for", "2d 1s 3s", 3, 2, "", "", 3},
        {"told and idle, but it has not said so: waited for", "0l 1s 3s", 3, 2, "", "", 3},
        {"drained: ended", "0e 1s 3s", 3, 2, "", "a", 2},
        {"one is drained, one more goes", "0e 1s 3s", 3, 1, "-b", "a", 2},
        {"load comes back: it goes on", "2d 1s 3s", 3, 3, "+a", "", 3},
        {"load comes back before the end of one that is drained", "0e 1s 3s", 3, 3, "+a", "", 3},
        {"... and more", "2d 1s 3s", 3, 6, "+a", "", 6},
        {"half of it comes back: the idle one goes on, the other leaves", "2d 0e 3s", 3, 2, "+b", "", 3},
        {"to nothing", "0s 0s", 2, 0, "-b -a", "", 2},
        {"one that does not beat yet cannot be told", "1s", 3, 1, "-a", "", 3},
        {"one that ends anyway is not told", "1x 1s", 1, 1, "", "", 1},
        {"drained without having been told: not ours to end", "0x 1s", 2, 1, "-b", "", 2},
        {"fewer by hand than leave", "0e 0e", 1, 0, "", "b a", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(&rows[i]);
}

/* Whatever is observed and wanted: nobody is ended who holds anything or was not told, nobody who was called
 * back. */
static void test_nobody_is_killed(void **state)
{
    static const char kinds[] = "sldex";
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct scale_worker w[8];
        struct scale_plan p;
        char words[32] = "";
        size_t n = (size_t)(rand_r(&seed) % 8);
        uint32_t replicas = (uint32_t)(rand_r(&seed) % 10), target = (uint32_t)(rand_r(&seed) % 10);

        for (size_t i = 0; i < n; i++) {
            const char kind = kinds[rand_r(&seed) % 5];

            words[2 * i] = (char)(kind == 'e' ? '0' : '0' + rand_r(&seed) % 5);
            words[2 * i + 1] = kind;
        }
        n = fleet(words, w);
        scale_plan_make(w, n, replicas, target, &p);
        assert_true(p.replicas >= target || p.replicas >= replicas - MIN((uint32_t)p.ending_count, replicas));
        for (size_t i = 0; i < p.ending_count; i++) {
            const struct scale_worker *x = &w[p.ending[i][0] - 'a'];

            assert_true(x->leaving && x->drained && x->held == 0);
            for (size_t k = 0; k < p.order_count; k++)
                assert_string_not_equal(p.orders[k].worker, p.ending[i]);
        }
        scale_plan_done(&p);
    }
}

static void test_past(void **state)
{
    struct store_decision d[3] = {{.at_ms = 3000, .wanted = 3, .queued = {1, 2, 3}},
                                  {.at_ms = 2000, .wanted = 2},
                                  {.at_ms = 1000, .wanted = 1}};
    struct scale_past p;

    (void)state;
    scale_past_new(&p);
    scale_past_load(&p, d, 3);
    scale_past_ages(&p, 4500);
    assert_int_equal(p.count, 3);
    assert_int_equal(p.samples[0].wanted, 1); /* oldest first */
    assert_int_equal(p.samples[0].age_ms, 3500);
    assert_int_equal(p.samples[2].waiting, 6);
    assert_int_equal(p.last.at_ms, 3000);
    for (uint64_t i = 0; i < 2 * STORE_DECISIONS_MAX; i++)
        scale_past_add(&p, &(struct store_decision){.at_ms = 5000 + i, .wanted = 7});
    assert_int_equal(p.count, STORE_DECISIONS_MAX);
    assert_int_equal(p.at_ms[0], 5000 + STORE_DECISIONS_MAX);
    assert_int_equal(p.samples[0].wanted, 7);
    scale_past_done(&p);
}

/* A backend that ends the highest first: these are told to go, however busy, and the lowest come back. */
static void test_rank(void **state)
{
    struct scale_worker w[] = {{.id = "0", .rank = 1},
                               {.id = "1", .rank = 2, .held = 3},
                               {.id = "2", .rank = 3, .held = 5, .leaving = true},
                               {.id = "3", .rank = 4, .leaving = true}};
    struct scale_plan p;

    (void)state;
    scale_plan_make(w, 4, 4, 1, &p);
    assert_int_equal(p.order_count, 1);
    assert_string_equal(p.orders[0].worker, "1");
    assert_true(p.orders[0].leave);
    scale_plan_done(&p);
    scale_plan_make(w, 4, 4, 3, &p);
    assert_int_equal(p.order_count, 1);
    assert_string_equal(p.orders[0].worker, "2");
    assert_false(p.orders[0].leave);
    scale_plan_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_nobody_is_killed),
        cmocka_unit_test(test_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
