/* no_create.c - nothing makes an instance */
#define CREATE NULL
#include "descriptor.h"
