/* create_odd_code.c - an answer that is no code */
#include "good.h"

static int32_t create(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err)
{
    (void)host;
    (void)ctx;
    (void)values;
    (void)ret_self;
    (void)err;
    return 12;
}
#define CREATE create
#include "descriptor.h"
