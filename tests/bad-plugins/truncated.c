/* truncated.c - a descriptor that ends too early */
#define HEAD EXECD_PLUGIN_MAGIC, 24, EXECD_ABI_MAJOR, EXECD_ABI_MINOR, 0, EXECD_KIND_LANG, 0
#include "descriptor.h"
