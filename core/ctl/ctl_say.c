/* ctl_say.c - words for people, on stderr. */
#include "ctl_internal.h"

#include <unistd.h>

int ctl_fail(int status, const char *fmt, ...)
{
    va_list ap;

    ctl_progress(NULL);
    fputs("execctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return status;
}

void ctl_progress(const char *fmt, ...)
{
    static bool shown;
    va_list ap;

    if (!isatty(STDERR_FILENO) || (fmt == NULL && !shown))
        return;
    fputs("\r\033[K", stderr);
    shown = fmt != NULL;
    if (shown) {
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
    }
    fflush(stderr);
}

int ctl_write(FILE *f, struct bytes b)
{
    if (b.len > 0 && fwrite(b.ptr, 1, b.len, f) != b.len)
        return ctl_fail(-1, "%s: %s", f == stdout ? "stdout" : "stderr", strerror(errno));
    if (fflush(f) != 0)
        return ctl_fail(-1, "%s: %s", f == stdout ? "stdout" : "stderr", strerror(errno));
    return 0;
}
