/* no_version.c - no version of its own */
#define VERSION ""
#include "descriptor.h"
