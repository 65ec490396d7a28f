/* policy_objective.c - slots for a waiting time (theory of operation: scaler_policy.h). */
#include "policy_internal.h"

#include <math.h>
#include <stdio.h>

#define LATE_SHARE 0.05 /* of the jobs may wait longer than the target */
#define SURE 3.0    /* standard deviations by which the last interval must stand out to count as a change */
#define GROWTH 1.25 /* a step up when the waiting itself says that the formula is wrong */
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

static struct measured measure(const struct execd_observation *o)
{
    const struct execd_sample *s;
    const uint64_t look = o->policy->start_ms > LOOK_MIN_MS / 2 ? 2 * o->policy->start_ms : LOOK_MIN_MS;
    const double now_s = (double)o->interval_ms / 1000, latest = (double)o->arrived;
    double seconds = now_s, arrived = latest, finished = (double)o->finished, all_finished = finished;
    double time = (double)o->service_ms_sum, all_time = time;
    struct measured m = {0};

    SAMPLE_EACH(o, s)
    {
        all_finished += (double)s->finished; /* how long jobs are is worth knowing even from long ago */
        all_time += (double)s->service_ms_sum;
        if (s->age_ms > look)
            continue;
        seconds += (double)s->interval_ms / 1000;
        arrived += (double)s->arrived;
        finished += (double)s->finished;
        time += (double)s->service_ms_sum;
    }
    if (finished < 20) { /* too few to know by themselves */
        finished = all_finished;
        time = all_time;
    }
    m.rate = seconds > 0 ? arrived / seconds : 0;
    m.time_s = finished > 0 ? time / finished / 1000 : 0;
    if (now_s > 0 && latest - m.rate * now_s > SURE * sqrt(fmax(m.rate * now_s, 1)))
        m.rate = latest / now_s; /* more than chance: a burst */
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
