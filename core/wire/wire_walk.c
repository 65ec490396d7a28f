/* wire_walk.c - walks over JSON text that wire_text_check() passed, without building anything. */
#include "wire_internal.h"

/* ---- strings ------------------------------------------------------------------ */

static unsigned hex4(const char *p)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned ch = (unsigned char)p[i];

        v = v << 4 | (ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t utf8_encode(unsigned v, char out[4])
{
    if (v < 0x80) {
        out[0] = (char)v;
        return 1;
    }
    if (v < 0x800) {
        out[0] = (char)(0xc0 | v >> 6);
        out[1] = (char)(0x80 | (v & 63));
        return 2;
    }
    if (v < 0x10000) {
        out[0] = (char)(0xe0 | v >> 12);
        out[1] = (char)(0x80 | (v >> 6 & 63));
        out[2] = (char)(0x80 | (v & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | v >> 18);
    out[1] = (char)(0x80 | (v >> 12 & 63));
    out[2] = (char)(0x80 | (v >> 6 & 63));
    out[3] = (char)(0x80 | (v & 63));
    return 4;
}

static size_t unicode_decode(const char **p, char out[4])
{
    unsigned v = hex4(*p);

    *p += 4;
    if (v >= 0xd800 && v <= 0xdbff) { /* its other half follows: that was checked */
        v = 0x10000 + ((v - 0xd800) << 10) + (hex4(*p + 2) - 0xdc00);
        *p += 6;
    }
    return utf8_encode(v, out);
}

size_t wire_char_decode(const char **p, char out[4])
{
    char ch = *(*p)++;

    if (ch == '\\') {
        ch = *(*p)++;
        switch (ch) {
        case 'u':
            return unicode_decode(p, out);
        case 'b':
            ch = '\b';
            break;
        case 'f':
            ch = '\f';
            break;
        case 'n':
            ch = '\n';
            break;
        case 'r':
            ch = '\r';
            break;
        case 't':
            ch = '\t';
            break;
        default:
            break; /* the character itself */
        }
    }
    out[0] = ch;
    return 1;
}

bool wire_walk_is_string(struct bytes value)
{
    return value.len >= 2 && value.ptr[0] == '"';
}

int wire_string_decode(struct bytes value, struct buf *out)
{
    const char *p = value.ptr + 1, *end = value.ptr + value.len - 1;
    int rc = buf_reserve(out, value.len); /* decoding never makes it longer */

    while (rc == 0 && p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        char piece[4];

        if (escape == NULL)
            escape = end;
        rc = buf_add(out, p, (size_t)(escape - p));
        p = escape;
        if (rc == 0 && p < end) {
            size_t n = wire_char_decode(&p, piece);

            rc = buf_add(out, piece, n);
        }
    }
    return rc;
}

bool wire_string_is(struct bytes value, const char *text)
{
    const char *p, *end;
    size_t len = strlen(text);

    if (!wire_walk_is_string(value))
        return false;
    p = value.ptr + 1;
    end = value.ptr + value.len - 1;
    while (p < end) {
        char piece[4];
        size_t n = wire_char_decode(&p, piece);

        if (n > len || memcmp(piece, text, n) != 0)
            return false;
        text += n;
        len -= n;
    }
    return len == 0;
}

bool wire_number_read(struct bytes value, double *ret)
{
    char copy[WIRE_NUMBER_MAX + 1];

    if (value.len == 0 || value.len > WIRE_NUMBER_MAX ||
        (value.ptr[0] != '-' && (value.ptr[0] < '0' || value.ptr[0] > '9')))
        return false;
    memcpy(copy, value.ptr, value.len);
    copy[value.len] = '\0';
    *ret = strtod(copy, NULL);
    return true;
}

/* ---- objects and arrays ---------------------------------------------------------- */

static void blanks_skip(struct wire_walk *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
        w->p++;
}

static void string_skip(struct wire_walk *w)
{
    for (w->p++; w->p < w->end && *w->p != '"'; w->p++)
        if (*w->p == '\\')
            w->p++;
    if (w->p < w->end)
        w->p++;
}

static void nested_skip(struct wire_walk *w)
{
    unsigned depth = 0;

    while (w->p < w->end) {
        if (*w->p == '"') {
            string_skip(w);
            continue;
        }
        if (*w->p == '{' || *w->p == '[')
            depth++;
        else if ((*w->p == '}' || *w->p == ']') && --depth == 0) {
            w->p++;
            return;
        }
        w->p++;
    }
}

static struct bytes value_take(struct wire_walk *w)
{
    const char *begin = w->p;

    if (w->p < w->end && *w->p == '"')
        string_skip(w);
    else if (w->p < w->end && (*w->p == '{' || *w->p == '['))
        nested_skip(w);
    else
        while (w->p < w->end && memchr(",]} \t\r\n", *w->p, 7) == NULL)
            w->p++;
    return (struct bytes){begin, (size_t)(w->p - begin)};
}

bool wire_walk_into(struct bytes value, char open, struct wire_walk *ret)
{
    *ret = (struct wire_walk){value.ptr, value.ptr + value.len};
    blanks_skip(ret);
    if (ret->p == ret->end || *ret->p != open)
        return false;
    ret->p++;
    return true;
}

bool wire_walk_next(struct wire_walk *w, struct bytes *name, struct bytes *value)
{
    blanks_skip(w);
    if (w->p < w->end && *w->p == ',') {
        w->p++;
        blanks_skip(w);
    }
    if (w->p == w->end || *w->p == '}' || *w->p == ']')
        return false;
    if (name != NULL) {
        *name = value_take(w);
        blanks_skip(w);
        w->p++; /* the colon */
        blanks_skip(w);
    }
    *value = value_take(w);
    return true;
}
