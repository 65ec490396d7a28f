/* probed_missing.c - it cannot read its version */
#define PROBED NULL
#include "descriptor.h"
