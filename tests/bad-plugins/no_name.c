/* no_name.c - nameless */
#define NAME NULL
#include "descriptor.h"
