/* scaler_policy.c - what is wanted, and how far it may go down (theory of operation: scaler_policy.h). */
#include "policy_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CPU_TOLERANCE 0.1 /* as that of Kubernetes' autoscaler: within it nothing moves */
#define HOLES_MAX 0.1     /* share of the window in which nobody may have looked */

double policy_slots_each(const struct execd_observation *o)
{
    const struct execd_worker *w;
    const struct execd_sample *s;
    double slots = 0, workers = 0, seen = 0;

    WORKER_EACH(o, w)
    {
        slots += w->slots;
        workers += w->slots > 0;
    }
    if (workers > 0)
        return slots / workers;
    SAMPLE_EACH(o, s)
    seen = s->slots > 0 ? s->slots : seen;
    return seen;
}

/* The seed's policy: what waits and what runs, so many jobs to a replica.  Without what runs a queue that is
 * just being worked off would look like no load at all. */
void policy_queue(const struct execd_observation *o, struct wish *wish)
{
    const double jobs = (double)o->waiting + (double)o->running;

    wish->replicas = ceil(jobs / fmax(o->jobs_per_replica, 1));
    snprintf(wish->why, sizeof(wish->why), "%.0f jobs wait and run, %u to a replica", jobs,
             (unsigned)o->jobs_per_replica);
}

/* So many that the cpu in use now would be the target's share of theirs.  A worker that drains or says
 * nothing of its cpu does not count: it is no evidence for fewer. */
void policy_cpu(const struct execd_observation *o, struct wish *wish)
{
    const struct execd_worker *w;
    const double target = o->policy->cpu_target_percent / 100.0;
    double share = 0, counted = 0;

    wish->replicas = 0;
    WORKER_EACH(o, w)
    {
        if ((w->flags & EXECD_WORKER_DRAINING) != 0 || w->cpu_millis_max == 0)
            continue;
        share += (double)w->cpu_millis / (double)w->cpu_millis_max;
        counted++;
    }
    if (target <= 0 || counted == 0)
        return;
    wish->replicas = ceil(share / target - 1e-9);
    if (fabs(share / counted / target - 1) <= CPU_TOLERANCE)
        wish->replicas = counted;
    snprintf(wish->why, sizeof(wish->why), "cpu of %.0f workers is at %.0f%%, its target is %u%%", counted,
             100 * share / counted, (unsigned)o->policy->cpu_target_percent);
}

/* ---- how far down ------------------------------------------------------------------------- */

struct window {
    double most;    /* that was wanted within it */
    double seconds; /* of it that were looked at */
};

static struct window look_back(const struct execd_observation *o)
{
    const struct execd_sample *s;
    const uint64_t reach = o->policy->stabilization_ms;
    /* An interval much longer than intended is one in which nobody looked. */
    const uint64_t longest = 2 * o->policy->check_ms;
    struct window w = {0, (double)(o->interval_ms < longest ? o->interval_ms : longest)};

    SAMPLE_EACH(o, s)
    {
        if (s->age_ms > reach)
            continue;
        w.most = fmax(w.most, s->wanted);
        w.seconds += (double)(s->interval_ms < longest ? s->interval_ms : longest);
    }
    w.seconds /= 1000;
    return w;
}

static void reason(struct execd_advice *advice, const char *fmt, ...) EXECD_PRINTF(2, 3);
static void reason(struct execd_advice *advice, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(advice->reason, sizeof(advice->reason), fmt, ap);
    va_end(ap);
}

static uint32_t bounded(const struct execd_observation *o, double replicas)
{
    return (uint32_t)fmin(fmax(replicas, o->replicas_min), o->replicas_max);
}

void scaler_policy_decide(const struct execd_observation *o, struct execd_advice *advice)
{
    const double window_s = (double)o->policy->stabilization_ms / 1000;
    const struct window past = look_back(o);
    struct wish wish = {0}, cpu = {0};
    uint32_t held;

    if (o->policy->kind == EXECD_POLICY_OBJECTIVE)
        policy_objective(o, &wish);
    else
        policy_queue(o, &wish);
    policy_cpu(o, &cpu);
    if (cpu.replicas > wish.replicas)
        wish = cpu;
    advice->wanted = advice->replicas = bounded(o, wish.replicas);
    reason(advice, "%s", wish.why);
    if (advice->wanted >= o->replicas)
        return;
    held = bounded(o, fmin(past.most, o->replicas));
    if (past.seconds < window_s * (1 - HOLES_MAX)) {
        advice->replicas = bounded(o, o->replicas);
        reason(advice, "%s; %.0f s of the %.0f s before going down were looked at", wish.why, past.seconds,
               window_s);
    } else if (held > advice->wanted) {
        advice->replicas = held;
        reason(advice, "%s; %u were wanted within %.0f s", wish.why, (unsigned)held, window_s);
    }
}
