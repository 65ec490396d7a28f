/* core.h - the part of base/ that even the privileged program stands on.
 *
 * Theory of operation.  Every fallible function of execd returns 0 or a
 * negative code and fills a `struct err` that its caller owns (so no failure can
 * fail to be reported); on success the error is left untouched.  Functions
 * without an error parameter cannot fail in a way a caller could handle. */
#ifndef EXECD_CORE_H
#define EXECD_CORE_H

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
       ERR_UNSURE = -10008,   /* asked for, and the answer was lost             */
};

struct err {
    int code;       /* negative errno or ERR_*; 0 when unset */
    char text[320]; /* one line for a person, without a trailing stop */
};

/* Sets code and text; returns `code`, so that a failure is one line. */
int err_set(struct err *reterr, int code, const char *fmt, ...) PRINTF(3, 4);
/* The same from errno: text is "fmt: strerror"; returns -errno. */
int err_sys(struct err *reterr, const char *fmt, ...) PRINTF(2, 3);

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
 * client chooses use `struct buf` (base.h), which reports failure. */
void *mem_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
#define NEW(type) ((type *)mem_zero(1, sizeof(type)))

/* Borrowed bytes: never owned, never NUL-terminated by promise. */
struct bytes {
    const char *ptr;
    size_t len;
};
static inline struct bytes bytes_of(const char *s)
{
    return (struct bytes){s, s == NULL ? 0 : strlen(s)};
}

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC (clock.c) */

#endif
