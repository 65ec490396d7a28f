/* with_options.c - no sin: one option of each type, for the tests of settings */
#include <execd/plugin.h>

static const struct execd_option table[] = {
    {"shell", EXECD_OPT_PATH, 0, "/bin/sh", "the shell", 0, 0},
    {"count", EXECD_OPT_INT, 0, "5", "how many", 1, 10},
    {"size", EXECD_OPT_BYTES, 0, "64k", "how much", 0, 0},
    {"patience", EXECD_OPT_MILLIS, 0, "250", "how long, ms", 0, 0},
    {"loud", EXECD_OPT_BOOL, 0, "false", "say more", 0, 0},
    {"token", EXECD_OPT_STRING, EXECD_OPT_REQUIRED | EXECD_OPT_SECRET, NULL, "what opens the door", 0, 0},
};
#define OPTIONS table, sizeof(table) / sizeof(table[0]), sizeof(table[0])
#include "descriptor.h"
