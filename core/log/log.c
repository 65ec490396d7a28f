/* log.c - builds a line in a fixed buffer and writes it with one write(2). */
#include "log.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#define EVENTS_MAX 64 /* events whose rate is watched; more share the last place */

struct line {
    char text[LOG_LINE_MAX];
    size_t len;
    bool cut;
};

struct rate {
    const char *event; /* a literal */
    uint64_t second;
    uint64_t passed, dropped;
};

static struct {
    enum log_format format;
    enum log_level level;
    int fd;
    pthread_mutex_t mutex; /* guards rates */
    struct rate rates[EVENTS_MAX];
} state = {LOG_FORMAT_KV, LOG_LEVEL_INFO, STDERR_FILENO, PTHREAD_MUTEX_INITIALIZER, {{0}}};

void log_setup(enum log_format format, enum log_level level, int fd)
{
    state.format = format;
    state.level = level;
    state.fd = fd;
}

bool log_enabled(enum log_level level)
{
    return level >= state.level;
}

/* ---- the line ----------------------------------------------------------------- */

/* The last bytes stay free for the line's end. */
static void put(struct line *l, const char *bytes, size_t len)
{
    if (l->cut || len > sizeof(l->text) - 4 - l->len) {
        l->cut = true; /* whole pieces only, and nothing behind a missing one */
        return;
    }
    memcpy(l->text + l->len, bytes, len);
    l->len += len;
}

static void puts_raw(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void putf(struct line *l, const char *fmt, ...) PRINTF(2, 3);
static void putf(struct line *l, const char *fmt, ...)
{
    char piece[64];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(piece, sizeof(piece), fmt, ap);
    va_end(ap);
    put(l, piece, MIN((size_t)MAX(n, 0), sizeof(piece) - 1));
}

/* Between quotes; control bytes, quotes, backslashes and whatever is not UTF-8 leave escaped. */
static void put_quoted(struct line *l, const char *s)
{
    size_t len = strnlen(s, LOG_VALUE_MAX + 1);
    bool cut = len > LOG_VALUE_MAX, text;

    if (cut)
        len = utf8_cut(s, LOG_VALUE_MAX);
    text = utf8_valid(s, len);
    puts_raw(l, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '"' || c == '\\')
            putf(l, "\\%c", c);
        else if (c == '\n')
            puts_raw(l, "\\n");
        else if (text && c == 0xc2 && (unsigned char)s[i + 1] < 0xa0) /* C1: terminals obey these as well */
            putf(l, "\\u%04x", (unsigned char)s[++i]);
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
            putf(l, "\\u%04x", c);
        else
            put(l, s + i, 1);
    }
    puts_raw(l, cut ? "...\"" : "\"");
}

static bool plain(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/+@%,");

    return n > 0 && s[n] == '\0' && n <= LOG_VALUE_MAX;
}

static void put_string(struct line *l, const char *s)
{
    if (state.format == LOG_FORMAT_KV && s != NULL && plain(s))
        puts_raw(l, s);
    else
        put_quoted(l, s == NULL ? "" : s);
}

static void put_key(struct line *l, const char *key)
{
    if (state.format == LOG_FORMAT_KV)
        putf(l, " %s=", key);
    else
        putf(l, ",\"%s\":", key);
}

static void put_field(struct line *l, const struct log_field *f)
{
    size_t before = l->len;

    put_key(l, f->key);
    switch (f->kind) {
    case 'i':
        putf(l, "%" PRId64, f->i);
        break;
    case 'u':
        putf(l, "%" PRIu64, f->u);
        break;
    case 'd':
        if (isfinite(f->d))
            putf(l, "%.6g", f->d);
        else
            puts_raw(l, state.format == LOG_FORMAT_JSON ? "null" : "nan");
        break;
    default:
        put_string(l, f->s);
        break;
    }
    if (l->cut)
        l->len = before; /* no half field: a line is always well formed */
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    char now[CLOCK_ISO_SIZE];

    clock_iso(clock_wall_ms(), now);
    if (state.format == LOG_FORMAT_KV)
        putf(l, "%s %s %s", now, names[level], event);
    else
        putf(l, "{\"time\":\"%s\",\"level\":\"%s\"", now, names[level]);
    if (state.format == LOG_FORMAT_JSON) {
        puts_raw(l, ",\"event\":");
        put_quoted(l, event);
    }
}

/* ---- rates --------------------------------------------------------------------- */

static struct rate *rate_find(const char *event)
{
    size_t i = 0;

    while (i < EVENTS_MAX - 1 && state.rates[i].event != NULL && strcmp(state.rates[i].event, event) != 0)
        i++;
    state.rates[i].event = event;
    return &state.rates[i];
}

/* May this line be written?  *ret_dropped: how many were not, before this one. */
static bool rate_pass(const char *event, uint64_t *ret_dropped)
{
    uint64_t second = clock_mono_ns() / 1000000000u;
    struct rate *r;
    bool pass;

    pthread_mutex_lock(&state.mutex);
    r = rate_find(event);
    if (r->second != second) {
        r->second = second;
        r->passed = 0;
    }
    pass = r->passed < LOG_BURST;
    *ret_dropped = pass ? r->dropped : 0;
    if (pass) {
        r->passed++;
        r->dropped = 0;
    } else {
        r->dropped++;
    }
    pthread_mutex_unlock(&state.mutex);
    return pass;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    struct line l = {.len = 0};
    uint64_t dropped;
    ssize_t ignored;
    int saved = errno;

    if (!log_enabled(level) || !rate_pass(event, &dropped))
        return;
    put_head(&l, level, event);
    for (size_t i = 0; i < count; i++)
        put_field(&l, &fields[i]);
    if (dropped > 0) {
        const struct log_field f = F_UINT("dropped", dropped);

        put_field(&l, &f);
    }
    if (state.format == LOG_FORMAT_JSON)
        l.text[l.len++] = '}';
    l.text[l.len++] = '\n';
    ignored = write(state.fd, l.text, l.len);
    (void)ignored; /* there is nobody left to tell */
    errno = saved;
}
