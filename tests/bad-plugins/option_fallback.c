/* option_fallback.c - a fallback that is refused by its own rule */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"count", EXECD_OPT_INT, 0, "11", "how many", 1, 10}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
