/* needs_newer_host.c - it asks for a host of the future */
#define HEAD                                                                                                 \
    EXECD_PLUGIN_MAGIC, sizeof(struct execd_plugin), EXECD_ABI_MAJOR, EXECD_ABI_MINOR, 9, EXECD_KIND_LANG, 0
#include "descriptor.h"
