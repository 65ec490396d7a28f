/* run_ends.c - an output's first and last bytes, however long it is.
 *
 * What a compiler prints is read by a person: the first errors say what is wrong, the last lines how it
 * ended.  So up to `cap` bytes are kept as they came; of more, the first half of the cap and the last half,
 * and a line between them says how much is missing.  The first half grows to its size and stays; the second
 * is a ring, so a flood of any length costs `cap` bytes and no moving.  No half ends or begins within a UTF-8
 * sequence, as long as what was written is UTF-8: the text would else be no text any more. */
#include "run_internal.h"

/* Over the oldest bytes of a full ring; len is at most the ring's. */
static void ring_overwrite(struct run_ends *e, const char *bytes, size_t len)
{
    size_t to_end = MIN(len, e->ring.len - e->oldest);

    if (len == 0)
        return;
    memcpy(e->ring.data + e->oldest, bytes, to_end);
    memcpy(e->ring.data, bytes + to_end, len - to_end);
    e->oldest = (e->oldest + len) % e->ring.len;
}

int run_ends_add(struct run_ends *e, const char *bytes, size_t len)
{
    size_t ring_max = e->cap / 2, head_max = e->cap - ring_max, n = MIN(len, head_max - e->head.len);
    int rc = buf_add(&e->head, bytes, n);

    if (rc != 0)
        return rc;
    e->seen += len;
    bytes += n;
    len -= n;
    if (len > ring_max) { /* its beginning would be written over at once */
        bytes += len - ring_max;
        len = ring_max;
    }
    n = MIN(len, ring_max - e->ring.len);
    if ((rc = buf_add(&e->ring, bytes, n)) != 0)
        return rc;
    ring_overwrite(e, bytes + n, len - n);
    return 0;
}

bool run_ends_cut(const struct run_ends *e)
{
    return e->seen > e->cap;
}

static bool continues_utf8(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The ring's bytes but for the oldest `skip`, in the order in which they came. */
static int add_tail(struct buf *out, const struct run_ends *e, size_t skip)
{
    size_t older = e->ring.len - e->oldest; /* from the oldest byte to the ring's end */
    size_t first = MIN(skip, older);
    int rc = buf_add(out, e->ring.data + e->oldest + first, older - first);

    return rc != 0 ? rc : buf_add(out, e->ring.data + (skip - first), e->oldest - (skip - first));
}

int run_ends_take(struct run_ends *e, struct buf *ret)
{
    size_t skip = 0;
    int rc = 0;

    if (run_ends_cut(e)) {
        e->head.len = utf8_cut(e->head.data, e->head.len);
        while (skip < 3 && skip < e->ring.len &&
               continues_utf8(e->ring.data[(e->oldest + skip) % e->ring.len]))
            skip++;
        rc = buf_addf(&e->head, "%s[... %llu bytes are left out here ...]\n",
                      e->head.len > 0 && e->head.data[e->head.len - 1] != '\n' ? "\n" : "",
                      (unsigned long long)(e->seen - e->head.len - (e->ring.len - skip)));
    }
    if (rc == 0 && e->ring.len > 0)
        rc = add_tail(&e->head, e, skip);
    if (rc == 0) {
        *ret = e->head;
        memset(&e->head, 0, sizeof(e->head));
    }
    run_ends_done(e);
    return rc;
}

void run_ends_done(struct run_ends *e)
{
    buf_done(&e->head);
    buf_done(&e->ring);
    *e = (struct run_ends){.cap = e->cap};
}
