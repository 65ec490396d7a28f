/* err.c - errors that their caller owns. */
#include "core.h"

static void put(struct err *e, int code, const char *fmt, va_list ap)
{
    e->code = code;
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *reterr, int code, const char *fmt, ...)
{
    va_list ap;

    if (reterr != NULL) {
        va_start(ap, fmt);
        put(reterr, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

int err_sys(struct err *reterr, const char *fmt, ...)
{
    int saved = errno != 0 ? errno : EIO; /* a failure is never reported as success */
    va_list ap;
    size_t len;

    if (reterr == NULL)
        return -saved;
    va_start(ap, fmt);
    put(reterr, -saved, fmt, ap);
    va_end(ap);
    len = strlen(reterr->text);
    snprintf(reterr->text + len, sizeof(reterr->text) - len, ": %s", strerror(saved));
    return -saved;
}
