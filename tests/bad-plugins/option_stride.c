/* option_stride.c - a stride that cuts options short */
#include <execd/plugin.h>

static const struct execd_option table[] = {{"shell", EXECD_OPT_PATH, 0, "/bin/sh", "the shell", 0, 0}};
#define OPTIONS table, 1, 8
#include "descriptor.h"
