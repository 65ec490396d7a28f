/* no_languages_op.c - it cannot say what it offers */
#define LANGUAGES NULL
#include "descriptor.h"
