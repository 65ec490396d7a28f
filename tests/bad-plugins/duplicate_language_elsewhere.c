/* duplicate_language_elsewhere.c - a language that another plugin offers already */
#define NAME "other"
#include "descriptor.h"
