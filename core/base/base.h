/* base.h - what every room stands on: errors, cleanup, bytes, numbers, time, ids.
 *
 * Theory of operation.  Nothing here keeps state, does I/O beyond the clock and
 * getrandom(2), or logs.  Every fallible function of execd returns 0 or a
 * negative code and fills a `struct err` that its caller owns (so no failure can
 * fail to be reported); on success the error is left untouched.  Functions
 * without an error parameter cannot fail in a way a caller could handle.
 *
 * Threads: every function here may be called from any thread. */
#ifndef EXECD_BASE_H
#define EXECD_BASE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NODISCARD __attribute__((warn_unused_result))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* ---- errors (err.c) ------------------------------------------------------- */

enum {                        /* codes beside negative errno values */
       ERR_CONFIG = -10001,   /* the operator must change the configuration     */
       ERR_REQUEST = -10002,  /* the client must change the request             */
       ERR_AGAIN = -10003,    /* nobody's fault yet: worth another try later    */
       ERR_INTERNAL = -10004, /* ours; never reported as a user's mistake       */
       ERR_NOT_FOUND = -10005,
       ERR_FULL = -10006,     /* a bounded thing is full                        */
       ERR_CONFLICT = -10007, /* somebody else was there first                  */
};

struct err {
    int code;       /* negative errno or ERR_*; 0 when unset */
    char text[320]; /* one line for a person, without a trailing stop */
};

/* Sets code and text; returns `code`, so that a failure is one line. */
int err_set(struct err *reterr, int code, const char *fmt, ...) PRINTF(3, 4);
/* The same from errno: text is "fmt: strerror"; returns -errno. */
int err_sys(struct err *reterr, const char *fmt, ...) PRINTF(2, 3);
/* Puts "fmt: " before a text that is there already; returns its code. */
int err_add(struct err *reterr, const char *fmt, ...) PRINTF(2, 3);

/* ---- cleanup attributes (clean.c) ----------------------------------------- */

#define CLEAN(fn) __attribute__((cleanup(fn)))
void freep(void *pp); /* CLEAN(freep) char *s */
void closep(int *fd); /* CLEAN(closep) int fd = -1; errno is kept */
void fclosep(FILE **f);
#define CLEAN_FREE CLEAN(freep)
#define CLEAN_FD CLEAN(closep)
/* Hands ownership over: yields the value and leaves NULL (or -1) behind. */
#define steal(pp)                                                                                            \
    ({                                                                                                       \
        __typeof__(*(pp)) s_ = *(pp);                                                                        \
        *(pp) = NULL;                                                                                        \
        s_;                                                                                                  \
    })
static inline int steal_fd(int *fd)
{
    int f = *fd;
    *fd = -1;
    return f;
}

/* ---- memory (mem.c) -------------------------------------------------------- */

/* Zeroed memory of a fixed, small size; never NULL: running out of memory for
 * a struct ends the process (the state is in Redis).  For anything whose size a
 * client chooses use `struct buf`, which reports failure. */
void *mem_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
#define NEW(type) ((type *)mem_zero(1, sizeof(type)))
char *mem_dup(const char *s); /* NULL gives NULL */
char *mem_printf(const char *fmt, ...) PRINTF(1, 2) __attribute__((returns_nonnull));

/* ---- bytes (buf.c) ---------------------------------------------------------- */

/* A growing byte string.  `max` (0: no bound) is what it may hold; a larger
 * append fails whole with -ENOBUFS, lack of memory with -ENOMEM, and leaves the
 * content as it was.  data[len] is always 0 once something was appended. */
struct buf {
    char *data;
    size_t len, cap, max;
};
#define CLEAN_BUF CLEAN(buf_done)
void buf_done(struct buf *b);  /* frees the bytes, zeroes *b (keeps max) */
void buf_clear(struct buf *b); /* len = 0, memory kept */
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
int buf_reserve(struct buf *b, size_t more); /* room for `more` bytes at data+len */

/* Borrowed bytes: never owned, never NUL-terminated by promise. */
struct bytes {
    const char *ptr;
    size_t len;
};
static inline struct bytes bytes_of(const char *s)
{
    return (struct bytes){s, s == NULL ? 0 : strlen(s)};
}

/* ---- text and numbers (text.c) ---------------------------------------------- */

/* Whole-string decimal in [min, max]; no sign for u64, no blanks, no suffix.
 * 0, or -EINVAL / -ERANGE. */
int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int num_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* "512", "64k", "16M", "2G" (powers of 1024) to bytes. */
int num_bytes(const char *s, uint64_t max, uint64_t *ret);

bool utf8_valid(const void *bytes, size_t len); /* RFC 3629: no surrogates, no overlongs */
/* The largest n <= len such that cutting there splits no UTF-8 sequence. */
size_t utf8_cut(const void *bytes, size_t len);

/* RFC 4648 section 4, padded.  Appends to b; buf errors. */
int base64_encode(struct buf *b, const void *bytes, size_t len);
/* Strict (no blanks, canonical padding).  -EINVAL on anything else. */
int base64_decode(struct buf *b, const char *text, size_t len);

/* Equal in time that depends on the lengths only. */
bool equal_secret(const void *a, size_t a_len, const void *b, size_t b_len);

/* ---- time and ids (clock.c) --------------------------------------------------- */

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_wall_ms(void); /* Unix time, milliseconds */
#define CLOCK_ISO_SIZE 25
/* "2026-01-31T23:59:59.123Z" (RFC 3339, UTC) into out[CLOCK_ISO_SIZE]. */
void clock_iso(uint64_t unix_ms, char out[CLOCK_ISO_SIZE]);

#define UUID_SIZE 37                /* 36 characters and the NUL */
void uuid_new(char out[UUID_SIZE]); /* version 4 (RFC 9562), from getrandom(2) */
bool uuid_valid(const char *s);     /* lowercase canonical form, any version */
void random_bytes(void *out, size_t len);

#endif
