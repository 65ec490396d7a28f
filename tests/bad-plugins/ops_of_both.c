/* ops_of_both.c - operations of both kinds */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {.size = sizeof(scaler)};
#define OPS &ops, &scaler
#include "descriptor.h"
