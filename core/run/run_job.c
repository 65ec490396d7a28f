/* run_job.c - one job: plan, compile, run each test, judge.
 *
 * Every step runs in a cell of its own.  What the compile step leaves behind comes back
 * as a sealed bundle that only the next cell's init unpacks; we never look inside.
 * Two doors for blame: err is our fault (no verdict is derived from it), everything
 * else becomes a verdict. */
#include "run_internal.h"

#include <unistd.h>

#include "log/log.h"
#include "log/trace.h"

struct run_job {
    struct run_job_context ctx;
    struct plugin_lang *lang;
    const struct job *job; /* NULL for a probe */
    struct plugin_plan *plan;
    struct job_limits limits;
    struct run_cache_key key; /* of its compiled output */
    bool has_key;
    int run_bundle, kept_bundle; /* files of the run step; output of the compile step */
    struct run_step *step;       /* NULL when none runs */
    size_t test_index;
    bool cancelled;
    struct job_result result;
    struct err err;
    run_job_fn done;
    void *arg;
};

static void run_next_test(struct run_job *rj);

static void job_end(void *arg)
{
    struct run_job *rj = arg;

    if (rj->cancelled)
        rj->result.status = JOB_CANCELLED;
    rj->result.finished_ms = clock_wall_ms();
    rj->done(rj->arg, &rj->result, rj->err.code == 0 ? NULL : &rj->err);
    job_result_done(&rj->result);
    plugin_plan_freep(&rj->plan);
    closep(&rj->run_bundle);
    closep(&rj->kept_bundle);
    free(rj);
}

/* A version's probe is nobody's job. */
static void mark(const struct run_job *rj, const char *step)
{
    if (rj->job != NULL)
        TRACE(rj->job->token, step);
}

static void mark_took(const struct run_job *rj, const char *step, const struct job_measure *m)
{
    if (rj->job != NULL)
        TRACE_AT(rj->job->token, step, m->wall_ns);
}

/* Called from any depth; done() is owed from a later turn. */
static void job_end_soon(struct run_job *rj)
{
    loop_post(rj->ctx.loop, job_end, rj);
}

static void job_fail_soon(struct run_job *rj, const char *what)
{
    err_add(&rj->err, "%s", what);
    rj->result.status = JOB_INTERNAL_ERROR;
    job_end_soon(rj);
}

static struct bytes tail_of(const struct job_output *o)
{
    size_t n = MIN(o->bytes.len, (size_t)8192);

    return (struct bytes){n == 0 ? "" : o->bytes.data + (o->bytes.len - n), n};
}

/* ---- the tests ------------------------------------------------------------------- */

static void on_test_done(void *arg, struct run_step_result *r, const struct err *err)
{
    struct run_job *rj = arg;
    struct job_test_result *t;

    rj->step = NULL;
    mark_took(rj, "run_took", &r->measure);
    mark(rj, "run_done");
    if (err != NULL) {
        rj->err = *err;
        job_fail_soon(rj, "run step");
        return;
    }
    closep(&r->kept_fd);
    t = job_result_add(&rj->result);
    t->measure = r->measure;
    t->out = r->out;
    t->err = r->err;
    memset(&r->out, 0, sizeof(r->out));
    memset(&r->err, 0, sizeof(r->err));
    if (rj->job == NULL) {
        job_end_soon(rj);
        return;
    }
    t->status = job_verdict(&t->measure, &rj->job->tests[rj->test_index], &t->out);
    t->status = plugin_lang_classify(rj->lang, PLUGIN_PHASE_RUN, &t->measure, &rj->limits, tail_of(&t->err),
                                     t->status);
    if (t->status == JOB_MEMORY_LIMIT_EXCEEDED && t->measure.hit == JOB_HIT_NONE)
        t->measure.hit = JOB_HIT_MEMORY;
    rj->test_index++;
    run_next_test(rj);
}

static void run_next_test(struct run_job *rj)
{
    const struct job *job = rj->job;
    int bundles[2] = {rj->run_bundle, rj->kept_bundle};
    struct run_step_spec spec = {
        .lang = rj->lang,
        .plan = rj->plan,
        .step = &rj->plan->run,
        .limits = &rj->limits,
        .bundles = bundles,
        .bundle_count = rj->kept_bundle >= 0 ? 2 : 1,
    };

    if (rj->cancelled || (job != NULL && rj->test_index == job->test_count)) {
        rj->result.status = job_result_fold(&rj->result);
        job_end_soon(rj);
        return;
    }
    if (job != NULL) {
        const struct buf *in = &job->tests[rj->test_index].stdin_data;

        spec.stdin_data = (struct bytes){in->data, in->len};
    }
    mark(rj, "run_asked");
    if (run_step_start(&rj->ctx, &spec, on_test_done, rj, &rj->step, &rj->err) != 0)
        job_fail_soon(rj, "start a cell");
}

/* ---- the compile step --------------------------------------------------------------- */

/* Which limit, if one, made it fail; the plugin knows its compiler's ways of saying so. */
static void explain_compile(struct run_job *rj)
{
    struct job_measure *m = &rj->result.compile_measure;
    const struct job_limits *l = &rj->ctx.conf->limits_compile;
    const struct job_output *said = &rj->result.compile;
    enum job_status v =
        plugin_lang_classify(rj->lang, PLUGIN_PHASE_BUILD, m, l, tail_of(said), JOB_COMPILE_ERROR);

    if (m->hit == JOB_HIT_NONE && v == JOB_MEMORY_LIMIT_EXCEEDED)
        m->hit = JOB_HIT_MEMORY;
    rj->result.message = run_why(m, l, (struct bytes){said->bytes.data, said->bytes.len});
}

static void on_compile_done(void *arg, struct run_step_result *r, const struct err *err)
{
    struct run_job *rj = arg;
    enum job_status verdict;

    rj->step = NULL;
    mark_took(rj, "compile_took", &r->measure);
    mark(rj, "compile_done");
    if (err != NULL && err->code != ERR_REQUEST) {
        rj->err = *err;
        job_fail_soon(rj, "compile step");
        return;
    }
    rj->result.compile = r->out;
    memset(&r->out, 0, sizeof(r->out));
    rj->result.compile_measure = r->measure;
    verdict =
        err != NULL ? JOB_COMPILE_ERROR : job_compile_verdict(&r->measure, rj->result.compile.truncated);
    if (err != NULL) /* the output could not be handed on: the program's own doing */
        rj->result.message = mem_printf("the compiler's output was refused: %s", err->text);
    else if (verdict == JOB_COMPILE_ERROR)
        explain_compile(rj);
    rj->kept_bundle = steal_fd(&r->kept_fd);
    if (verdict != JOB_COMPLETED) {
        rj->result.status = verdict;
        job_end_soon(rj);
        return;
    }
    if (rj->has_key && !r->by_service) /* one that was taken over would forge what outlives it */
        run_cache_put(rj->ctx.cache, &rj->key, &rj->result, rj->kept_bundle);
    run_next_test(rj);
}

/* True where the same program was compiled before. */
static bool compiled_before(struct run_job *rj)
{
    rj->has_key = rj->job != NULL &&
                  run_cache_key(rj->ctx.cache, &rj->key, rj->lang, rj->plan, rj->ctx.conf, rj->job->tenant);
    if (rj->has_key)
        rj->kept_bundle = run_cache_get(rj->ctx.cache, &rj->key, &rj->result);
    if (rj->kept_bundle >= 0)
        LOG_DEBUG("compiled_before", F_STR("token", rj->job->token));
    return rj->kept_bundle >= 0;
}

static void run_compile(struct run_job *rj)
{
    const struct run_step_spec spec = {
        .lang = rj->lang,
        .plan = rj->plan,
        .step = &rj->plan->build,
        .limits = &rj->ctx.conf->limits_compile,
        .compile = true,
        .keep_bytes = rj->ctx.conf->compile_keep_bytes,
    };

    mark(rj, "compile_asked");
    if (run_step_start(&rj->ctx, &spec, on_compile_done, rj, &rj->step, &rj->err) != 0)
        job_fail_soon(rj, "start a cell");
}

/* ---- start ---------------------------------------------------------------------------- */

static struct run_job *job_new_run(const struct run_job_context *ctx, struct plugin_lang *lang,
                                   const struct job *job, run_job_fn done, void *arg)
{
    struct run_job *rj = NEW(struct run_job);

    rj->ctx = *ctx;
    rj->lang = lang;
    rj->job = job;
    rj->run_bundle = rj->kept_bundle = -1;
    rj->done = done;
    rj->arg = arg;
    rj->result.started_ms = clock_wall_ms();
    return rj;
}

static void job_begin(struct run_job *rj)
{
    if (warm_bundle(rj->plan, PLUGIN_PHASE_RUN, &rj->run_bundle, &rj->err) != 0)
        job_fail_soon(rj, "bundle of the run step");
    else if (rj->plan->build.present && !compiled_before(rj))
        run_compile(rj);
    else
        run_next_test(rj);
}

struct run_job *run_job_start(const struct run_job_context *ctx, struct plugin_lang *lang,
                              const struct job *job, run_job_fn done, void *arg)
{
    struct run_job *rj = job_new_run(ctx, lang, job, done, arg);
    int rc = plugin_lang_plan(lang, job, &rj->plan, &rj->err);

    mark(rj, "planned");
    rj->limits = job->limits;
    if (rc == ERR_REQUEST) { /* the plugin says what the submitter must change */
        rj->result.status = JOB_COMPILE_ERROR;
        rj->result.message = mem_dup(rj->err.text);
        memset(&rj->err, 0, sizeof(rj->err));
        job_end_soon(rj);
    } else if (rc != 0) {
        job_fail_soon(rj, "plan");
    } else {
        job_begin(rj);
    }
    return rj;
}

struct run_job *run_job_probe(const struct run_job_context *ctx, struct plugin_lang *lang, run_job_fn done,
                              void *arg)
{
    struct run_job *rj = job_new_run(ctx, lang, NULL, done, arg);

    rj->limits = ctx->conf->limits_compile;
    if (plugin_lang_probe_plan(lang, &rj->plan, &rj->err) != 0)
        job_fail_soon(rj, "version probe");
    else
        job_begin(rj);
    return rj;
}

void run_job_cancel(struct run_job *rj)
{
    rj->cancelled = true;
    if (rj->step != NULL)
        run_step_kill(rj->step, JOB_HIT_NONE);
}
