/* buf.c - a growing, bounded byte string. */
#include "base.h"

void buf_done(struct buf *b)
{
    size_t max = b->max;

    free(b->data);
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    char *data;

    if (more > SIZE_MAX / 4 - b->len)
        return -ENOBUFS;
    need = b->len + more;
    if (b->max != 0 && need > b->max)
        return -ENOBUFS;
    if (need + 1 <= b->cap)
        return 0;
    cap = MAX(MAX(need + 1, b->cap + b->cap / 2), (size_t)64);
    if (b->max != 0)
        cap = MIN(cap, b->max + 1);
    data = realloc(b->data, cap);
    if (data == NULL)
        return -ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
    int rc = buf_reserve(b, len);

    if (rc != 0)
        return rc;
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n, rc;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    rc = n < 0 ? -EINVAL : buf_reserve(b, (size_t)n);
    if (rc == 0) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return rc;
}
