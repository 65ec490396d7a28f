/* wrong_magic.c - its descriptor is none */
#define HEAD 0x12345678u, sizeof(struct execd_plugin), EXECD_ABI_MAJOR, EXECD_ABI_MINOR, 0, EXECD_KIND_LANG, 0
#include "descriptor.h"
