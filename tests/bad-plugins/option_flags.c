/* option_flags.c - flags of the future */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"shell", EXECD_OPT_PATH, 64, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
