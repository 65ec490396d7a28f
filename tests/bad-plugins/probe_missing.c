/* probe_missing.c - it cannot tell its version */
#define PROBE NULL
#include "descriptor.h"
