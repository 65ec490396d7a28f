/* ops_of_other_kind.c - a language plugin with the operations of a scaler */
#include <execd/plugin.h>

static const struct execd_scaler_ops scaler = {sizeof(scaler), 0, NULL, NULL, NULL};
#define OPS NULL, &scaler
#include "descriptor.h"
