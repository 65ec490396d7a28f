/* null_descriptor.c - its entry returns nothing */
#include <execd/plugin.h>

EXECD_EXPORT const struct execd_plugin *execd_plugin_entry_v1(void);
const struct execd_plugin *execd_plugin_entry_v1(void)
{
    return NULL;
}
