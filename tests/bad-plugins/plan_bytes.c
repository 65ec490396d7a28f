/* plan_bytes.c - more bytes than a plan may have */
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
    struct execd_bytes much = {submission->source.ptr, (64u << 20) + 1};

    good_host->plan_file(plan, EXECD_PHASE_RUN, "x", much, 0444);
    good_host->plan_step(plan, &step);
    return EXECD_OK;
}
#define PLAN plan_badly
#include "descriptor.h"
