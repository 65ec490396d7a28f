/* base.h - what every room stands on: errors, cleanup, bytes, numbers, time, ids.
 *
 * Theory of operation.  Nothing here keeps state, does I/O beyond the clock,
 * getrandom(2) and looking up paths, or logs.  Errors, cleanup, memory and the monotonic clock are in
 * core.h, which is all that the privileged program sees.
 *
 * Threads: every function here may be called from any thread. */
#ifndef EXECD_BASE_H
#define EXECD_BASE_H

#include "core.h"

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

/* ---- text in memory (mem_text.c) --------------------------------------------- */

char *mem_dup(const char *s); /* NULL gives NULL; never fails, as NEW() */
char *mem_printf(const char *fmt, ...) PRINTF(1, 2) __attribute__((returns_nonnull));
/* Puts "fmt: " before an error's text that is there already; returns its code. */
int err_add(struct err *reterr, const char *fmt, ...) PRINTF(2, 3);

/* ---- text and numbers (text.c) ---------------------------------------------- */

/* Whole-string decimal in [min, max]; no sign for u64, no blanks, no suffix.
 * 0, or -EINVAL / -ERANGE. */
int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int num_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* "512", "64k", "16M", "2G" (powers of 1024) to bytes. */
int num_bytes(const char *s, uint64_t max, uint64_t *ret);
/* A Kubernetes quantity of cpu ("200m", "0.5", "2") to thousandths of a core, rounded up. */
int num_cpu_millis(const char *s, uint64_t *ret);

bool utf8_valid(const void *bytes, size_t len); /* RFC 3629: no surrogates, no overlongs */
/* The largest n <= len such that cutting there splits no UTF-8 sequence. */
size_t utf8_cut(const void *bytes, size_t len);

/* RFC 4648 section 4, padded.  Appends to b; buf errors. */
int base64_encode(struct buf *b, const void *bytes, size_t len);
/* Strict (no blanks, canonical padding).  -EINVAL on anything else. */
int base64_decode(struct buf *b, const char *text, size_t len);

/* Equal in time that depends on the lengths only. */
bool equal_secret(const void *a, size_t a_len, const void *b, size_t b_len);

/* ---- paths below another root (path.c) ---------------------------------------- */

/* openat2(2) as who has the folder `root` for its root: links never lead out of it, nor through /proc. flags:
 * O_*; resolve: more of RESOLVE_*.  A descriptor, close-on-exec, or -errno. */
int path_open_in(int root, const char *path, uint64_t flags, uint64_t resolve);
/* The absolute path without links that `path` is there.  0 or -errno. */
int path_real_in(int root, const char *path, char *out, size_t size);

/* ---- children (child.c) ------------------------------------------------------------ */

/* Blocks until an own child has ended, and reaps it; false: it has not within that time. */
bool child_gone_within(pid_t pid, int ms);

/* ---- time of day and ids (ids.c) --------------------------------------------------- */

uint64_t clock_wall_ms(void); /* Unix time, milliseconds */
#define CLOCK_ISO_SIZE 25
/* "2026-01-31T23:59:59.123Z" (RFC 3339, UTC) into out[CLOCK_ISO_SIZE]. */
void clock_iso(uint64_t unix_ms, char out[CLOCK_ISO_SIZE]);

#define UUID_SIZE 37                /* 36 characters and the NUL */
void uuid_new(char out[UUID_SIZE]); /* version 4 (RFC 9562), from getrandom(2) */
bool uuid_valid(const char *s);     /* lowercase canonical form, any version */
void random_bytes(void *out, size_t len);

#endif
