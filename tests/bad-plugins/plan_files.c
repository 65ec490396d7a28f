/* plan_files.c - more files than a plan may have */
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
    char name[] = "x00";

    for (int i = 0; i < 65; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        good_host->plan_file(plan, EXECD_PHASE_RUN, name, submission->source, 0444);
    }
    good_host->plan_step(plan, &step);
    return EXECD_OK;
}
#define PLAN plan_badly
#include "descriptor.h"
