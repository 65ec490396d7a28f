/* scale_past.c - what was seen and decided before, as the plugin is shown it. */
#include "scale_internal.h"

void scale_past_new(struct scale_past *p)
{
    *p = (struct scale_past){.samples = mem_zero(STORE_DECISIONS_MAX, sizeof(*p->samples)),
                             .at_ms = mem_zero(STORE_DECISIONS_MAX, sizeof(*p->at_ms))};
}

void scale_past_done(struct scale_past *p)
{
    free(p->samples);
    free(p->at_ms);
    *p = (struct scale_past){0};
}

static uint64_t waiting(const struct store_decision *d)
{
    uint64_t n = 0;

    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        n += d->queued[i];
    return n;
}

void scale_past_add(struct scale_past *p, const struct store_decision *d)
{
    struct execd_sample *s;

    if (p->count == STORE_DECISIONS_MAX) {
        p->count--;
        memmove(p->samples, p->samples + 1, p->count * sizeof(*p->samples));
        memmove(p->at_ms, p->at_ms + 1, p->count * sizeof(*p->at_ms));
    }
    s = &p->samples[p->count];
    p->at_ms[p->count++] = d->at_ms;
    p->last = *d;
    *s = (struct execd_sample){.interval_ms = d->interval_ms,
                               .waiting = waiting(d),
                               .running = d->running,
                               .arrived = d->arrived,
                               .finished = d->finished,
                               .service_ms_sum = d->service_ms,
                               .replicas = d->replicas,
                               .wanted = d->wanted,
                               .slots = d->slots};
}

void scale_past_load(struct scale_past *p, const struct store_decision *decisions, size_t count)
{
    p->count = 0;
    p->last = (struct store_decision){0};
    for (size_t i = count; i-- > 0;)
        scale_past_add(p, &decisions[i]);
}

void scale_past_ages(struct scale_past *p, uint64_t now_ms)
{
    for (size_t i = 0; i < p->count; i++)
        p->samples[i].age_ms = now_ms > p->at_ms[i] ? now_ms - p->at_ms[i] : 0;
}
