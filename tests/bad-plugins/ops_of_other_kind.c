/* ops_of_other_kind.c - a language plugin with the operations of a scaler */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {.size = sizeof(scaler)};
#define OPS NULL, &scaler
#include "descriptor.h"
