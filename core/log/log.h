/* log.h - one event, one line.
 *
 * Theory of operation.  A line is `time level event key=value ...` or the same
 * as one JSON object.  It is built in a fixed buffer and written with one
 * write(2); values are escaped (no raw control byte, no newline ever reaches the
 * file) and cut at LOG_VALUE_MAX, so nothing a client sends can forge or flood a
 * line.  Repeats of one event above LOG_BURST a second are counted and dropped,
 * and the count is printed with the next line of that event that is let through.
 *
 * Rooms below run/ do not log failures; they return them (base.h).
 * Threads: any. */
#ifndef EXECD_LOG_H
#define EXECD_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_KV, LOG_FORMAT_JSON };

#define LOG_VALUE_MAX 512 /* bytes of one value before it is cut */
#define LOG_LINE_MAX 4096
#define LOG_BURST 50 /* lines of one event (by name) a second */

struct log_field {
    const char *key; /* a literal, [a-z_]+ */
    char kind;       /* 's' string, 'i' int64, 'u' uint64, 'd' double */
    const char *s;
    int64_t i;
    uint64_t u;
    double d;
};
#define F_STR(k, v)                                                                                          \
    {                                                                                                        \
        .key = (k), .kind = 's', .s = (v)                                                                    \
    }
#define F_INT(k, v)                                                                                          \
    {                                                                                                        \
        .key = (k), .kind = 'i', .i = (v)                                                                    \
    }
#define F_UINT(k, v)                                                                                         \
    {                                                                                                        \
        .key = (k), .kind = 'u', .u = (v)                                                                    \
    }
#define F_DBL(k, v)                                                                                          \
    {                                                                                                        \
        .key = (k), .kind = 'd', .d = (v)                                                                    \
    }

/* Process-wide; call before other threads exist.  Default: KV, INFO, stderr. */
void log_setup(enum log_format format, enum log_level level, int fd);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG_AT(level, event, ...)                                                                            \
    do {                                                                                                     \
        if (log_enabled(level)) {                                                                            \
            const struct log_field f_[] = {__VA_ARGS__};                                                     \
            log_write((level), (event), f_, COUNT_OF(f_));                                                   \
        }                                                                                                    \
    } while (0)
/* LOG_INFO("job_finished", F_STR("token", t), F_UINT("ms", n)); at least one field. */
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)

#endif
