/* run.c - the worker: claims, slots, results, drain. */
#include "run_worker.h"

#include "log/log.h"
#include "log/trace.h"

enum {
    CLAIM_POLL_MS = 1000,  /* when no hint came */
    RECORD_FIRST_MS = 100, /* offering a result again while Redis is away */
    RECORD_MAX_MS = 2000,
    REFUSALS_MAX = 20, /* of a result, before it is left to its lease */
    DRAIN_RECORD_MS = 5000,
    UNKNOWN_US = 1000000, /* how long jobs are: some thirty short ones are believed */
    AHEAD_MAX_MS = 50,    /* for which a job waits here: then another worker may have it */
};

static void claim(struct run *run);
static void fill_slots(struct run *run);
static void record(struct active *a);

/* ---- end of a job ------------------------------------------------------------------- */

static void on_gone(void *arg, const struct err *err)
{
    struct run *run = arg;
    loop_fn fn = run->on_drained;

    (void)err; /* our heartbeat's key expires by itself */
    run->on_drained = NULL;
    if (fn != NULL)
        fn(run->drained_arg);
}

/* The last word of a worker: its heartbeat is withdrawn, if it ever had one. */
static void drained_later(void *arg)
{
    struct run *run = arg;

    if (!run->started) {
        on_gone(run, NULL);
        return;
    }
    loop_timer_cancel(run->beat_timer);
    store_worker_gone(run->o.store, run->id, on_gone, run);
}

static void drain_check(struct run *run)
{
    if (run->resting && !run->told_rest &&
        run_empty(run)) { /* whoever waits for it need not until the next beat */
        run->told_rest = true;
        run_beat(run);
    }
    if (run->draining && !run->drained && run->active_count == 0 && !run->claiming && run->warm_ending == 0) {
        run->drained = true;
        loop_post(run->o.loop, drained_later, run);
    }
}

static void tell_crowded(struct run *run)
{
    warm_crowded(run->warm, run_running(run) >= run->o.slots);
}

static void active_free(struct active *a)
{
    struct run *run = a->run;

    TAILQ_REMOVE(&run->active, a, link);
    run->active_count--;
    run->ended_count -= a->ended;
    run->ahead_count -= a->ahead;
    loop_timer_free(a->record_timer);
    job_result_done(&a->result);
    job_free(a->job);
    free(a);
    fill_slots(run);
    run_lease_tell(run);
    tell_crowded(run);
    drain_check(run);
    claim(run);
}

/* Redis is away, full, or fails: the result is worth more than one try. */
static bool record_again(struct active *a, const struct err *err)
{
    if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)
        return false;
    if (err->code != ERR_AGAIN && ++a->refusals == REFUSALS_MAX)
        return false;
    if (!a->kept && !a->hand_back)
        store_spool_keep(a->run->o.spool, a->run->id, a->job->token, a->epoch, &a->result);
    a->kept = true;
    if (a->refusals == 1)
        LOG_ERROR("result_not_taken", F_STR("token", a->job->token), F_STR("reason", err->text));
    loop_timer_arm(a->record_timer, a->record_delay_ms);
    a->record_delay_ms = MIN(a->record_delay_ms * 2, (uint64_t)RECORD_MAX_MS);
    return true;
}

static void on_recorded(void *arg, const struct err *err)
{
    struct active *a = arg;

    a->recording = false;
    if (err != NULL && record_again(a, err))
        return;
    if (a->kept)
        store_spool_drop(a->run->o.spool, a->job->token, a->epoch);
    TRACE(a->job->token, "recorded");
    if (err != NULL)
        LOG_WARN("result_refused", F_STR("token", a->job->token), F_UINT("epoch", a->epoch),
                 F_STR("reason", err->text));
    else
        LOG_INFO(a->hand_back ? "job_handed_back" : "job_finished", F_STR("token", a->job->token),
                 F_INT("language_id", a->job->language_id),
                 F_STR("status", job_status_name(a->result.status)), F_UINT("epoch", a->epoch),
                 F_UINT("ms", a->result.finished_ms - a->result.started_ms));
    active_free(a);
}

static void finish(struct active *a)
{
    struct run *run = a->run;
    CLEAN_FREE struct store_lease *begun = NULL;
    const size_t n = run_lease_untold(run, &begun);

    store_finish(run->o.store, run->id, a->job->token, a->epoch, &a->result, begun, n, on_recorded, a);
}

static void record(struct active *a)
{
    a->recording = true;
    if (a->hand_back)
        store_release(a->run->o.store, a->run->id, a->job->token, a->epoch, on_recorded, a);
    else
        finish(a);
}

static void on_record_timer(void *arg)
{
    record(arg);
}

void run_offer(struct run *run)
{
    struct active *a;

    TAILQ_FOREACH (a, &run->active, link)
        if (a->ended && !a->recording) {
            a->record_delay_ms = RECORD_FIRST_MS;
            loop_timer_arm(a->record_timer, 0);
        }
}

/* Want of the machine's, which the next worker may not have: the lease decides. */
static bool transient(int code)
{
    return code == ERR_AGAIN || code == -EMFILE || code == -ENFILE || code == -ENOMEM || code == -ENOBUFS;
}

static void on_job_done(void *arg, struct job_result *result, const struct err *err)
{
    struct active *a = arg;
    struct run *run = a->run;

    a->rj = NULL;
    run->usual_us = (run->usual_us * 7 + (clock_mono_ns() - a->begun_ns) / 1000) / 8;
    if (err != NULL && err->code == ERR_AGAIN && (a->hand_back || a->cancelled))
        err = NULL; /* killed as it should be */
    if (a->lost || (err != NULL && transient(err->code))) {
        /* Not ours any more, or the jailer is gone: the lease decides who runs it next. */
        LOG_WARN("job_abandoned", F_STR("token", a->job->token), F_UINT("epoch", a->epoch),
                 F_STR("reason", a->lost ? "its lease was lost" : err->text));
        active_free(a);
        return;
    }
    a->result = *result;
    memset(result, 0, sizeof(*result));
    if (a->cancelled)
        a->hand_back = false;
    else if (a->result.status != JOB_CANCELLED)
        a->hand_back = false; /* it ended by itself before the kill reached it */
    if (err != NULL) {
        LOG_ERROR("job_failed", F_STR("token", a->job->token), F_STR("reason", err->text));
        a->result.status = JOB_INTERNAL_ERROR;
        free(a->result.message);
        a->result.message = mem_printf("execd could not run this job: %s", err->text);
    }
    a->record_delay_ms = RECORD_FIRST_MS;
    TRACE(a->job->token, "judged");
    a->ended = true;
    run->ended_count++;
    fill_slots(run);
    tell_crowded(run);
    record(a); /* says that the next one is begun, too */
    run_lease_tell(run);
    claim(run);
}

/* ---- claim ------------------------------------------------------------------------------ */

static void begin(struct active *a)
{
    struct run *run = a->run;

    a->begun_ns = clock_mono_ns();
    a->rj = run_job_start(&run->ctx, plugin_lang_find(run->o.plugins, a->job->language_id), a->job,
                          on_job_done, a);
}

/* Jobs that were claimed ahead are the next, in their order. */
static void fill_slots(struct run *run)
{
    struct active *a;

    TAILQ_FOREACH (a, &run->active, link) {
        if (run_running(run) >= run->o.slots || run->ahead_count == 0)
            return;
        if (!a->ahead)
            continue;
        a->ahead = false;
        run->ahead_count--;
        begin(a);
    }
}

/* It was not begun, and goes back to the head of its queue. */
void run_give_back(struct active *a)
{
    a->run->ahead_count -= a->ahead;
    a->ahead = false;
    a->run->ended_count++;
    a->ended = a->hand_back = true;
    a->record_delay_ms = RECORD_FIRST_MS;
    record(a);
}

/* The last first: each goes before the one that was given back before it. */
static void give_back_since(struct run *run, uint64_t since_ms)
{
    struct active *a, *before;

    for (a = TAILQ_LAST(&run->active, active_list); a != NULL; a = before) {
        before = TAILQ_PREV(a, active_list, link);
        if (a->ahead && a->claimed_ms <= since_ms)
            run_give_back(a);
    }
}

/* What runs is not as short as it used to be. */
static void on_ahead_timer(void *arg)
{
    struct run *run = arg;

    const unsigned before = run->ahead_count;

    give_back_since(run, loop_now_ms(run->o.loop) - AHEAD_MAX_MS);
    if (run->ahead_count < before)
        run->usual_us = UNKNOWN_US;
    if (run->ahead_count > 0)
        loop_timer_arm(run->ahead_timer, AHEAD_MAX_MS / 2);
}

static void take(struct run *run, struct store_claim *c)
{
    struct active *a = NEW(struct active);

    a->run = run;
    a->job = c->job;
    a->epoch = c->epoch;
    a->record_timer = loop_timer_new(run->o.loop, on_record_timer, a);
    a->ahead = true;
    a->untold = c->ahead;
    a->claimed_ms = loop_now_ms(run->o.loop);
    TAILQ_INSERT_TAIL(&run->active, a, link);
    run->active_count++;
    run->ahead_count++;
    TRACE_AT(a->job->token, "claim_asked", run->claim_asked_ns);
    TRACE(a->job->token, "claimed");
}

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct run *run = arg;

    run->claiming = false;
    run->dry = err != NULL || (count < run->asked && !more);
    if (err != NULL && err->code != ERR_AGAIN)
        LOG_ERROR("claim_failed", F_STR("reason", err->text));
    for (size_t i = 0; i < count; i++)
        take(run, &claims[i]);
    if (run->draining || run->resting) /* they were claimed while the drain began */
        give_back_since(run, UINT64_MAX);
    fill_slots(run);
    run_lease_tell(run);
    tell_crowded(run);
    if (run->ahead_count > 0 && !loop_timer_armed(run->ahead_timer))
        loop_timer_arm(run->ahead_timer, AHEAD_MAX_MS);
    drain_check(run);
    claim(run);
}

/* A slot is free as soon as its job has ended: then the result and the question for the next job reach Redis
 * together, and are one write to its disk.  Where jobs are short, the time of that question is worth as much
 * as a job: then the next ones are claimed while the last ones run (run_window.c).  Results that Redis does
 * not take keep the worker from claiming. A queue that was found empty is asked again when a hint has come,
 * or the poll's time. */
static void claim(struct run *run)
{
    const unsigned window = run_window(run->o.slots, run->usual_us);
    const unsigned wanted = run_window_wants(run->o.slots, window, run->active_count - run->ended_count);

    if (!run->started || run->draining || run->resting || run->claiming)
        return;
    if (wanted == 0 ||
        run->ended_count > run_window_unrecorded(run->o.slots, window, (unsigned)run->o.conf->queue_shards))
        return;
    if ((run->dry && !run->hinted) || !store_connected(run->o.store))
        return;
    run->claiming = true;
    run->hinted = false;
    run->asked = wanted;
    run->claim_asked_ns = clock_mono_ns();
    store_claim(run->o.store, run->id, run->languages, run->language_count, run->asked,
                run->o.slots - run_running(run), on_claimed, run);
}

static void on_ready_hint(void *arg)
{
    struct run *run = arg;

    run->hinted = true; /* also while an answer is on its way, which may know nothing of it */
    claim(run);
}

static void on_claim_timer(void *arg)
{
    struct run *run = arg;

    loop_timer_arm(run->claim_timer, CLAIM_POLL_MS);
    on_ready_hint(run);
}

/* ---- heartbeat ---------------------------------------------------------------------------- */

static void on_beat_timer(void *arg)
{
    struct run *run = arg;

    loop_timer_arm(run->beat_timer, run->o.conf->heartbeat_ms);
    run_beat(run);
    run_lease_extend(run);
    run_tell_languages(run);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void collect_languages(struct run *run)
{
    size_t n = plugin_lang_count(run->o.plugins);

    run->languages = mem_zero(MAX(n, (size_t)1), sizeof(*run->languages));
    for (size_t i = 0; i < n; i++) {
        int32_t id = plugin_lang_id(plugin_lang_at(run->o.plugins, i));

        if (run_check_serves(run->check, id))
            run->languages[run->language_count++] = id;
    }
}

static void on_checked(void *arg, const struct err *err)
{
    struct run *run = arg;

    if (err == NULL)
        collect_languages(run);
    run->ready(run->ready_arg, err);
}

struct run *run_new(const struct run_options *o, run_ready_fn ready, void *arg)
{
    struct run *run = NEW(struct run);

    run->o = *o;
    run->ctx = (struct run_job_context){.loop = o->loop, .jail = o->jail, .conf = o->conf};
    run->ready = ready;
    run->ready_arg = arg;
    TAILQ_INIT(&run->active);
    run_make_id(run);
    run->check = run_check_start(&run->ctx, o->plugins, o->slots, on_checked, run);
    run->ctx.cache = o->cache; /* from here on: checks compile */
    return run;
}

/* ---- warm runtimes ------------------------------------------------------------------------------- */

static void warm_begin(struct run *run)
{
    const struct warm_options wo = {.loop = run->o.loop,
                                    .jail = run->o.jail,
                                    .conf = run->o.conf,
                                    .slots = run->o.slots,
                                    .prove = run_prove_pool,
                                    .prove_arg = run->prove = run_prove_new(&run->ctx, run->check)};

    run->warm = run->ctx.warm = warm_new(&wo);
    run_cache_on_changed(run->o.cache, warm_renew, run->warm);
    run_prove_start(run->prove, run->warm, run->o.plugins);
}

static void on_warm_ended(void *arg)
{
    struct run *run = arg;

    run->warm_ending--;
    drain_check(run);
}

static void warm_end(struct run *run)
{
    if (run->warm == NULL)
        return;
    run->warm_ending = 2;
    warm_stop(run->warm, on_warm_ended, run);
    run_prove_stop(run->prove, on_warm_ended, run);
}

void run_try_warm(struct run *run, loop_fn fn, void *arg)
{
    warm_begin(run);
    warm_on_settled(run->warm, fn, arg);
}

void run_describe_warm(const struct run *run, int32_t language_id, char *out, size_t size)
{
    warm_describe(run->warm, language_id, out, size);
}

/* ---- start and end --------------------------------------------------------------------------------- */

void run_start(struct run *run)
{
    run->started = true;
    LOG_INFO("worker_started", F_STR("worker", run->id), F_UINT("slots", run->o.slots),
             F_UINT("languages", run->language_count));
    run->started_ms = clock_wall_ms();
    run->claim_timer = loop_timer_new(run->o.loop, on_claim_timer, run);
    run->ahead_timer = loop_timer_new(run->o.loop, on_ahead_timer, run);
    run->usual_us = UNKNOWN_US;
    run->beat_timer = loop_timer_new(run->o.loop, on_beat_timer, run);
    store_on_ready(run->o.store, on_ready_hint, run);
    warm_begin(run);
    on_beat_timer(run);
    on_claim_timer(run);
}

/* The time for running jobs is over: kill them and hand them back. */
static void on_drain_timer(void *arg)
{
    struct run *run = arg;
    struct active *a;
    bool killed = false;

    TAILQ_FOREACH (a, &run->active, link) {
        if (a->rj == NULL || a->hand_back)
            continue;
        a->hand_back = true;
        killed = true;
        run_job_cancel(a->rj);
    }
    if (killed) {
        loop_timer_arm(run->drain_timer, DRAIN_RECORD_MS);
    } else if (!run->drained) { /* Redis does not take what is left; leases and epochs settle it */
        LOG_WARN("drain_incomplete", F_UINT("jobs", run->active_count));
        run->drained = true;
        drained_later(run);
    }
}

void run_drain(struct run *run, loop_fn fn, void *arg)
{
    run->draining = true;
    run->on_drained = fn;
    run->drained_arg = arg;
    warm_end(run);
    give_back_since(run, UINT64_MAX);
    run->drain_timer = loop_timer_new(run->o.loop, on_drain_timer, run);
    loop_timer_arm(run->drain_timer, run->o.conf->drain_ms);
    if (run->started) {
        store_on_ready(run->o.store, NULL, NULL);
        run_beat(run);
    }
    drain_check(run);
}

/* As a drain, but nothing is killed and it can be taken back; the runtimes stay warm for that. */
void run_rest(struct run *run, bool rest)
{
    if (run->resting == rest || run->draining)
        return;
    LOG_INFO(rest ? "worker_rests" : "worker_goes_on", F_STR("worker", run->id),
             F_UINT("held", run->active_count));
    run->resting = rest;
    run->told_rest = false;
    if (rest) {
        give_back_since(run, UINT64_MAX);
        drain_check(run);
    } else {
        on_ready_hint(run);
        run_beat(run);
    }
}

void run_drain_now(struct run *run)
{
    if (run->draining && !run->drained)
        loop_timer_arm(run->drain_timer, 0);
}

bool run_serves(const struct run *run, int32_t language_id)
{
    return run_check_serves(run->check, language_id);
}

const char *run_worker_id(const struct run *run)
{
    return run->id;
}

void run_free(struct run *run)
{
    struct active *a;

    if (run == NULL)
        return;
    while ((a = TAILQ_FIRST(&run->active)) != NULL) { /* results that Redis did not take */
        TAILQ_REMOVE(&run->active, a, link);
        loop_timer_free(a->record_timer);
        job_result_done(&a->result);
        job_free(a->job);
        free(a);
    }
    loop_timer_free(run->claim_timer);
    loop_timer_free(run->ahead_timer);
    loop_timer_free(run->beat_timer);
    loop_timer_free(run->drain_timer);
    run_prove_free(run->prove);
    run_cache_on_changed(run->o.cache, NULL, NULL);
    warm_free(run->warm);
    run_check_free(run->check);
    free(run->languages);
    free(run);
}
