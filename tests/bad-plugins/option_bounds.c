/* option_bounds.c - a minimum above the maximum */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"count", EXECD_OPT_INT, 0, "5", "how many", 10, 1}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
