/* option_required_fallback.c - required, and yet with a fallback */
#include <execd/plugin.h>

static const struct execd_option table[] = {
    {"shell", EXECD_OPT_PATH, EXECD_OPT_REQUIRED, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
