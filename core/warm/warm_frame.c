/* warm_frame.c - frames between worker and runtime: a header of two little-endian uint32 (kind, length), then
 * the payload.
 *
 * Who writes them may have been taken over by what it compiled, so nothing is believed: a kind that does
 * not belong here, or a length above what its kind may have now, ends the conversation before a byte of
 * it is stored. */
#include "warm_internal.h"

#include <endian.h>

int warm_frame_put(struct buf *out, uint32_t kind, struct bytes first, struct bytes second)
{
    uint32_t head[2] = {htole32(kind), htole32((uint32_t)(first.len + second.len))};
    int rc;

    if (first.len > EXECD_FRAME_MAX || second.len > EXECD_FRAME_MAX - first.len)
        return -EMSGSIZE;
    if ((rc = buf_reserve(out, sizeof(head) + first.len + second.len)) != 0 ||
        (rc = buf_add(out, head, sizeof(head))) != 0 || (rc = buf_add(out, first.ptr, first.len)) != 0)
        return rc;
    return buf_add(out, second.ptr, second.len);
}

int warm_frame_put_words(struct buf *out, uint32_t kind, const char *const *words)
{
    CLEAN_BUF struct buf text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && words[i] != NULL; i++)
        rc = buf_add(&text, words[i], strlen(words[i]) + 1);
    return rc != 0 ? rc
                   : warm_frame_put(out, kind, (struct bytes){text.data, text.len}, (struct bytes){"", 0});
}

void warm_reader_refuse_all(struct warm_reader *r)
{
    for (size_t i = 0; i < COUNT_OF(r->max); i++)
        r->max[i] = -1;
}

static bool admitted(const struct warm_reader *r)
{
    return r->kind < COUNT_OF(r->max) && r->max[r->kind] >= 0 && r->length <= (uint64_t)r->max[r->kind];
}

/* Takes from *in what the header lacks; false while it lacks more. */
static bool take_head(struct warm_reader *r, struct bytes *in)
{
    size_t n = MIN(sizeof(r->head) - r->head_len, in->len);
    uint32_t head[2];

    memcpy(r->head + r->head_len, in->ptr, n);
    r->head_len += n;
    *in = (struct bytes){in->ptr + n, in->len - n};
    if (r->head_len < sizeof(r->head))
        return false;
    memcpy(head, r->head, sizeof(head));
    r->kind = le32toh(head[0]);
    r->length = le32toh(head[1]);
    return true;
}

int warm_reader_next(struct warm_reader *r, struct bytes *in, struct warm_frame *ret)
{
    size_t n;

    if (r->given) { /* what the caller had is over */
        r->given = false;
        r->head_len = 0;
        buf_done(&r->payload);
    }
    if (in->len == 0)
        return 0;
    if (r->head_len < sizeof(r->head)) {
        if (!take_head(r, in))
            return 0;
        if (!admitted(r))
            return -EPROTO;
    }
    n = MIN((size_t)r->length - r->payload.len, in->len);
    if (n > 0 && buf_add(&r->payload, in->ptr, n) != 0)
        return -ENOMEM;
    *in = (struct bytes){in->ptr + n, in->len - n};
    if (r->payload.len < r->length)
        return 0;
    *ret = (struct warm_frame){r->kind, {r->payload.data != NULL ? r->payload.data : "", r->payload.len}};
    r->given = true;
    return 1;
}

void warm_reader_done(struct warm_reader *r)
{
    buf_done(&r->payload);
    r->head_len = 0;
    r->given = false;
}
