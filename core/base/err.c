/* err.c - errors that their caller owns. */
#include "base.h"

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
    char reason[128];

    if (reterr == NULL)
        return -saved;
    va_start(ap, fmt);
    put(reterr, -saved, fmt, ap);
    va_end(ap);
    len = strlen(reterr->text);
    snprintf(reterr->text + len, sizeof(reterr->text) - len, ": %s",
             strerror_r(saved, reason, sizeof(reason)));
    return -saved;
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
    put(reterr, reterr->code, fmt, ap);
    va_end(ap);
    len = strlen(reterr->text);
    snprintf(reterr->text + len, sizeof(reterr->text) - len, ": %s", old);
    return reterr->code;
}
