/* plan_preboot_build.c - a compiler that waits for its job as a program would */
#include "good.h"

static int32_t plan_badly(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                          struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)submission;
    (void)plan;
    (void)err;
    (void)step;
    step.phase = EXECD_PHASE_BUILD;
    step.warm = EXECD_WARM_PREBOOT;
    good_host->plan_step(plan, &step);
    return EXECD_OK;
}
#define PLAN plan_badly
#include "descriptor.h"
