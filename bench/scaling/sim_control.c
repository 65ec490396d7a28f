/* sim_control.c - what decides: execd's policies as they are linked into its plugins, and what they are
 * compared with. */
#include "sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- execd --------------------------------------------------------------------------------- */

static uint64_t ms(double seconds)
{
    return (uint64_t)(seconds * 1000);
}

static uint32_t show_workers(const struct sim *s, struct execd_worker *list)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s->place_count; i++) {
        const struct sim_pod *p = &s->pods[i];

        if (p->state != SIM_READY && p->state != SIM_DRAINING)
            continue;
        list[n++] = (struct execd_worker){.id = "pod",
                                          .slots = s->set.slots,
                                          .running = p->busy,
                                          .flags = p->state == SIM_DRAINING ? EXECD_WORKER_DRAINING : 0,
                                          .cpu_millis = (uint64_t)p->busy * 1000,
                                          .cpu_millis_max = (uint64_t)s->set.slots * 1000};
    }
    return n;
}

static void remember(struct sim *s, const struct execd_observation *o, uint32_t wanted)
{
    if (s->sample_count == SIM_SAMPLES)
        memmove(s->samples, s->samples + 1, --s->sample_count * sizeof(s->samples[0]));
    s->samples[s->sample_count++] = (struct execd_sample){.age_ms = o->now_ms,
                                                          .interval_ms = o->interval_ms,
                                                          .waiting = o->waiting,
                                                          .running = o->running,
                                                          .arrived = o->arrived,
                                                          .finished = o->finished,
                                                          .service_ms_sum = o->service_ms_sum,
                                                          .replicas = o->replicas,
                                                          .wanted = wanted,
                                                          .slots = o->worker_count > 0 ? s->set.slots : 0};
}

static uint32_t execd(struct sim *s, uint32_t kind)
{
    static struct execd_sample shown[SIM_SAMPLES];
    struct execd_worker *workers = sim_memory(s->place_count, sizeof(*workers));
    const struct execd_policy policy = {.size = sizeof(policy),
                                        .kind = kind,
                                        .check_ms = ms(s->controller->every_s),
                                        .stabilization_ms = 60000,
                                        .wait_target_ms = ms(s->set.target_s),
                                        .start_ms = ms(s->set.start_s)};
    struct execd_observation o = {.size = sizeof(o),
                                  .now_ms = ms(s->now),
                                  .interval_ms = ms(s->now > 0 ? s->now - s->looked : s->controller->every_s),
                                  .waiting = s->queue_tail - s->queue_head,
                                  .running = s->running,
                                  .arrived = s->since.arrived,
                                  .finished = s->since.finished,
                                  .service_ms_sum = s->since.service_ms,
                                  .replicas = (uint32_t)s->live,
                                  .replicas_min = s->set.min,
                                  .replicas_max = s->set.max,
                                  .jobs_per_replica = s->set.jobs_per_pod,
                                  .workers = workers,
                                  .worker_count = show_workers(s, workers),
                                  .worker_stride = sizeof(*workers),
                                  .policy = &policy,
                                  .samples = shown,
                                  .sample_count = s->sample_count,
                                  .sample_stride = sizeof(shown[0])};
    struct execd_advice advice = {.size = sizeof(advice)};

    if (o.waiting > 0)
        o.oldest_wait_ms = ms(s->now - s->jobs[s->queue[s->queue_head]].at);
    for (uint32_t i = 0; i < s->sample_count; i++) {
        shown[i] = s->samples[i];
        shown[i].age_ms = o.now_ms - shown[i].age_ms;
    }
    scaler_policy_decide(&o, &advice);
    remember(s, &o, advice.wanted);
    free(workers);
    return advice.replicas;
}

static uint32_t execd_queue(struct sim *s)
{
    return execd(s, EXECD_POLICY_QUEUE);
}

static uint32_t execd_objective(struct sim *s)
{
    return execd(s, EXECD_POLICY_OBJECTIVE);
}

/* ---- Kubernetes' HPA, autoscaling/v2 with the defaults of its behavior ------------------------------- */

#define TOLERANCE 0.1
#define DOWN_WINDOW_S 300
#define CPU_TARGET 0.7

/* Up by at most what is there or four, within its period of 15 s; down to the most of five minutes. */
static uint32_t behave(struct sim *s, uint32_t current, uint32_t desired)
{
    const uint32_t up = current * 2 > current + 4 ? current * 2 : current + 4;
    const uint32_t room = sizeof(s->advice) / sizeof(s->advice[0]);
    uint32_t most = desired;

    if (s->advice_count == room)
        memmove(s->advice, s->advice + 1, --s->advice_count * sizeof(s->advice[0]));
    s->advice[s->advice_count].at = s->now;
    s->advice[s->advice_count++].replicas = desired;
    for (uint32_t i = 0; i < s->advice_count; i++)
        if (s->now - s->advice[i].at <= DOWN_WINDOW_S && s->advice[i].replicas > most)
            most = s->advice[i].replicas;
    if (desired < current)
        desired = most < current ? most : current;
    return desired < up ? desired : up;
}

static uint32_t external(struct sim *s, double total)
{
    const uint32_t current = (uint32_t)s->live;
    const double ratio = total / (s->set.jobs_per_pod * fmax(current, 1));

    if (current > 0 && fabs(1 - ratio) <= TOLERANCE)
        return behave(s, current, current);
    return behave(s, current, (uint32_t)ceil(total / s->set.jobs_per_pod));
}

static uint32_t keda_list(struct sim *s) /* its redis scaler: LLEN, what waits */
{
    return external(s, (double)(s->queue_tail - s->queue_head));
}

static uint32_t
keda_stream(struct sim *s) /* its redis-streams scaler: what waits and what is not acknowledged yet */
{
    return external(s, (double)(s->queue_tail - s->queue_head) + (double)s->running);
}

static uint32_t hpa_cpu(struct sim *s)
{
    const uint32_t current = (uint32_t)s->live, ready = sim_count(s, SIM_READY),
                   unready = sim_count(s, SIM_STARTING);
    double busy = 0, ratio, again;

    for (size_t i = 0; i < s->place_count; i++)
        busy += s->pods[i].state == SIM_READY ? (double)s->pods[i].busy / s->set.slots : 0;
    if (ready == 0)
        return behave(s, current, current);
    ratio = busy / ready / CPU_TARGET;
    if (fabs(1 - ratio) <= TOLERANCE)
        return behave(s, current, current);
    if (ratio < 1 || unready == 0)
        return behave(s, current, (uint32_t)ceil(ratio * ready));
    again = busy / (ready + unready) / CPU_TARGET; /* those that start count as idle */
    if (again <= 1 + TOLERANCE)
        return behave(s, current, current);
    return behave(s, current, (uint32_t)ceil(again * (ready + unready)));
}

const struct sim_controller sim_controllers[] = {
    {"execd objective", 10, execd_objective, true}, {"execd queue", 10, execd_queue, true},
    {"HPA, cpu 70%", 15, hpa_cpu, false},           {"KEDA redis list", 15, keda_list, false},
    {"KEDA redis streams", 15, keda_stream, false},
};
const size_t sim_controller_count = sizeof(sim_controllers) / sizeof(sim_controllers[0]);
