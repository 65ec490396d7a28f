/* wire_put.c - writes JSON onto a buf; no byte of a string is lost, U+0000 included. */
#include "wire_internal.h"

#include <inttypes.h>

void wire_put_begin(struct wire_put *w, struct buf *out)
{
    *w = (struct wire_put){.out = out, .start = out->len};
}

int wire_put_end(struct wire_put *w)
{
    if (w->rc != 0 && w->out->data != NULL) {
        w->out->len = w->start;
        w->out->data[w->start] = '\0';
    }
    return w->rc;
}

static void put(struct wire_put *w, const char *bytes, size_t len)
{
    if (w->rc == 0)
        w->rc = buf_add(w->out, bytes, len);
}

/* Before each value: the comma that the one before it left owing. */
static void value_begin(struct wire_put *w)
{
    if (w->comma)
        put(w, ",", 1);
    w->comma = true;
}

void wire_put_open(struct wire_put *w, char bracket)
{
    value_begin(w);
    put(w, &bracket, 1);
    w->comma = false;
}

void wire_put_close(struct wire_put *w, char bracket)
{
    put(w, &bracket, 1);
    w->comma = true;
}

void wire_put_key(struct wire_put *w, const char *key)
{
    value_begin(w);
    put(w, "\"", 1);
    put(w, key, strlen(key));
    put(w, "\":", 2);
    w->comma = false;
}

static void put_escaped(struct wire_put *w, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt", hex[] = "0123456789abcdef";
    const char *at = c != 0 ? strchr(plain, c) : NULL;
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    if (at != NULL)
        text[1] = letter[at - plain];
    put(w, text, at != NULL ? 2 : 6);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* Valid UTF-8 only. */
static void put_escaping(struct wire_put *w, const char *p, size_t len)
{
    size_t done = 0;

    for (size_t i = 0; i < len; i++) {
        if (!needs_escape((unsigned char)p[i]))
            continue;
        put(w, p + done, i - done);
        put_escaped(w, (unsigned char)p[i]);
        done = i + 1;
    }
    put(w, p + done, len - done);
}

static size_t sequence_len(const char *p, size_t len)
{
    for (size_t n = 1; n <= 4 && n <= len; n++)
        if (utf8_valid(p, n))
            return n;
    return 0;
}

void wire_put_string(struct wire_put *w, struct bytes s)
{
    value_begin(w);
    put(w, "\"", 1);
    if (s.len > 0 && utf8_valid(s.ptr, s.len)) {
        put_escaping(w, s.ptr, s.len);
    } else {
        for (size_t i = 0, n; i < s.len; i += n) {
            n = sequence_len(s.ptr + i, s.len - i);
            if (n > 0) {
                put_escaping(w, s.ptr + i, n);
            } else {
                put(w, "\xef\xbf\xbd", 3);
                n = 1;
            }
        }
    }
    put(w, "\"", 1);
}

void wire_put_text(struct wire_put *w, const char *s)
{
    if (s == NULL)
        wire_put_null(w);
    else
        wire_put_string(w, bytes_of(s));
}

void wire_put_base64(struct wire_put *w, struct bytes s)
{
    value_begin(w);
    put(w, "\"", 1);
    if (w->rc == 0)
        w->rc = base64_encode(w->out, s.ptr, s.len);
    put(w, "\"", 1);
}

static void put_word(struct wire_put *w, const char *word)
{
    value_begin(w);
    put(w, word, strlen(word));
}

void wire_put_u64(struct wire_put *w, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, n);
    put_word(w, text);
}

void wire_put_i64(struct wire_put *w, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, n);
    put_word(w, text);
}

void wire_put_ms(struct wire_put *w, uint64_t ns)
{
    uint64_t us = ns / 1000 + (ns % 1000 >= 500 ? 1 : 0);
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRIu64 ".%03u", us / 1000, (unsigned)(us % 1000));

    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    text[n] = '\0';
    put_word(w, text);
}

void wire_put_bool(struct wire_put *w, bool b)
{
    put_word(w, b ? "true" : "false");
}

void wire_put_null(struct wire_put *w)
{
    put_word(w, "null");
}

void wire_put_time(struct wire_put *w, uint64_t unix_ms)
{
    char text[CLOCK_ISO_SIZE];

    if (unix_ms == 0) {
        wire_put_null(w);
        return;
    }
    clock_iso(unix_ms, text);
    wire_put_text(w, text);
}
