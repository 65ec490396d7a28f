/* store_facts_test.c - which promises a Redis can keep: what is told, judged; and real servers set up wrong.
 */
#include "store_rig.h"

static struct store_facts judged(const char *info, const char *fsync, const char *rewrite, const char *save)
{
    struct store_told t = {.info = mem_dup(info)};
    struct store_facts f;

    snprintf(t.appendfsync, sizeof(t.appendfsync), "%s", fsync);
    snprintf(t.no_fsync_on_rewrite, sizeof(t.no_fsync_on_rewrite), "%s", rewrite);
    snprintf(t.save, sizeof(t.save), "%s", save);
    store_facts_judge(&t, 0, &f);
    free(t.info);
    return f;
}

#define AOF "redis_version:7.0.15\r\naof_enabled:1\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"

static void test_judgement(void **state)
{
    static const struct {
        const char *info, *fsync, *rewrite, *save;
        enum store_grade grades[STORE_CHECK_COUNT];
    } cases[] = {
        {AOF, "always", "no", "", {STORE_GOOD, STORE_GOOD, STORE_GOOD, STORE_GOOD}},
        {AOF, "always", "yes", "", {STORE_GOOD, STORE_GOOD, STORE_WEAKER, STORE_GOOD}},
        {AOF, "everysec", "no", "", {STORE_GOOD, STORE_GOOD, STORE_WEAKER, STORE_GOOD}},
        {AOF, "no", "no", "", {STORE_GOOD, STORE_GOOD, STORE_WEAKER, STORE_GOOD}},
        {AOF, "", "", "", {STORE_GOOD, STORE_GOOD, STORE_UNTOLD, STORE_GOOD}},
        {"", "", "", "", {STORE_UNTOLD, STORE_UNTOLD, STORE_GOOD, STORE_UNTOLD}},
        {"redis_version:5.0.14\naof_enabled:0\nmaxmemory:1\nmaxmemory_policy:allkeys-lru\n",
         "always",
         "no",
         "1 1",
         {STORE_BROKEN, STORE_BROKEN, STORE_GOOD, STORE_BROKEN}},
        {"redis_version:10.0.0\naof_enabled:0\nmaxmemory:0\nmaxmemory_policy:volatile-ttl\n",
         "always",
         "no",
         "",
         {STORE_GOOD, STORE_BROKEN, STORE_GOOD, STORE_WEAKER}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_facts f = judged(cases[i].info, cases[i].fsync, cases[i].rewrite, cases[i].save);

        for (int c = 0; c < STORE_CHECK_COUNT; c++)
            if (f.findings[c].grade != cases[i].grades[c])
                fail_msg("case %zu: %s is %d: %s", i, f.findings[c].name, f.findings[c].grade,
                         f.findings[c].text);
    }
}

static void test_accepting(void **state)
{
    struct store_told t = {.info =
                               mem_dup("redis_version:7.0.0\naof_enabled:0\nmaxmemory_policy:noeviction\n")};
    struct store_facts f;
    uint32_t bits = 0;

    (void)state;
    store_facts_judge(&t, 0, &f);
    assert_string_equal(store_facts_refused(&f)->name, "persistence");
    assert_int_equal(store_accept_find("persistence", &bits), 0);
    assert_int_equal(store_accept_find("version", &bits), -1);
    assert_int_equal(store_accept_find("fsync", &bits), -1);
    store_facts_judge(&t, bits, &f);
    assert_null(store_facts_refused(&f));
    assert_true(f.findings[STORE_CHECK_PERSISTENCE].accepted);
    free(t.info);
}

static void is_graded(const char *args, enum store_check check, enum store_grade grade, const char *word)
{
    CLEAN_FREE char *url = mem_printf("redis://127.0.0.1:%u", rig_redis(args, NULL));
    struct store_options o = rig_options(url);
    struct store *s = rig_open(&o);
    const struct store_finding *x = &store_facts(s)->findings[check];

    assert_int_equal(x->grade, grade);
    if (strstr(x->text, word) == NULL)
        fail_msg("`%s` is not in `%s`", word, x->text);
    assert_true(strlen(store_facts(s)->version) >= 5);
    store_free(s);
    rig_end_all();
}

static void test_real_servers(void **state)
{
    (void)state;
    is_graded("--port %u --appendonly no --save ''", STORE_CHECK_PERSISTENCE, STORE_BROKEN, "every accepted");
    is_graded("--port %u --appendonly no", STORE_CHECK_PERSISTENCE, STORE_BROKEN, "snapshots");
    is_graded("--port %u --appendonly yes", STORE_CHECK_FSYNC, STORE_WEAKER, "everysec");
    is_graded("--port %u --appendonly yes --appendfsync always", STORE_CHECK_FSYNC, STORE_GOOD, "always");
    is_graded("--port %u --appendonly yes --maxmemory 100mb --maxmemory-policy allkeys-lru",
              STORE_CHECK_EVICTION, STORE_BROKEN, "allkeys-lru");
}

/* A replica takes no writes, and is no place to be connected to. */
static void test_replica_is_left(void **state)
{
    uint16_t master = rig_redis("--port %u", NULL);
    CLEAN_FREE char *args = mem_printf("--port %%u --replicaof 127.0.0.1 %u", master);
    uint16_t replica = rig_redis(args, NULL);
    CLEAN_FREE char *url = mem_printf("redis://127.0.0.1:%u", replica);
    struct store_options o = rig_options(url);
    struct err err = {0};
    struct store *s;

    (void)state;
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    while (strstr(store_trouble(s), "replica") == NULL)
        rig_run_ms(20);
    assert_false(store_connected(s));
    rig_cli(replica, "", "replicaof no one", "OK");
    rig_connected(s, true);
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judgement),
        cmocka_unit_test(test_accepting),
        cmocka_unit_test_teardown(test_real_servers, rig_after_each),
        cmocka_unit_test_teardown(test_replica_is_left, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
