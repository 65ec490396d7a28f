/* init_words.c - what the program is started with, out of the order's first bundle. */
#include "init.h"

#define WORDS_MAX 4096

char **init_words(struct bytes args, uint32_t kind, struct err *reterr)
{
    struct cell_entry_view e;
    size_t at = 0, count = 0;
    char **list = mem_zero(WORDS_MAX + 1, sizeof(*list));
    int rc;

    while ((rc = cell_entry_next(args, &at, &e)) == 1) {
        if (e.head.kind != kind)
            continue;
        if (count == WORDS_MAX)
            rc = -E2BIG;
        else
            list[count++] = strndup(e.body, (size_t)e.head.body_len);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        return list;
    err_set(reterr, ERR_INTERNAL, "the arguments of a cell are malformed or more than %d", WORDS_MAX);
    return NULL;
}
