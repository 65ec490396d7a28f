/* language_bad_file.c - a file name that is a path */
#include "good.h"

static int32_t languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                         uint32_t *ret_stride, struct execd_error *err)
{
    static const struct execd_language table[] = {
        {1001, 0, "Shell", "../main.sh", 0, NULL, "echo well\n", "well\n"}};

    (void)self;
    (void)err;
    *ret = table;
    *ret_count = 1;
    *ret_stride = sizeof(table[0]);
    return EXECD_OK;
}
#define LANGUAGES languages
#include "descriptor.h"
