/* probe_nothing.c - a probe that runs nothing */
#include "good.h"

static int32_t probe_badly(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)language_id;
    (void)plan;
    (void)err;
    (void)step;
    return EXECD_OK;
}
#define PROBE probe_badly
#include "descriptor.h"
