/* plan_impure.c - a plan that changes from call to call */
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
    static unsigned calls;

    step.extra_processes = ++calls;
    return good_host->plan_step(plan, &step);
}
#define PLAN plan_badly
#include "descriptor.h"
