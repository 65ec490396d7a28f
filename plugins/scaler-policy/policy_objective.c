/* policy_objective.c - slots for a waiting time (theory of operation: scaler_policy.h). */
#include "policy_internal.h"

#include <math.h>
#include <stdio.h>

#define LATE_SHARE 0.05 /* of the jobs may wait longer than the target */
#define SURE 3.0    /* standard deviations by which the last interval must stand out to count as a change */
#define GROWTH 1.25 /* a step up when the waiting itself says that the formula is wrong */
#define RISES 2.5   /* standard deviations between the halves of what is averaged over */
#define ENOUGH 20   /* jobs to know how long they are */
#define FULL 0.9    /* share of the slots in use from which on waiting is for want of slots */
#define LOOK_MIN_MS 60000u /* what is averaged over: at least so long */

/* ---- Erlang C -------------------------------------------------------------------------------- */

/* Beyond the exact part: load + b * sqrt(load), where P(wait) = 1 / (1 + b * Phi(b) / phi(b)) (Halfin and
 * Whitt) is 0.05 at b = 1.76; waiting that is allowed is left out, so this is never too few. */
static double square_root_rule(double load)
{
    return ceil(load + 1.76 * sqrt(load));
}

double scaler_policy_slots(double load, double wait)
{
    double blocked = 1, slots = 0; /* Erlang B, by its recursion from no slots at all */

    if (!(load > 0))
        return 0;
    if (load >= SCALER_EXACT_MAX)
        return square_root_rule(load);
    while (slots < 2 * SCALER_EXACT_MAX) {
        double waits;

        slots++;
        blocked = load * blocked / (slots + load * blocked);
        if (slots <= load)
            continue;
        waits = blocked / (1 - load / slots * (1 - blocked));
        if (waits * exp(-(slots - load) * wait) <= LATE_SHARE)
            break;
    }
    return slots;
}

/* ---- what was measured ------------------------------------------------------------------------- */

struct measured {
    double rate;   /* jobs a second */
    double time_s; /* of a job; 0: none has ended */
};

struct span {
    double seconds, arrived, finished, time_ms;
};

static void span_add(struct span *to, uint64_t interval_ms, uint64_t arrived, uint64_t finished,
                     uint64_t time_ms)
{
    to->seconds += (double)interval_ms / 1000;
    to->arrived += (double)arrived;
    to->finished += (double)finished;
    to->time_ms += (double)time_ms;
}

static double rate_of(const struct span *s)
{
    return s->seconds > 0 ? s->arrived / s->seconds : 0;
}

/* What is started now works later: where the rate rises by more than chance it is taken for what it will be
 * then, and for no more than twice what it is. */
static double rate_ahead(const struct span *look, const struct span *young, double ahead_s)
{
    const struct span old = {.seconds = look->seconds - young->seconds,
                             .arrived = look->arrived - young->arrived};
    const double before = rate_of(&old), after = rate_of(young);
    double slope;

    if (!(old.seconds > 0 && young->seconds > 0) ||
        after - before <= RISES * sqrt(before / old.seconds + after / young->seconds))
        return 0;
    slope = (after - before) / (look->seconds / 2); /* between the middles of both */
    return fmin(after + slope * (young->seconds / 2 + ahead_s), 2 * after);
}

static struct measured measure(const struct execd_observation *o)
{
    const struct execd_sample *s;
    const uint64_t look_ms = o->policy->start_ms > LOOK_MIN_MS / 2 ? 2 * o->policy->start_ms : LOOK_MIN_MS;
    const double now_s = (double)o->interval_ms / 1000, latest = (double)o->arrived;
    const double ahead_s = (double)(o->policy->start_ms + o->policy->check_ms) / 1000;
    struct span whole = {0}, look = {0}, young = {0};
    const struct span *times = &look;
    struct measured m = {0};

    span_add(&whole, o->interval_ms, o->arrived, o->finished, o->service_ms_sum);
    look = young = whole;
    SAMPLE_EACH(o, s)
    {
        span_add(&whole, s->interval_ms, s->arrived, s->finished, s->service_ms_sum);
        if (s->age_ms <= look_ms)
            span_add(&look, s->interval_ms, s->arrived, s->finished, s->service_ms_sum);
        if (s->age_ms < look_ms / 2)
            span_add(&young, s->interval_ms, s->arrived, s->finished, s->service_ms_sum);
    }
    if (look.finished < ENOUGH) /* how long jobs are is worth knowing even from long ago */
        times = &whole;
    m.time_s = times->finished > 0 ? times->time_ms / times->finished / 1000 : 0;
    m.rate = fmax(rate_of(&look), rate_ahead(&look, &young, ahead_s));
    if (now_s > 0 && latest - rate_of(&look) * now_s > SURE * sqrt(fmax(rate_of(&look) * now_s, 1)))
        m.rate = fmax(m.rate, latest / now_s); /* more than chance: a burst */
    return m;
}

/* ---- the wish ------------------------------------------------------------------------------------- */

static double slots_now(const struct execd_observation *o)
{
    const struct execd_worker *w;
    double slots = 0;

    WORKER_EACH(o, w)
    slots += (w->flags & EXECD_WORKER_DRAINING) != 0 ? 0 : w->slots;
    return slots;
}

void policy_objective(const struct execd_observation *o, struct wish *wish)
{
    const struct measured m = measure(o);
    const double target_s = fmax((double)o->policy->wait_target_ms / 1000, 0.001);
    const double patience_s = fmax(target_s, (double)(o->policy->start_ms + o->policy->check_ms) / 1000);
    const double here = slots_now(o);
    const double each = policy_slots_each(o);
    double load, slots, backlog;

    if (m.time_s <= 0 || each <= 0) { /* nothing to calculate with yet */
        policy_queue(o, wish);
        return;
    }
    load = m.rate * m.time_s;
    /* Jobs that are longer than what is averaged over show as running before they show as ended. */
    slots = fmax(scaler_policy_slots(load, target_s / m.time_s), (double)o->running);
    backlog = load + (double)o->waiting * m.time_s / patience_s;
    snprintf(wish->why, sizeof(wish->why), "%.3g jobs a second of %.3g s, %.0f wait: %.0f slots", m.rate,
             m.time_s, (double)o->waiting, ceil(fmax(slots, backlog)));
    if (ceil(backlog) > slots)
        slots = backlog;
    if (o->waiting > 0 && (double)o->oldest_wait_ms > 1000 * target_s && (double)o->running >= FULL * here &&
        here > 0 && slots < here * GROWTH && o->replicas > 0) {
        slots = fmax(here * GROWTH, here + 1);
        snprintf(wish->why, sizeof(wish->why),
                 "%.3g s waited, target %.3g s, all %.0f slots in use: %.0f slots",
                 (double)o->oldest_wait_ms / 1000, target_s, here, ceil(slots));
    }
    wish->replicas = ceil(slots / each - 1e-9);
}
