/* warm_missing.c - a plan that asks for a runtime which nobody offers */
#include "warm.h"
