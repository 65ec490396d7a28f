/* warm.h - a plan whose run step asks for a pre-booted runtime, and the operations that offer one by
 * `preboot`. */
#ifndef WARM_H
#define WARM_H

#include "good.h"

static inline int32_t warm_plan(void *self, const struct execd_submission *submission,
                                struct execd_plan *plan, struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)err;
    step.warm = EXECD_WARM_PREBOOT;
    good_host->plan_file(plan, EXECD_PHASE_RUN, "main.sh", submission->source, 0444);
    return good_host->plan_step(plan, &step);
}

#ifdef PREBOOT
static int32_t PREBOOT(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                       struct execd_error *err);
#ifndef WARM_SIZE
#define WARM_SIZE sizeof(struct execd_warm_ops)
#endif
static const struct execd_warm_ops warm_ops = {WARM_SIZE, 0, 0, NULL, PREBOOT, NULL};
#define WARM &warm_ops
#endif

#define PLAN warm_plan
#include "descriptor.h"

#endif
