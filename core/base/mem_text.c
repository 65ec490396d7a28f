/* mem_text.c - text in memory, and in errors, that only the unprivileged need. */
#include "base.h"

char *mem_dup(const char *s)
{
    return s == NULL ? NULL : memcpy(mem_zero(1, strlen(s) + 1), s, strlen(s));
}

char *mem_printf(const char *fmt, ...)
{
    char *text;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = mem_zero(1, (size_t)MAX(n, 0) + 1);
    va_start(ap, fmt);
    vsnprintf(text, (size_t)MAX(n, 0) + 1, fmt, ap);
    va_end(ap);
    return text;
}

int err_add(struct err *reterr, const char *fmt, ...)
{
    char old[sizeof(reterr->text)];
    va_list ap;
    size_t len;

    if (reterr == NULL)
        return ERR_INTERNAL;
    memcpy(old, reterr->text, sizeof(old));
    va_start(ap, fmt);
    vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
    va_end(ap);
    len = strlen(reterr->text);
    snprintf(reterr->text + len, sizeof(reterr->text) - len, ": %s", old);
    return reterr->code;
}
