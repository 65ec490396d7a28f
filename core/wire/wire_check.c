/* wire_check.c - a strict RFC 8259 reader that builds nothing: whatever passes here is safe to parse. */
#include "wire_internal.h"

struct key {
    struct bytes raw; /* between the quotes */
    uint32_t hash;    /* of the decoded name */
    bool escaped;
};

struct check {
    const char *start, *p, *end;
    const struct wire_text_rules *rules;
    struct wire_fault *fault;
    size_t values;
    unsigned depth;
    struct bytes name;
    int item;
};

static int value_check(struct check *c);

/* ---- faults -------------------------------------------------------------------- */

static int fault_at(struct check *c, enum wire_fault_kind kind, const char *at, const char *text)
{
    struct wire_fault *f = c->fault;

    *f = (struct wire_fault){.kind = kind,
                             .offset = (size_t)(at - c->start),
                             .line = 1,
                             .column = 1,
                             .text = text,
                             .name = c->name,
                             .item = c->item};
    for (const char *p = c->start; p < at; p++) {
        f->column++;
        if (*p == '\n') {
            f->line++;
            f->column = 1;
        }
    }
    return -1;
}

static int fault_here(struct check *c, const char *text)
{
    return fault_at(c, WIRE_FAULT_GRAMMAR, c->p, c->p < c->end ? text : "the text ends too early");
}

/* ---- UTF-8 ------------------------------------------------------------------------ */

/* Length of the longest well-formed beginning of a piece that is known to be broken. */
static size_t utf8_good(const char *p, size_t len)
{
    size_t good = 0;

    for (;;) {
        size_t n = 1;

        while (n <= 4 && n <= len - good && !utf8_valid(p + good, n))
            n++;
        if (n > 4 || n > len - good)
            return good;
        good += n;
    }
}

static const char *ascii_skip(const char *p, const char *end)
{
    uint64_t word;

    for (; (size_t)(end - p) >= sizeof(word); p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return p;
}

/* In pieces, so that the place of the first bad byte is found without reading twice. */
static int utf8_check(struct check *c)
{
    const char *p = c->start;

    while ((p = ascii_skip(p, c->end)) < c->end) {
        size_t rest = (size_t)(c->end - p), n = MIN(rest, (size_t)4096);

        if (n < rest)
            n = utf8_cut(p, n);
        if (!utf8_valid(p, n))
            return fault_at(c, WIRE_FAULT_UTF8, p + utf8_good(p, n), "this is not UTF-8");
        p += n;
    }
    return 0;
}

/* ---- strings ------------------------------------------------------------------------ */

static int hex4(const char *p, const char *end, unsigned *ret)
{
    unsigned v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char ch = p[i];
        unsigned d = ch >= '0' && ch <= '9'   ? (unsigned)(ch - '0')
                     : ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a' + 10)
                     : ch >= 'A' && ch <= 'F' ? (unsigned)(ch - 'A' + 10)
                                              : 16u;

        if (d > 15)
            return -1;
        v = v << 4 | d;
    }
    *ret = v;
    return 0;
}

/* c->p is behind "\u"; surrogates must come as a pair. */
static int unicode_check(struct check *c)
{
    const char *begin = c->p - 2;
    unsigned high, low;

    if (hex4(c->p, c->end, &high) != 0)
        return fault_at(c, WIRE_FAULT_GRAMMAR, begin, "\\u needs four hexadecimal digits");
    c->p += 4;
    if (high == 0 && !c->rules->nul_allowed)
        return fault_at(c, WIRE_FAULT_NUL, begin, "the character U+0000");
    if (high < 0xd800 || high > 0xdfff)
        return 0;
    if (high > 0xdbff || c->end - c->p < 6 || c->p[0] != '\\' || c->p[1] != 'u' ||
        hex4(c->p + 2, c->end, &low) != 0 || low < 0xdc00 || low > 0xdfff)
        return fault_at(c, WIRE_FAULT_GRAMMAR, begin, "half of a surrogate pair is no character");
    c->p += 6;
    return 0;
}

static int escape_check(struct check *c)
{
    c->p++;
    if (c->p == c->end)
        return fault_here(c, "");
    switch (*c->p++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 0;
    case 'u':
        return unicode_check(c);
    default:
        c->p--;
        return fault_here(c, "there is no such escape");
    }
}

/* c->p is at the opening quote. */
static int string_check(struct check *c, struct bytes *ret_raw, bool *ret_escaped)
{
    const char *begin = ++c->p;

    *ret_escaped = false;
    while (c->p < c->end && *c->p != '"') {
        if ((unsigned char)*c->p < 0x20)
            return fault_here(c, "a control character in a string must be escaped");
        if (*c->p != '\\') {
            c->p++;
            continue;
        }
        *ret_escaped = true;
        if (escape_check(c) != 0)
            return -1;
    }
    if (c->p == c->end)
        return fault_here(c, "");
    *ret_raw = (struct bytes){begin, (size_t)(c->p - begin)};
    c->p++;
    return 0;
}

/* ---- numbers and words ------------------------------------------------------------------ */

static bool digits_skip(struct check *c)
{
    const char *begin = c->p;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > begin;
}

static int number_check(struct check *c)
{
    const char *begin = c->p;

    if (*c->p == '-')
        c->p++;
    if (c->p < c->end && *c->p == '0') {
        c->p++;
        if (c->p < c->end && *c->p >= '0' && *c->p <= '9')
            return fault_here(c, "a number does not begin with 0");
    } else if (!digits_skip(c)) {
        return fault_here(c, "a number needs a digit here");
    }
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!digits_skip(c))
            return fault_here(c, "a number needs a digit behind its point");
    }
    if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        if (!digits_skip(c))
            return fault_here(c, "an exponent needs a digit");
    }
    if (c->p - begin > WIRE_NUMBER_MAX)
        return fault_at(c, WIRE_FAULT_NUMBER, begin, "a number of more than 63 characters");
    return 0;
}

static int word_check(struct check *c, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
        return fault_here(c, "expected a value");
    c->p += len;
    return 0;
}

/* ---- objects and arrays -------------------------------------------------------------------- */

static void blanks_skip(struct check *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

/* Takes `ch` and the blanks behind it if it is there. */
static bool take(struct check *c, char ch)
{
    if (c->p == c->end || *c->p != ch)
        return false;
    c->p++;
    blanks_skip(c);
    return true;
}

/* FNV-1a over the decoded name: "a" and "\u0061" are the same one. */
static uint32_t name_hash(struct bytes raw)
{
    const char *p = raw.ptr, *end = p + raw.len;
    uint32_t hash = 2166136261u;

    while (p < end) {
        char piece[4];
        size_t n = wire_char_decode(&p, piece);

        for (size_t i = 0; i < n; i++)
            hash = (hash ^ (unsigned char)piece[i]) * 16777619u;
    }
    return hash;
}

static bool name_equal(const struct key *a, const struct key *b)
{
    const char *p = a->raw.ptr, *p_end = p + a->raw.len, *q = b->raw.ptr, *q_end = q + b->raw.len;

    if (a->hash != b->hash)
        return false;
    if (!a->escaped && !b->escaped)
        return a->raw.len == b->raw.len && memcmp(p, q, a->raw.len) == 0;
    while (p < p_end && q < q_end) {
        char x[12], y[12];
        size_t n = wire_char_decode(&p, x), m = wire_char_decode(&q, y);

        /* A plain byte is one of several that an escape gives at once: go byte by byte then. */
        while (n < m && p < p_end)
            n += wire_char_decode(&p, x + n);
        while (m < n && q < q_end)
            m += wire_char_decode(&q, y + m);
        if (n != m || memcmp(x, y, n) != 0)
            return false;
    }
    return p == p_end && q == q_end;
}

static int name_check(struct check *c, struct key *keys, size_t count)
{
    struct key *k = &keys[count];
    const char *begin = c->p;

    if (c->p == c->end || *c->p != '"')
        return fault_here(c, "expected a name in quotes");
    if (string_check(c, &k->raw, &k->escaped) != 0)
        return -1;
    k->hash = name_hash(k->raw);
    c->name = k->raw;
    for (size_t i = 0; i < count; i++)
        if (name_equal(&keys[i], k))
            return fault_at(c, WIRE_FAULT_DUPLICATE, begin, "this name is in its object twice");
    blanks_skip(c);
    return take(c, ':') ? 0 : fault_here(c, "expected `:`");
}

static int object_check(struct check *c)
{
    struct key keys[WIRE_MEMBERS_MAX];
    struct bytes outer = c->name;
    size_t count = 0;

    if (take(c, '}'))
        return 0;
    do {
        if (count == WIRE_MEMBERS_MAX)
            return fault_at(c, WIRE_FAULT_MEMBERS, c->p, "an object of more than 64 members");
        if (name_check(c, keys, count++) != 0 || value_check(c) != 0)
            return -1;
        c->name = outer;
    } while (take(c, ','));
    return take(c, '}') ? 0 : fault_here(c, "expected `,` or `}`");
}

static int array_check(struct check *c)
{
    struct bytes outer = c->name;
    bool items = c->depth == 2; /* {"submissions": [ */

    if (take(c, ']'))
        return 0;
    do {
        if (items)
            c->item++;
        if (value_check(c) != 0)
            return -1;
        c->name = outer;
    } while (take(c, ','));
    if (items)
        c->item = -1;
    return take(c, ']') ? 0 : fault_here(c, "expected `,` or `]`");
}

static int nested_check(struct check *c)
{
    bool object = *c->p == '{';
    int rc;

    if (c->depth == WIRE_DEPTH_MAX)
        return fault_at(c, WIRE_FAULT_DEPTH, c->p, "nested deeper than 32 levels");
    c->depth++;
    c->p++;
    blanks_skip(c);
    rc = object ? object_check(c) : array_check(c);
    c->depth--;
    return rc;
}

static int value_any_check(struct check *c)
{
    struct bytes raw;
    bool escaped;

    if (c->p == c->end)
        return fault_here(c, "");
    switch (*c->p) {
    case '{':
    case '[':
        return nested_check(c);
    case '"':
        return string_check(c, &raw, &escaped);
    case 't':
        return word_check(c, "true");
    case 'f':
        return word_check(c, "false");
    case 'n':
        return word_check(c, "null");
    default:
        if (*c->p == '-' || (*c->p >= '0' && *c->p <= '9'))
            return number_check(c);
        return fault_here(c, "expected a value");
    }
}

/* One value and the blanks behind it. */
static int value_check(struct check *c)
{
    if (c->values++ == c->rules->values_max)
        return fault_at(c, WIRE_FAULT_VALUES, c->p, "too many values");
    if (value_any_check(c) != 0)
        return -1;
    blanks_skip(c);
    return 0;
}

int wire_text_check(struct bytes text, const struct wire_text_rules *rules, struct wire_fault *fault)
{
    struct check c = {.start = text.len > 0 ? text.ptr : "", .rules = rules, .fault = fault, .item = -1};

    c.p = c.start;
    c.end = c.start + text.len;
    if (utf8_check(&c) != 0)
        return -1;
    if (text.len >= 3 && memcmp(c.p, "\xef\xbb\xbf", 3) == 0)
        return fault_here(&c, "a byte order mark does not belong here");
    blanks_skip(&c);
    if (c.p == c.end)
        return fault_here(&c, "");
    if (value_check(&c) != 0)
        return -1;
    return c.p == c.end ? 0 : fault_here(&c, "something follows the JSON text");
}
