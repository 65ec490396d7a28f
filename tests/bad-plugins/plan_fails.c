/* plan_fails.c - it cannot plan its own self-test */
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
    return good_host->fail(err, EXECD_E_REQUEST, "no\nsuch thing.");
}
#define PLAN plan_badly
#include "descriptor.h"
