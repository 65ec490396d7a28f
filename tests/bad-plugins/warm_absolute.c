/* warm_absolute.c - a warm runtime with a file outside of its box */
#define PREBOOT preboot_badly
#include "warm.h"

static int32_t preboot_badly(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                             struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)language_id;
    (void)variant;
    (void)err;
    good_host->plan_file(plan, EXECD_PHASE_RUN, "/etc/boot", (struct execd_bytes){"", 0}, 0444);
    return good_host->plan_step(plan, &step);
}
