/* ops_truncated.c - operations that end too early */
#define OPS_SIZE 16
#include "descriptor.h"
