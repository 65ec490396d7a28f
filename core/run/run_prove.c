/* run_prove.c - each language's self-test once more, through its warm runtimes: the bytes must be those of
 * the cold one, which run_check.c has kept.
 *
 * This goes on beside jobs, which run cold until it is over, so that it makes no start slower: one self-test
 * at a time, for which there is a cell beyond those of jobs (warm_places()). */
#include "run_internal.h"

#include <sys/queue.h>

#include <execd/plugin.h>

struct proof { /* one self-test */
    TAILQ_ENTRY(proof) link;
    struct run_prove *all;
    struct warm_pool *pool;
    struct plugin_lang *lang;
    struct job_limits limits;
    struct job *job;
    struct run_job *rj; /* NULL until it is started */
    bool went;          /* a step went through the pool */
};
TAILQ_HEAD(proofs, proof);

struct run_prove {
    struct run_job_context ctx;
    const struct run_check *check;
    struct proofs proofs;
    struct loop_timer *next; /* begins the first of them */
    bool stopping;
    loop_fn on_stopped;
    void *stopped_arg;
};

static void check_stopped(struct run_prove *p)
{
    loop_fn fn = p->on_stopped;

    if (!p->stopping || fn == NULL || !TAILQ_EMPTY(&p->proofs))
        return;
    p->on_stopped = NULL;
    fn(p->stopped_arg);
}

static void proof_free(struct proof *pr)
{
    TAILQ_REMOVE(&pr->all->proofs, pr, link);
    job_free(pr->job);
    free(pr);
}

static void proof_end(struct proof *pr, enum warm_proof proof, const char *why)
{
    struct run_prove *all = pr->all;

    warm_proved(pr->pool, proof, why);
    proof_free(pr);
    loop_timer_arm(all->next, 0);
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* The beginning of what was said, on one line. */
static const char *shown(const struct buf *b, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)MIN(b->len, size - 1), b->data != NULL ? b->data : "");
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = ' ';
    return out;
}

static const struct buf *words_of(const struct job_result *r, const struct job_test_result *t)
{
    if (t == NULL)
        return &r->compile.bytes;
    return t->err.bytes.len > 0 ? &t->err.bytes : &t->out.bytes;
}

static void judge(struct proof *pr, const struct job_result *r)
{
    const struct run_said *cold = run_check_said(pr->all->check, plugin_lang_id(pr->lang));
    const struct job_test_result *t = r->test_count > 0 ? &r->tests[0] : NULL;
    char why[320], said[120];

    if (cold == NULL || !pr->went || pr->all->stopping) {
        proof_end(pr, WARM_PROOF_NOT_RUN, "its self-test did not get to it");
    } else if (r->status == JOB_TIME_LIMIT_EXCEEDED) { /* a busy machine's fault, as a rule */
        proof_end(pr, WARM_PROOF_NOT_RUN, "its self-test took too long");
    } else if (t == NULL || r->status != JOB_COMPLETED) {
        snprintf(why, sizeof(why), "its self-test ended as %s: %s", job_status_name(r->status),
                 shown(words_of(r, t), said, sizeof(said)));
        proof_end(pr, WARM_PROOF_BAD, why);
    } else if (!same(&t->out.bytes, &cold->out) || !same(&t->err.bytes, &cold->err)) {
        snprintf(why, sizeof(why), "its self-test printed other bytes than the cold one: %s",
                 shown(same(&t->out.bytes, &cold->out) ? &t->err.bytes : &t->out.bytes, said, sizeof(said)));
        proof_end(pr, WARM_PROOF_BAD, why);
    } else {
        proof_end(pr, WARM_PROOF_GOOD, NULL);
    }
}

static void on_proof_done(void *arg, struct job_result *r, const struct err *err)
{
    struct proof *pr = arg;

    pr->rj = NULL;
    if (err != NULL)
        proof_end(pr, WARM_PROOF_NOT_RUN, err->text);
    else
        judge(pr, r);
}

/* ---- running ---------------------------------------------------------------------------- */

static void proof_begin(struct proof *pr)
{
    struct run_job_context ctx = pr->all->ctx;
    struct err err = {0};

    pr->job = pr->all->stopping ? NULL : run_check_job(pr->lang, &pr->limits, &err);
    if (pr->job == NULL) {
        proof_end(pr, WARM_PROOF_NOT_RUN, err.text);
        return;
    }
    ctx.proof = pr->pool;
    ctx.proved = &pr->went;
    pr->rj = run_job_start(&ctx, pr->lang, pr->job, on_proof_done, pr);
}

static void begin_next(void *prove)
{
    struct run_prove *p = prove;
    struct proof *first = TAILQ_FIRST(&p->proofs);

    if (first != NULL && first->rj == NULL)
        proof_begin(first);
    check_stopped(p);
}

void run_prove_pool(void *prove, struct warm_pool *pool, struct plugin_lang *lang,
                    const struct job_limits *limits)
{
    struct run_prove *p = prove;
    struct proof *pr = NEW(struct proof);

    pr->all = p;
    pr->pool = pool;
    pr->lang = lang;
    pr->limits = *limits;
    TAILQ_INSERT_TAIL(&p->proofs, pr, link);
    loop_timer_arm(p->next, 0);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct run_prove *run_prove_new(const struct run_job_context *ctx, const struct run_check *check)
{
    struct run_prove *p = NEW(struct run_prove);

    p->ctx = *ctx;
    p->ctx.cache = NULL; /* a runtime is to show what it can do */
    p->check = check;
    p->next = loop_timer_new(ctx->loop, begin_next, p);
    TAILQ_INIT(&p->proofs);
    return p;
}

/* What the self-test's plan asks for is what jobs under the usual limits will ask for. */
static void expect_of(struct run_prove *p, struct plugin_lang *lang)
{
    struct job_limits limits = p->ctx.conf->limits_default;
    CLEAN(plugin_plan_freep) struct plugin_plan *plan = NULL;
    CLEAN(job_freep) struct job *job = NULL;
    struct err err = {0};

    limits.memory_bytes = MAX(limits.memory_bytes, plugin_lang_memory_min(lang));
    job = run_check_job(lang, &limits, &err);
    if (job == NULL || plugin_lang_plan(lang, job, &plan, &err) != 0)
        return; /* it went well a moment ago; jobs will make the pools */
    warm_expect(p->ctx.warm, lang, &plan->build, &limits);
    warm_expect(p->ctx.warm, lang, &plan->run, &limits);
}

void run_prove_start(struct run_prove *p, struct warm *warm, struct plugin_set *plugins)
{
    p->ctx.warm = warm;
    for (size_t i = 0; i < plugin_lang_count(plugins); i++)
        if (run_check_serves(p->check, plugin_lang_id(plugin_lang_at(plugins, i))))
            expect_of(p, plugin_lang_at(plugins, i));
}

void run_prove_stop(struct run_prove *p, loop_fn fn, void *arg)
{
    struct proof *pr;

    p->stopping = true;
    p->on_stopped = fn;
    p->stopped_arg = arg;
    TAILQ_FOREACH (pr, &p->proofs, link)
        if (pr->rj != NULL)
            run_job_cancel(pr->rj);
    check_stopped(p);
}

void run_prove_free(struct run_prove *p)
{
    struct proof *pr;

    if (p == NULL)
        return;
    while ((pr = TAILQ_FIRST(&p->proofs)) != NULL)
        proof_free(pr);
    loop_timer_free(p->next);
    free(p);
}
