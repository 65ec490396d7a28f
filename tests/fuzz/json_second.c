/* json_second.c - a second reader of RFC 8259, written from its grammar and from nothing else, to be compared
 * with the first.  Recursive and plain: it is for short inputs. */
#include "json_second.h"

#define DEPTH_MAX 400

struct second {
    const unsigned char *p, *end;
    unsigned depth;
    bool deep;
};

static bool value(struct second *s);

static void ws(struct second *s)
{
    while (s->p < s->end && memchr(" \t\n\r", *s->p, 4) != NULL)
        s->p++;
}

static bool is(struct second *s, char c)
{
    if (s->p == s->end || *s->p != (unsigned char)c)
        return false;
    s->p++;
    return true;
}

static bool word(struct second *s, const char *w)
{
    size_t n = strlen(w);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
        return false;
    s->p += n;
    return true;
}

static size_t digits(struct second *s)
{
    const unsigned char *begin = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - begin);
}

static bool number(struct second *s)
{
    is(s, '-');
    if (!is(s, '0') && digits(s) == 0)
        return false;
    if (is(s, '.') && digits(s) == 0)
        return false;
    if (is(s, 'e') || is(s, 'E')) {
        if (!is(s, '+'))
            is(s, '-');
        if (digits(s) == 0)
            return false;
    }
    return true;
}

static int hex4(struct second *s)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char c = s->p < s->end ? *s->p : 0;

        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            v = v * 16 + ((c | 32) - 'a' + 10);
        else
            return -1;
        s->p++;
    }
    return v;
}

/* \uXXXX: a half of a surrogate pair stands for no character, and is refused. */
static bool unicode(struct second *s)
{
    int high = hex4(s), low;

    if (high < 0xd800 || high > 0xdfff)
        return high >= 0;
    if (high > 0xdbff || !is(s, '\\') || !is(s, 'u'))
        return false;
    low = hex4(s);
    return low >= 0xdc00 && low <= 0xdfff;
}

static bool string(struct second *s)
{
    if (!is(s, '"'))
        return false;
    while (s->p < s->end && *s->p != '"') {
        unsigned char c = *s->p++;

        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (s->p == s->end)
            return false;
        c = *s->p++;
        if (c == 'u') {
            if (!unicode(s))
                return false;
        } else if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
            return false;
        }
    }
    return is(s, '"');
}

static bool member(struct second *s)
{
    ws(s);
    if (!string(s))
        return false;
    ws(s);
    return is(s, ':') && value(s);
}

static bool list(struct second *s, bool object)
{
    ws(s);
    if (is(s, object ? '}' : ']'))
        return true;
    do
        if (!(object ? member(s) : value(s)))
            return false;
    while (is(s, ','));
    return is(s, object ? '}' : ']');
}

static bool value(struct second *s)
{
    bool good;

    ws(s);
    if (s->p == s->end)
        return false;
    if (++s->depth > DEPTH_MAX) {
        s->deep = true;
        return false;
    }
    if (*s->p == '{' || *s->p == '[')
        good = list(s, *s->p++ == '{');
    else if (*s->p == '"')
        good = string(s);
    else if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
        good = number(s);
    else
        good = word(s, "true") || word(s, "false") || word(s, "null");
    s->depth--;
    ws(s);
    return good;
}

/* UTF-8 by its definition: the shortest form of a scalar value. */
static bool utf8(const unsigned char *p, const unsigned char *end)
{
    while (p < end) {
        unsigned n = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : 9;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint32_t v;

        if (n == 9 || (size_t)(end - p) <= n)
            return false;
        v = n == 0 ? *p : *p & (0x3fu >> n);
        for (unsigned i = 1; i <= n; i++) {
            if (p[i] >> 6 != 2)
                return false;
            v = v << 6 | (p[i] & 0x3f);
        }
        if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
            return false;
        p += n + 1;
    }
    return true;
}

enum json_second json_second(const void *bytes, size_t len)
{
    struct second s = {.p = bytes, .end = (const unsigned char *)bytes + len};
    bool good = utf8(s.p, s.end) && value(&s) && s.p == s.end;

    return s.deep ? JSON_TOO_DEEP : good ? JSON_GOOD : JSON_BAD;
}

bool json_second_utf8(const void *bytes, size_t len)
{
    return utf8(bytes, (const unsigned char *)bytes + len);
}
