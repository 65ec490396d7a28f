/* api_scaling.c - who scales the fleet, and what was decided lately, with its inputs and reasons. */
#include "api_internal.h"

#define LIMIT 50

static struct wire_decision shown(const struct store_decision *d)
{
    struct wire_decision w = {.at_ms = d->at_ms,
                              .interval_ms = d->interval_ms,
                              .running = d->running,
                              .oldest_wait_ms = d->oldest_wait_ms,
                              .arrived = d->arrived,
                              .finished = d->finished,
                              .service_ms = d->service_ms,
                              .workers = d->workers,
                              .slots = d->slots,
                              .draining = d->draining,
                              .cpu_permille = d->cpu_permille,
                              .replicas = d->replicas,
                              .wanted = d->wanted,
                              .target = d->target,
                              .blind = d->blind,
                              .reason = d->reason};

    memcpy(w.queued, d->queued, sizeof(w.queued));
    return w;
}

static void answer(struct api_call *call, const struct store_scene *scene)
{
    const struct conf *c = call->api->o.conf;
    CLEAN_FREE struct wire_decision *list = mem_zero(MAX(scene->decision_count, (size_t)1), sizeof(*list));
    const struct wire_scaling s = {.leader = scene->who[0] == '\0' ? NULL : scene->who,
                                   .epoch = scene->epoch,
                                   .lease_left_ms = scene->left_ms,
                                   .min = c->min_pods,
                                   .max = c->max_pods,
                                   .jobs_per_pod = c->jobs_per_pod,
                                   .check_interval_ms = c->check_interval_ms,
                                   .policy = c->policy == CONF_POLICY_OBJECTIVE ? "objective" : "queue",
                                   .leaving = scene->leaving,
                                   .leaving_count = scene->leaving_count,
                                   .decisions = list,
                                   .decision_count = scene->decision_count};
    CLEAN_BUF struct buf body = {0};

    for (size_t i = 0; i < scene->decision_count; i++)
        list[i] = shown(&scene->decisions[i]);
    if (wire_scaling_json(&s, &body) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the decisions"});
    else
        api_answer_json(call, 200, &body);
}

static void on_viewed(void *arg, const struct err *err, const struct store_scene *scene)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else
            answer(call, scene);
    }
    api_call_unref(call);
}

void api_scaling(struct api_call *call)
{
    uint64_t limit;

    if (api_query_number(call, "limit", STORE_DECISIONS_MAX, LIMIT, &limit))
        store_scale_view(call->api->o.store, (size_t)limit, on_viewed, api_call_ref(call));
}
