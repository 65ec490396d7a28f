/* scaler_no_decide.c - a scaler that gives no advice */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {.size = sizeof(scaler)};
#define HEAD EXECD_PLUGIN_HEAD(EXECD_KIND_SCALER)
#define OPS NULL, &scaler
#include "descriptor.h"
