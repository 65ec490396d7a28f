/* ops_missing.c - a language plugin without operations */
#define OPS NULL, NULL
#include "descriptor.h"
