/* create_fails_inside.c - a fault of its own */
#include "good.h"

static int32_t create(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err)
{
    (void)host;
    (void)ctx;
    (void)values;
    (void)ret_self;
    (void)err;
    return host->fail(err, EXECD_E_INTERNAL, "two and two is five");
}
#define CREATE create
#include "descriptor.h"
