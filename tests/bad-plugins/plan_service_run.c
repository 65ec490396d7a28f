/* plan_service_run.c - a program that would run in a compiler */
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
    step.warm = EXECD_WARM_SERVICE;
    good_host->plan_step(plan, &step);
    return EXECD_OK;
}
#define PLAN plan_badly
#include "descriptor.h"
