/* option_table.c - options said to be there and not there */
#define OPTIONS NULL, 3, 48
#include "descriptor.h"
