/* plan_missing.c - it cannot plan */
#define PLAN NULL
#include "descriptor.h"
