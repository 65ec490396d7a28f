/* no_destroy.c - nothing ends an instance */
#define DESTROY NULL
#include "descriptor.h"
