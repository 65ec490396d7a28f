/* wire_scaling.c - what scales the fleet, to JSON. */
#include "wire_internal.h"

static void put_number(struct wire_put *w, const char *key, uint64_t n)
{
    wire_put_key(w, key);
    wire_put_u64(w, n);
}

static void put_text(struct wire_put *w, const char *key, const char *text)
{
    wire_put_key(w, key);
    wire_put_text(w, text);
}

static void decision_put(struct wire_put *w, const struct wire_decision *d)
{
    wire_put_open(w, '{');
    wire_put_key(w, "at");
    wire_put_time(w, d->at_ms);
    put_number(w, "replicas", d->replicas);
    put_number(w, "wanted", d->wanted);
    put_number(w, "target", d->target);
    put_text(w, "reason", d->reason);
    wire_put_key(w, "blind");
    wire_put_bool(w, d->blind);
    put_number(w, "interval_ms", d->interval_ms);
    wire_put_key(w, "queued");
    wire_put_open(w, '{');
    for (int i = 0; i < JOB_PRIORITY_COUNT; i++)
        put_number(w, job_priority_name((enum job_priority)i), d->queued[i]);
    wire_put_close(w, '}');
    put_number(w, "running", d->running);
    put_number(w, "oldest_wait_ms", d->oldest_wait_ms);
    put_number(w, "arrived", d->arrived);
    put_number(w, "finished", d->finished);
    put_number(w, "service_ms", d->service_ms);
    put_number(w, "workers", d->workers);
    put_number(w, "slots_each", d->slots);
    put_number(w, "draining", d->draining);
    put_number(w, "cpu_permille", d->cpu_permille);
    wire_put_close(w, '}');
}

int wire_scaling_json(const struct wire_scaling *s, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    put_text(&w, "leader", s->leader);
    put_number(&w, "epoch", s->epoch);
    put_number(&w, "lease_left_ms", s->lease_left_ms);
    put_text(&w, "policy", s->policy);
    put_number(&w, "minPods", s->min);
    put_number(&w, "maxPods", s->max);
    put_number(&w, "jobsPerPod", s->jobs_per_pod);
    put_number(&w, "checkIntervalMs", s->check_interval_ms);
    wire_put_key(&w, "leaving");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < s->leaving_count; i++)
        wire_put_text(&w, s->leaving[i]);
    wire_put_close(&w, ']');
    wire_put_key(&w, "decisions");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < s->decision_count; i++)
        decision_put(&w, &s->decisions[i]);
    wire_put_close(&w, ']');
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}
