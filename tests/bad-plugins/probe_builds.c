/* probe_builds.c - a probe that compiles */
#include "good.h"

static int32_t probe_badly(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)language_id;
    (void)plan;
    (void)err;
    (void)step;
    good_host->plan_step(plan, &step);
    step.phase = EXECD_PHASE_BUILD;
    return good_host->plan_step(plan, &step);
}
#define PROBE probe_badly
#include "descriptor.h"
