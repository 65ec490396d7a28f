/* run_warm.c - a step by way of a warm runtime, and back to the cold step wherever that fails.
 *
 * What comes out is filled as the cold step's is: a pre-booted runtime and a zygote's fork are measured by
 * the jailer as any cell; of a compile service the exit code and the time are known, and its cpu time and
 * memory are not, because they are its cell's and not the step's. */
#include "run_step.h"

/* ---- the cold step after all ------------------------------------------------------------ */

static void report_failure(void *arg)
{
    struct run_step *step = arg;

    run_step_finish(step, NULL, &step->err);
}

/* A step that was killed while it was nowhere counts as started and ended by that, as in the jailer. */
static void report_kill(void *arg)
{
    struct run_step *step = arg;
    struct jail_outcome o = {.kept_fd = -1};

    o.measure = (struct job_measure){.ran = true, .exit_code = -1, .signal = 9, .hit = step->killed_for};
    run_step_finish(step, &o, NULL);
}

static void go_cold(struct run_step *step)
{
    if (step->killed)
        loop_post(step->ctx.loop, report_kill, step);
    else if (run_step_launch(step, NULL, &step->err) != 0)
        loop_post(step->ctx.loop, report_failure, step);
}

/* The self-test learns that this step went the way it is there for. */
static void tell_proof(const struct run_step *step)
{
    if (step->ctx.proof != NULL && warm_pool_of(step->rt) == step->ctx.proof)
        *step->ctx.proved = true;
}

/* ---- a pre-booted runtime -------------------------------------------------------------------- */

static void on_preboot_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct run_step *step = arg;

    if (err == NULL)
        tell_proof(step);
    step->rt = NULL;
    if (err != NULL)
        go_cold(step);
    else
        run_step_finish(step, outcome, NULL);
}

static bool start_preboot(struct run_step *step)
{
    const struct warm_go g = {.argv = (const char *const *)step->spec.step->argv,
                              .stdin_data = step->spec.stdin_data,
                              .limits = step->spec.limits,
                              .extra_processes = step->spec.step->extra_processes,
                              .bundles = step->bundles,
                              .bundle_count = step->spec.bundle_count};
    struct err err = {0};
    int fds[2];

    if (warm_go(step->rt, &g, on_preboot_done, step, fds, &err) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        run_stream_open(&step->streams[i], fds[i]);
    return true;
}

/* ---- a compile service ---------------------------------------------------------------------- */

static bool on_output(void *arg, const char *bytes, size_t len)
{
    struct run_step *step = arg;

    return run_stream_take_ends(&step->streams[0], bytes, len);
}

static void on_compiled(void *arg, const struct warm_compiled *c)
{
    struct run_step *step = arg;
    struct jail_outcome o = {.kept_fd = -1};

    if (c != NULL)
        tell_proof(step);
    step->by_service = c != NULL;
    step->rt = NULL;
    if (c == NULL) {
        go_cold(step);
        return;
    }
    o.measure = (struct job_measure){.ran = true, .exit_code = c->exit_code, .wall_ns = c->wall_ns};
    o.kept_fd = c->kept_fd;
    run_step_finish(step, &o, NULL);
}

static bool start_service(struct run_step *step)
{
    const struct warm_compile c = {
        .plan = step->spec.plan, .limits = step->spec.limits, .keep_bytes = step->spec.keep_bytes};
    struct err err = {0};

    return warm_compile(step->rt, &c, on_output, on_compiled, step, &err) == 0;
}

/* ---- a zygote's fork ---------------------------------------------------------------------- */

static bool start_zygote(struct run_step *step)
{
    struct err err = {0};

    if (run_step_launch(step, warm_zygote(step->rt), &err) == 0)
        return true;
    warm_release(step->rt, false);
    return false;
}

bool run_warm_zygote_end(struct run_step *step, const struct err *err)
{
    /* What is refused of what it kept is the step's own doing. */
    const bool fine = err == NULL || err->code == ERR_REQUEST;

    if (fine)
        tell_proof(step);
    warm_release(step->rt, fine);
    step->rt = NULL;
    if (!fine)
        go_cold(step);
    return !fine;
}

/* ---- which --------------------------------------------------------------------------------- */

static bool start_in(struct run_step *step, struct warm_runtime *rt)
{
    bool started = false;

    step->rt = rt;
    switch (warm_way_of(rt)) {
    case WARM_WAY_PREBOOT:
        started = start_preboot(step);
        break;
    case WARM_WAY_SERVICE:
        started = start_service(step);
        break;
    case WARM_WAY_ZYGOTE:
        started = start_zygote(step);
        break;
    case WARM_WAY_COUNT:
        break;
    }
    if (!started)
        step->rt = NULL;
    return started;
}

static void on_given(void *arg, struct warm_runtime *rt)
{
    struct run_step *step = arg;

    step->ask = NULL;
    if (rt == NULL || !start_in(step, rt))
        go_cold(step);
}

bool run_warm_start(struct run_step *step)
{
    const struct warm_wish wish = {.lang = step->spec.lang,
                                   .step = step->spec.step,
                                   .limits = step->spec.limits,
                                   .proof = step->ctx.proof};
    struct warm_runtime *rt;

    step->ask = warm_ask(step->ctx.warm, &wish, on_given, step, &rt);
    return step->ask != NULL || (rt != NULL && start_in(step, rt));
}

void run_warm_kill(struct run_step *step, enum job_limit_hit why)
{
    if (step->ask != NULL) {
        warm_ask_cancel(step->ask);
        step->ask = NULL;
        loop_post(step->ctx.loop, report_kill, step);
    } else if (warm_way_of(step->rt) == WARM_WAY_PREBOOT) {
        warm_kill(step->rt, why);
    } else if (warm_way_of(step->rt) == WARM_WAY_SERVICE) {
        warm_abandon(step->rt);
        step->rt = NULL;
        loop_post(step->ctx.loop, report_kill, step);
    }
}
