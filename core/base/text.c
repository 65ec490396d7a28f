/* text.c - checked numbers, UTF-8, base64, comparison in constant time, small formats. */
#include "base.h"

/* ---- numbers ---------------------------------------------------------------- */

static int digits(const char *s, uint64_t *ret, const char **ret_end)
{
    uint64_t v = 0;
    const char *p = s;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return -ERANGE;
    if (p == s)
        return -EINVAL;
    *ret = v;
    *ret_end = p;
    return 0;
}

int num_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
    const char *end;
    uint64_t v;
    int rc = s == NULL ? -EINVAL : digits(s, &v, &end);

    if (rc != 0)
        return rc;
    if (*end != '\0')
        return -EINVAL;
    if (v < min || v > max)
        return -ERANGE;
    *ret = v;
    return 0;
}

int num_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = s != NULL && *s == '-';
    uint64_t magnitude;
    int64_t v;
    int rc = s == NULL ? -EINVAL
                       : num_u64(s + negative, 0, (uint64_t)INT64_MAX + (negative ? 1u : 0u), &magnitude);

    if (rc != 0)
        return rc;
    v = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    if (v < min || v > max)
        return -ERANGE;
    *ret = v;
    return 0;
}

int num_bytes(const char *s, uint64_t max, uint64_t *ret)
{
    static const char units[] = "kKmMgG";
    const char *end, *unit;
    uint64_t v;
    int rc = s == NULL ? -EINVAL : digits(s, &v, &end);

    if (rc != 0)
        return rc;
    if (*end != '\0') {
        unit = strchr(units, *end);
        if (unit == NULL || end[1] != '\0')
            return -EINVAL;
        if (__builtin_mul_overflow(v, UINT64_C(1) << (10 * ((unit - units) / 2 + 1)), &v))
            return -ERANGE;
    }
    if (v > max)
        return -ERANGE;
    *ret = v;
    return 0;
}

/* ---- UTF-8 (RFC 3629) ---------------------------------------------------------- */

/* Length of the well-formed sequence at p, 0 if there is none (table 3-7 of the Unicode standard). */
static size_t sequence(const unsigned char *p, size_t len)
{
    unsigned char a = p[0], low = 0x80, high = 0xbf;
    size_t n = a < 0x80                 ? 1
               : a >= 0xc2 && a <= 0xdf ? 2
               : a >= 0xe0 && a <= 0xef ? 3
               : a >= 0xf0 && a <= 0xf4 ? 4
                                        : 0;

    if (n == 0 || n > len)
        return 0;
    if (a == 0xe0)
        low = 0xa0;
    else if (a == 0xed)
        high = 0x9f;
    else if (a == 0xf0)
        low = 0x90;
    else if (a == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
        if (p[i] < low || p[i] > high)
            return 0;
    return n;
}

bool utf8_valid(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    while (len > 0) {
        size_t n = sequence(p, len);

        if (n == 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

size_t utf8_cut(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    /* Only the last three bytes can begin a sequence that goes on behind the cut. */
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = p[len - back];
        size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

        if ((c & 0xc0) == 0x80)
            continue;
        return need > back ? len - back : len;
    }
    return len;
}

/* ---- base64 (RFC 4648 section 4) ------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *b, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    int rc = len > SIZE_MAX / 8 ? -ENOBUFS : buf_reserve(b, (len + 2) / 3 * 4);
    char *out;

    if (rc != 0)
        return rc;
    out = b->data + b->len;
    for (; len > 0; p += 3) {
        size_t n = MIN(len, (size_t)3);
        uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = n > 1 ? alphabet[v >> 6 & 63] : '=';
        *out++ = n > 2 ? alphabet[v & 63] : '=';
        len -= n;
    }
    *out = '\0';
    b->len = (size_t)(out - b->data);
    return 0;
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct buf *b, const char *text, size_t len)
{
    size_t pad = 0, start = b->len;
    int rc;

    if (len % 4 != 0)
        return -EINVAL;
    if (len > 0 && text[len - 1] == '=')
        pad = text[len - 2] == '=' ? 2 : 1;
    if ((rc = buf_reserve(b, len / 4 * 3 - pad)) != 0)
        return rc;
    for (size_t i = 0; i < len; i += 4) {
        size_t skip = i + 4 == len ? pad : 0;
        uint32_t v = 0;

        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - skip ? 0 : digit64(text[i + k]);

            if (d < 0)
                goto bad;
            v = v << 6 | (uint32_t)d;
        }
        if ((skip == 1 && (v & 0xff) != 0) || (skip == 2 && (v & 0xffff) != 0))
            goto bad; /* bits that no encoder sets */
        b->data[b->len++] = (char)(v >> 16);
        if (skip < 2)
            b->data[b->len++] = (char)(v >> 8);
        if (skip < 1)
            b->data[b->len++] = (char)v;
    }
    b->data[b->len] = '\0';
    return 0;
bad:
    b->len = start;
    b->data[start] = '\0';
    return -EINVAL;
}

bool equal_secret(const void *a, size_t a_len, const void *b, size_t b_len)
{
    const volatile unsigned char *x = a, *y = b; /* volatile: no compiler ends the loop early */
    unsigned char difference = 0;

    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++)
        difference |= (unsigned char)(x[i] ^ y[i]);
    return difference == 0;
}

#define CORES_MAX 1000000u

int num_cpu_millis(const char *s, uint64_t *ret)
{
    uint64_t whole = 0, millis = 0, unit = 100;
    const char *p = s;
    bool more = false; /* a part below a thousandth, which rounds up */

    for (; *p >= '0' && *p <= '9'; p++)
        if ((whole = whole * 10 + (uint64_t)(*p - '0')) > CORES_MAX * UINT64_C(1000))
            return -ERANGE;
    if (p == s)
        return -EINVAL;
    if (p[0] == 'm' && p[1] == '\0') {
        *ret = whole;
        return 0;
    }
    if (*p == '.') {
        const char *point = p++;

        for (; *p >= '0' && *p <= '9'; p++, unit /= 10) {
            millis += (uint64_t)(*p - '0') * unit;
            more = more || (unit == 0 && *p != '0');
        }
        if (p == point + 1)
            return -EINVAL;
    }
    if (*p != '\0')
        return -EINVAL;
    if (whole > CORES_MAX)
        return -ERANGE;
    *ret = whole * 1000 + millis + (more ? 1 : 0);
    return 0;
}
