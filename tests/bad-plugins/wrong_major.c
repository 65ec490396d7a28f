/* wrong_major.c - built for a contract that does not exist yet */
#define HEAD EXECD_PLUGIN_MAGIC, sizeof(struct execd_plugin), 2, 3, 0, EXECD_KIND_LANG, 0
#include "descriptor.h"
