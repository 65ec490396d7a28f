/* bad_name.c - a name that is no name */
#define NAME "Shell Script"
#include "descriptor.h"
