/* plan_argv_empty.c - nothing to run */
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
    static const char *const argv[] = {NULL};

    step.argv = argv;
    good_host->plan_step(plan, &step);
    return EXECD_OK;
}
#define PLAN plan_badly
#include "descriptor.h"
