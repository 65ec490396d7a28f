/* undefined_symbol.c - it calls a function that nobody has */
#include "descriptor.h"

int nobody_has_this(void);
int calls_it(void);
int calls_it(void)
{
    return nobody_has_this();
}
