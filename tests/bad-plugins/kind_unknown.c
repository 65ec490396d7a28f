/* kind_unknown.c - neither language nor scaler */
#define HEAD EXECD_PLUGIN_MAGIC, sizeof(struct execd_plugin), EXECD_ABI_MAJOR, EXECD_ABI_MINOR, 0, 7, 0
#include "descriptor.h"
