/* ops_of_both.c - operations of both kinds */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {sizeof(scaler), 0, NULL, NULL, NULL};
#define OPS &ops, &scaler
#include "descriptor.h"
