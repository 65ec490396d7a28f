/* option_bad_key.c - a key that is none */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"The Shell", EXECD_OPT_PATH, 0, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
