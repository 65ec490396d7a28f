/* scale_see.c - from what Redis told to an observation, and the advice on it. */
#include "scale_internal.h"

#include "keeper.h"

_Static_assert(KEEPER_NUMBER_MAX == EXECD_WORKERS_MAX, "a plugin may use the numbers that there are");

/* ---- our copy of the scene ---------------------------------------------------------------- */

static bool told_to_leave(const struct store_scene *s, const char *id)
{
    for (size_t i = 0; i < s->leaving_count; i++)
        if (strcmp(s->leaving[i], id) == 0)
            return true;
    return false;
}

/* A worker has no more cpu of its host than its slots take: what is beyond belongs to its neighbours. */
static void show(const struct store_worker *w, uint64_t now_ms, struct execd_worker *ret)
{
    const double cores = w->cores;

    *ret = (struct execd_worker){.id = w->id,
                                 .slots = w->slots,
                                 .running = w->running,
                                 .flags = (w->draining ? EXECD_WORKER_DRAINING : 0u) |
                                          (w->drained ? EXECD_WORKER_DRAINED : 0u),
                                 .cpu_millis = (uint64_t)(w->cpu_ratio * cores * 1000),
                                 .cpu_millis_max = (uint64_t)MIN(w->cores, MAX(w->slots, 1u)) * 1000,
                                 .memory_bytes = w->memory_bytes,
                                 .memory_bytes_max = w->memory_max,
                                 .age_ms = now_ms > w->seen_ms ? now_ms - w->seen_ms : 0};
}

void scale_view_take(struct scale_view *v, const struct store_scene *scene, struct execd_ctx *scaler)
{
    const size_t room = MAX(scene->worker_count, (size_t)1);

    scale_view_done(v);
    v->scene = *scene;
    v->scene.workers = NULL;
    v->scene.leaving = NULL;
    v->scene.decisions = NULL;
    v->workers = mem_zero(room, sizeof(*v->workers));
    v->shown = mem_zero(room, sizeof(*v->shown));
    v->planned = mem_zero(room, sizeof(*v->planned));
    for (size_t i = 0; i < scene->worker_count; i++) {
        struct store_worker *w = &v->workers[v->count];

        if (!plugin_scaler_owns(scaler, scene->workers[i].id))
            continue;
        *w = scene->workers[i];
        show(w, scene->now_ms, &v->shown[v->count]);
        v->planned[v->count++] = (struct scale_worker){.id = w->id,
                                                       .rank = plugin_scaler_rank(scaler, w->id),
                                                       .held = MAX(w->held, w->running),
                                                       .started_ms = w->started_ms,
                                                       .leaving = told_to_leave(scene, w->id),
                                                       .draining = w->draining,
                                                       .drained = w->drained};
    }
}

void scale_view_done(struct scale_view *v)
{
    free(v->workers);
    free(v->shown);
    free(v->planned);
    *v = (struct scale_view){0};
}

/* ---- the numbers ------------------------------------------------------------------------------ */

/* Those that are heard of, whatever was decided: what was only meant to be would never be asked for again.
 * While none is, what the backend was asked for; a new leader takes what the one before it saw. */
uint32_t scale_view_replicas(const struct scale_view *v, const struct scale_past *past, int64_t asked)
{
    if (v->count > 0)
        return (uint32_t)v->count;
    if (asked >= 0)
        return (uint32_t)asked;
    return past->last.target == 0 ? 0 : past->last.replicas;
}

/* A counter that is less than before begins anew: another Redis, or one that lost what it had. */
static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void measure_workers(const struct scale_view *v, struct store_decision *d)
{
    double slots = 0, cpu = 0, told = 0;

    for (size_t i = 0; i < v->count; i++) {
        const struct execd_worker *w = &v->shown[i];

        slots += w->slots;
        d->draining += (w->flags & EXECD_WORKER_DRAINING) != 0;
        if (w->cpu_millis_max == 0)
            continue;
        cpu += (double)w->cpu_millis / (double)w->cpu_millis_max;
        told++;
    }
    d->workers = (uint32_t)v->count;
    d->slots = v->count == 0 ? 0 : (uint32_t)(slots / (double)v->count + 0.5);
    d->cpu_permille = told == 0 ? 0 : (uint32_t)(1000 * cpu / told);
}

void scale_view_measure(const struct scale_view *v, const struct scale_past *past, const struct conf *conf,
                        uint32_t replicas, struct store_decision *d)
{
    const struct store_scene *s = &v->scene;
    const struct store_decision *before = &past->last;
    const bool first = before->at_ms == 0 || before->at_ms >= s->now_ms;

    *d = (struct store_decision){.at_ms = s->now_ms,
                                 .interval_ms = first ? conf->check_interval_ms : s->now_ms - before->at_ms,
                                 .running = s->running,
                                 .oldest_wait_ms = s->oldest_wait_ms,
                                 .accepted = s->accepted,
                                 .served = s->served,
                                 .held = s->held,
                                 .replicas = replicas};
    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        d->queued[i] = s->queued[i];
    if (!first) {
        d->arrived = since(s->accepted, before->accepted);
        d->finished = since(s->served, before->served);
        d->service_ms = since(s->held, before->held);
    }
    measure_workers(v, d);
}

/* ---- the advice ---------------------------------------------------------------------------------- */

static struct execd_policy policy_of(const struct conf *c)
{
    return (struct execd_policy){.size = sizeof(struct execd_policy),
                                 .kind = c->policy == CONF_POLICY_OBJECTIVE ? EXECD_POLICY_OBJECTIVE
                                                                            : EXECD_POLICY_QUEUE,
                                 .cpu_target_percent = (uint32_t)c->cpu_target,
                                 .check_ms = c->check_interval_ms,
                                 .stabilization_ms = c->stabilization_ms,
                                 .wait_target_ms = c->wait_target_ms,
                                 .start_ms = c->pod_start_ms};
}

/* The operator's bounds hold whatever was advised; and where replicas are not heard of at all, none are
 * taken. */
static void clamp(const struct conf *c, uint32_t advised, struct store_decision *d)
{
    const uint32_t min = (uint32_t)c->min_pods, max = (uint32_t)c->max_pods;

    d->target = MIN(MAX(advised, min), max);
    if (d->target != advised) {
        const size_t n = strlen(d->reason);

        snprintf(d->reason + n, sizeof(d->reason) - n, "; held to %s", advised < min ? "minPods" : "maxPods");
    }
    d->blind = d->replicas > 0 && d->workers == 0;
    if (d->blind && d->target < d->replicas) {
        d->target = d->replicas;
        snprintf(d->reason, sizeof(d->reason), "none of the %u replicas is heard of, so none is taken away",
                 d->replicas);
    }
}

int scale_view_decide(const struct scale_view *v, struct scale_past *past, const struct conf *conf,
                      struct execd_ctx *scaler, struct store_decision *d, struct err *reterr)
{
    const struct execd_policy policy = policy_of(conf);
    struct execd_observation o = {.size = sizeof(o),
                                  .now_ms = clock_mono_ns() / 1000000u,
                                  .interval_ms = d->interval_ms,
                                  .running = d->running,
                                  .oldest_wait_ms = d->oldest_wait_ms,
                                  .arrived = d->arrived,
                                  .finished = d->finished,
                                  .service_ms_sum = d->service_ms,
                                  .replicas = d->replicas,
                                  .replicas_min = (uint32_t)conf->min_pods,
                                  .replicas_max = (uint32_t)conf->max_pods,
                                  .jobs_per_replica = (uint32_t)conf->jobs_per_pod,
                                  .workers = v->shown,
                                  .worker_count = (uint32_t)v->count,
                                  .worker_stride = sizeof(v->shown[0]),
                                  .policy = &policy,
                                  .samples = past->samples,
                                  .sample_count = (uint32_t)past->count,
                                  .sample_stride = sizeof(past->samples[0])};
    struct execd_advice advice;
    int rc;

    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        o.waiting += d->queued[i];
    scale_past_ages(past, d->at_ms);
    if ((rc = plugin_scaler_decide(scaler, &o, &advice, reterr)) != 0)
        return rc;
    d->wanted = advice.wanted;
    snprintf(d->reason, sizeof(d->reason), "%s",
             advice.reason[0] == '\0' ? "the plugin gave no reason" : advice.reason);
    clamp(conf, advice.replicas, d);
    return 0;
}
