/* reserved_set.c - it writes where nothing is yet */
#define HEAD                                                                                                 \
    EXECD_PLUGIN_MAGIC, sizeof(struct execd_plugin), EXECD_ABI_MAJOR, EXECD_ABI_MINOR, 0, EXECD_KIND_LANG, 1
#include "descriptor.h"
