/* fuzz.h - what the fuzz targets share: bytes taken apart, exact copies, oracles.
 *
 * Theory of operation.  Each *_fuzz.c is one target: LLVMFuzzerTestOneInput() hands bytes of an outsider to
 * one of execd's readers and checks what must hold whatever they are.  Built by clang (preset `fuzz`) a
 * target is driven by libFuzzer; built by any compiler it is linked with replay.c, which runs it over files,
 * so that the corpus and every input that once broke something are part of the ordinary tests.  Whatever a
 * reader gets is a heap copy of exactly its size, so that the address sanitizer sees the first byte beyond
 * it. */
#ifndef EXECD_FUZZ_H
#define EXECD_FUZZ_H

#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold; ends the process with the place and the condition. */
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* ---- input, taken apart; what is not there any more reads as zero ------------------------- */

struct feed {
    const uint8_t *p;
    size_t left;
};

static inline void feed_fill(struct feed *f, void *out, size_t len)
{
    size_t n = MIN(len, f->left);

    memset(out, 0, len);
    if (n > 0)
        memcpy(out, f->p, n);
    f->p += n;
    f->left -= n;
}

static inline uint8_t feed_u8(struct feed *f)
{
    uint8_t v;

    feed_fill(f, &v, sizeof(v));
    return v;
}

static inline uint16_t feed_u16(struct feed *f)
{
    uint16_t v;

    feed_fill(f, &v, sizeof(v));
    return v;
}

static inline uint32_t feed_u32(struct feed *f)
{
    uint32_t v;

    feed_fill(f, &v, sizeof(v));
    return v;
}

/* A length of at most `max`: the next byte, times `unit`. */
static inline size_t feed_length(struct feed *f, size_t unit, size_t max)
{
    size_t n = feed_u8(f) * unit;

    return MIN(n, max);
}

/* At most `max` bytes, as many as the next byte says, as an own text with its NUL and nothing behind. */
static inline char *feed_text(struct feed *f, size_t max)
{
    size_t wanted = feed_length(f, 1, max), len = MIN(wanted, f->left);
    char *text = mem_zero(1, len + 1);

    feed_fill(f, text, len);
    return text;
}

/* ---- exact copies ---------------------------------------------------------------------- */

/* len bytes and not one more; never NULL. */
static inline char *fuzz_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    FUZZ_CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* The same with a NUL behind it. */
static inline char *fuzz_text(const void *bytes, size_t len)
{
    char *copy = mem_zero(1, len + 1);

    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* ---- descriptors ------------------------------------------------------------------------- */

#define FUZZ_FDS 64 /* no target has more */

/* How many are open: the same before and after, or something was not closed. */
static inline unsigned fuzz_open_fds(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < FUZZ_FDS; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#endif
