/* warm_impure.c - a warm runtime that is another each time */
#define PREBOOT preboot_badly
#include "warm.h"

static int32_t preboot_badly(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                             struct execd_error *err)
{
    struct execd_step step = good_step();
    static char word[] = "0";
    const char *const argv[] = {"/bin/sh", word, NULL};

    (void)self;
    (void)language_id;
    (void)variant;
    (void)err;
    word[0]++;
    step.argv = argv;
    return good_host->plan_step(plan, &step);
}
