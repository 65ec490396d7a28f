/* warm_asks_warm.c - a warm runtime that asks for one */
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
    step.warm = EXECD_WARM_ZYGOTE;
    return good_host->plan_step(plan, &step);
}
