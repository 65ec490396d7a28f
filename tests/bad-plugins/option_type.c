/* option_type.c - a type of the future */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"shell", 99, 0, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
