/* run_claim_test.c - jobs that a worker claimed and does not begin, on a clock that jumps: the store, the
 * jobs and the warm runtimes are the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_worker.h"

#include "log/log.h"

static struct loop *loop;
static struct run *run;
static struct conf conf;

/* ---- the store ------------------------------------------------------------------------------ */

static store_claim_fn claimed; /* asked for; NULL: not asked */
static void *claimed_arg;
static size_t claimed_at_once;
static char given_back[64], begun[64]; /* "c b " */
static char told[64], kept[64];        /* begun, as Redis heard it; held, as a heartbeat says it: "b+ c " */

void store_claim(struct store *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, size_t at_once, store_claim_fn done, void *arg)
{
    (void)s, (void)worker, (void)languages, (void)language_count, (void)max;
    claimed = done;
    claimed_at_once = at_once;
    claimed_arg = arg;
}

void store_release(struct store *s, const char *worker, const char *token, uint32_t epoch, store_done_fn done,
                   void *arg)
{
    (void)s, (void)worker, (void)epoch, (void)done, (void)arg; /* Redis is slow to answer */
    strcat(strcat(given_back, token), " ");
}

void store_finish(struct store *s, const char *worker, const char *token, uint32_t epoch,
                  const struct job_result *result, const struct store_lease *with, size_t with_count,
                  store_done_fn done, void *arg)
{
    (void)s, (void)worker, (void)epoch, (void)result, (void)done, (void)arg; /* slow, too */
    strcat(strcat(told, token), "=");
    for (size_t i = 0; i < with_count; i++)
        strcat(told, with[i].token);
    strcat(told, " ");
}

static bool beats; /* between the heartbeat's two halves */

void store_extend(struct store *s, const char *worker, const struct store_lease *leases, size_t count,
                  store_lease_fn done, void *arg)
{
    char *to = beats ? kept : told;

    (void)s, (void)worker, (void)done, (void)arg;
    if (beats)
        kept[0] = '\0';
    for (size_t i = 0; i < count; i++)
        strcat(strcat(strcat(to, leases[i].token), leases[i].begun ? "+" : ""), " ");
}

void store_worker_gone(struct store *s, const char *id, store_done_fn done, void *arg)
{
    (void)s, (void)id, (void)done, (void)arg;
}

void store_on_ready(struct store *s, loop_fn fn, void *arg)
{
    (void)s, (void)fn, (void)arg;
}

bool store_connected(const struct store *s)
{
    (void)s;
    return true;
}

void store_spool_keep(struct store_spool *sp, const char *worker, const char *token, uint32_t epoch,
                      const struct job_result *result)
{
    (void)sp, (void)worker, (void)token, (void)epoch, (void)result;
}

void store_spool_drop(struct store_spool *sp, const char *token, uint32_t epoch)
{
    (void)sp, (void)token, (void)epoch;
}

/* ---- what else run.c calls ---------------------------------------------------------------------- */

void run_make_id(struct run *r)
{
    (void)r;
}

void run_beat(struct run *r)
{
    (void)r;
    beats = true;
}

void run_tell_languages(struct run *r)
{
    (void)r;
    beats = false;
}

struct run_check *run_check_start(const struct run_job_context *ctx, struct plugin_set *plugins,
                                  unsigned parallel, run_check_fn done, void *arg)
{
    (void)ctx, (void)plugins, (void)parallel, (void)done, (void)arg;
    return NULL;
}

bool run_check_serves(const struct run_check *c, int32_t language_id)
{
    (void)c, (void)language_id;
    return true;
}

void run_check_free(struct run_check *c)
{
    (void)c;
}

static run_job_fn running_done; /* of the last that began */
static void *running_arg;

struct run_job *run_job_start(const struct run_job_context *ctx, struct plugin_lang *lang,
                              const struct job *job, run_job_fn done, void *arg)
{
    (void)ctx, (void)lang;
    strcat(strcat(begun, job->token), " ");
    running_done = done;
    running_arg = arg;
    return (struct run_job *)(void *)run; /* it runs and runs */
}

void run_job_cancel(struct run_job *rj)
{
    (void)rj;
}

struct run_prove *run_prove_new(const struct run_job_context *ctx, const struct run_check *check)
{
    (void)ctx, (void)check;
    return NULL;
}

void run_prove_start(struct run_prove *p, struct warm *warm, struct plugin_set *plugins)
{
    (void)p, (void)warm, (void)plugins;
}

void run_prove_pool(void *prove, struct warm_pool *pool, struct plugin_lang *lang,
                    const struct job_limits *limits)
{
    (void)prove, (void)pool, (void)lang, (void)limits;
}

void run_prove_stop(struct run_prove *p, loop_fn fn, void *arg)
{
    (void)p, (void)fn, (void)arg;
}

void run_prove_free(struct run_prove *p)
{
    (void)p;
}

void run_cache_on_changed(struct run_cache *rc, loop_fn fn, void *arg)
{
    (void)rc, (void)fn, (void)arg;
}

struct warm *warm_new(const struct warm_options *o)
{
    (void)o;
    return NULL;
}

void warm_stop(struct warm *w, loop_fn fn, void *arg)
{
    (void)w, (void)fn, (void)arg;
}

void warm_free(struct warm *w)
{
    (void)w;
}

void warm_renew(void *warm)
{
    (void)warm;
}

void warm_crowded(struct warm *w, bool crowded)
{
    (void)w, (void)crowded;
}

void warm_on_settled(struct warm *w, loop_fn fn, void *arg)
{
    (void)w, (void)fn, (void)arg;
}

void warm_describe(const struct warm *w, int32_t language_id, char *out, size_t size)
{
    (void)w, (void)language_id, (void)out, (void)size;
}

size_t plugin_lang_count(const struct plugin_set *s)
{
    (void)s;
    return 0;
}

struct plugin_lang *plugin_lang_at(const struct plugin_set *s, size_t i)
{
    (void)s, (void)i;
    return NULL;
}

struct plugin_lang *plugin_lang_find(const struct plugin_set *s, int32_t id)
{
    (void)s, (void)id;
    return NULL;
}

int32_t plugin_lang_id(const struct plugin_lang *l)
{
    (void)l;
    return 0;
}

/* ---- helpers --------------------------------------------------------------------------------------- */

static void ready(void *arg, const struct err *err)
{
    (void)arg, (void)err;
}

static void drained(void *arg)
{
    (void)arg;
}

static int setup(void **state)
{
    struct run_options o = {.conf = &conf, .slots = 1};
    struct err err = {0};

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, 2);
    conf = (struct conf){.heartbeat_ms = 5000, .drain_ms = 60000};
    claimed = NULL;
    given_back[0] = begun[0] = told[0] = kept[0] = '\0';
    if (loop_new(&loop, &err) != 0)
        return -1;
    o.loop = loop;
    run = run_new(&o, ready, NULL);
    run_start(run);
    assert_non_null(claimed);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run_free(run);
    loop_free(loop);
    return 0;
}

/* Redis answers with these. */
static void give(const char *tokens)
{
    struct store_claim claims[8] = {0};
    store_claim_fn fn = claimed;
    size_t n = 0;

    for (; tokens[n] != '\0'; n++) {
        claims[n].job = NEW(struct job);
        claims[n].job->token[0] = tokens[n];
        claims[n].ahead = n >= claimed_at_once;
    }
    claimed = NULL;
    fn(claimed_arg, NULL, claims, n, false);
}

static void stop_loop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void pass(uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(loop, stop_loop, NULL);

    loop_timer_arm(t, ms);
    loop_run(loop);
    loop_timer_free(t);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

/* Each goes to the head of its queue: the last one that is given back is the next. */
static void test_what_waits_too_long_goes_back_as_it_came(void **state)
{
    (void)state;
    give("abcd");
    assert_string_equal(begun, "a ");
    assert_string_equal(given_back, "");
    pass(200);
    assert_string_equal(given_back, "d c b ");
    assert_string_equal(begun, "a ");
}

static void test_a_drain_gives_back_what_is_not_begun(void **state)
{
    (void)state;
    give("abcd");
    run_drain(run, drained, NULL);
    assert_string_equal(given_back, "d c b ");
}

static void test_what_is_claimed_while_a_drain_begins_goes_back(void **state)
{
    (void)state;
    run_drain(run, drained, NULL);
    give("abc");
    assert_string_equal(given_back, "c b a ");
    assert_string_equal(begun, "");
    assert_null(claimed);
}

static void test_what_is_claimed_while_a_rest_begins_goes_back(void **state)
{
    (void)state;
    run_rest(run, true);
    give("abc");
    assert_string_equal(given_back, "c b a ");
    assert_string_equal(begun, "");
    assert_null(claimed);
}

/* As a drain, until it is taken back. */
static void test_who_rests_claims_no_more(void **state)
{
    (void)state;
    run_rest(run, true);
    give("");
    pass(5000);
    assert_null(claimed);
    run_rest(run, false);
    assert_non_null(claimed);
}

static void test_who_rests_keeps_what_it_has_begun(void **state)
{
    (void)state;
    give("abcd");
    run_rest(run, true);
    assert_string_equal(begun, "a ");
    assert_string_equal(given_back, "d c b ");
}

/* What runs is over; err: ERR_AGAIN where the jailer was lost. */
static void end_running(int code)
{
    struct job_result r = {.status = JOB_COMPLETED};
    const struct err err = {.code = code};

    running_done(running_arg, &r, code == 0 ? NULL : &err);
}

/* A free slot's job counts as begun with its claim; the next one is told of with the result before it. */
static void test_a_result_says_that_the_next_one_is_begun(void **state)
{
    (void)state;
    assert_int_equal(claimed_at_once, 1);
    give("abc");
    assert_string_equal(told, "");
    end_running(0);
    assert_string_equal(begun, "a b ");
    assert_string_equal(told, "a=b ");
    end_running(0);
    assert_string_equal(told, "a=b b=c ");
    end_running(0);
    assert_string_equal(told, "a=b b=c c= ");
}

static void test_what_is_asked_for_ahead_is_not_begun(void **state)
{
    (void)state;
    run->usual_us = 1000; /* short ones came before */
    give("a");
    assert_int_equal(claimed_at_once, 0);
    give("bc");
    end_running(0);
    assert_string_equal(told, "a=b ");
}

static void test_without_a_result_it_is_told_of_at_once(void **state)
{
    (void)state;
    give("ab");
    end_running(ERR_AGAIN);
    assert_string_equal(begun, "a b ");
    assert_string_equal(told, "b+ ");
}

/* Also of what is given back, as long as Redis has not taken it. */
static void test_heartbeats_say_what_is_begun(void **state)
{
    (void)state;
    give("abc");
    pass(conf.heartbeat_ms + 1);
    assert_string_equal(given_back, "c b ");
    assert_string_equal(kept, "a+ b c ");
    assert_string_equal(told, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_waits_too_long_goes_back_as_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_result_says_that_the_next_one_is_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_asked_for_ahead_is_not_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_result_it_is_told_of_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heartbeats_say_what_is_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_drain_gives_back_what_is_not_begun, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_claimed_while_a_drain_begins_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_claimed_while_a_rest_begins_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_rests_claims_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_rests_keeps_what_it_has_begun, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
