/* option_twice.c - one key for two options */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"shell", EXECD_OPT_PATH, 0, "/bin/sh", "the shell", 0, 0},
                                            {"shell", EXECD_OPT_PATH, 0, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
