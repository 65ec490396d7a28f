/* scaler_no_decide.c - a scaler that gives no advice */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {sizeof(scaler), 0, NULL, NULL, NULL};
#define HEAD EXECD_PLUGIN_HEAD(EXECD_KIND_SCALER)
#define OPS NULL, &scaler
#include "descriptor.h"
