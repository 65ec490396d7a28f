/* wire_problem.c - what is wrong with a request, as RFC 9457 problem details. */
#include "wire_internal.h"

#include <ctype.h>

/* ---- safe text ---------------------------------------------------------------- */

/* Control characters (C0, DEL, and C1 in UTF-8) could move a terminal's cursor. */
static bool harmless(const char *p, size_t n)
{
    unsigned char a = (unsigned char)p[0];

    return a >= 0x20 && a != 0x7f && !(n == 2 && a == 0xc2 && (unsigned char)p[1] < 0xa0);
}

static size_t sequence_len(const char *p, size_t len)
{
    for (size_t n = 1; n <= 4 && n <= len; n++)
        if (utf8_valid(p, n))
            return n;
    return 0;
}

void wire_safe_copy(char *out, size_t size, struct bytes s)
{
    size_t len = 0, fits = 0; /* fits: the longest beginning that leaves room for "..." */

    for (size_t i = 0; i < s.len;) {
        size_t n = sequence_len(s.ptr + i, s.len - i);
        bool good = n > 0 && harmless(s.ptr + i, n);
        size_t add = good ? n : 1;

        if (len + add + 4 <= size)
            fits = len + add;
        if (len + add + 1 > size) {
            memcpy(out + fits, "...", 4);
            return;
        }
        if (good)
            memcpy(out + len, s.ptr + i, n);
        else
            out[len] = '?';
        len += add;
        i += MAX(n, (size_t)1);
    }
    out[len] = '\0';
}

/* ---- problems -------------------------------------------------------------------- */

int wire_problem_set(struct wire_problem *p, int status, const char *type, const char *fmt, ...)
{
    CLEAN_FREE char *text = NULL;
    va_list ap;
    int n;

    memset(p, 0, sizeof(*p));
    p->status = status;
    p->item = -1;
    wire_safe_copy(p->type, sizeof(p->type), bytes_of(type));
    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text = NULL; /* then it is undefined */
    wire_safe_copy(p->detail, sizeof(p->detail), bytes_of(text));
    return -1;
}

/* "out-of-range" as "Out of range". */
static void title_of(const char *type, char *out, size_t size)
{
    snprintf(out, size, "%s", strncmp(type, "invalid-json", 12) == 0 ? "Invalid JSON" : type);
    out[0] = (char)toupper((unsigned char)out[0]);
    for (char *p = out; *p != '\0'; p++)
        if (*p == '-')
            *p = ' ';
}

int wire_problem_json(const struct wire_problem *p, struct buf *out)
{
    char urn[sizeof(p->type) + 24], title[sizeof(p->type) + 1];
    struct wire_put w;

    snprintf(urn, sizeof(urn), "urn:execd:problem:%s", p->type);
    title_of(p->type, title, sizeof(title));
    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "type");
    wire_put_text(&w, urn);
    wire_put_key(&w, "title");
    wire_put_text(&w, title);
    wire_put_key(&w, "status");
    wire_put_i64(&w, p->status);
    wire_put_key(&w, "detail");
    wire_put_text(&w, p->detail);
    if (p->item >= 0) {
        wire_put_key(&w, "item");
        wire_put_i64(&w, p->item);
    }
    if (p->field[0] != '\0') {
        wire_put_key(&w, "field");
        wire_put_text(&w, p->field);
    }
    if (p->value[0] != '\0') {
        wire_put_key(&w, "value");
        wire_put_text(&w, p->value);
    }
    if (p->bound[0] != '\0') {
        wire_put_key(&w, "bound");
        wire_put_text(&w, p->bound);
    }
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

/* ---- faults of the text itself ------------------------------------------------------- */

static void fault_place(struct wire_problem *p, const struct wire_fault *f)
{
    wire_safe_copy(p->field, sizeof(p->field), f->name);
    p->item = f->item;
}

void wire_problem_of_fault(struct wire_problem *p, const struct wire_fault *f)
{
    char name[64];

    wire_safe_copy(name, sizeof(name), f->name);
    switch (f->kind) {
    case WIRE_FAULT_NUL:
        wire_problem_set(
            p, 422, "nul-character",
            "line %zu, column %zu (byte %zu): %s is not accepted in a JSON string here; send \"encoding\": "
            "\"base64\" with source_code, stdin and expected_output in base64",
            f->line, f->column, f->offset, f->text);
        fault_place(p, f);
        break;
    case WIRE_FAULT_DUPLICATE:
        wire_problem_set(p, 400, "duplicate-field", "line %zu, column %zu (byte %zu): %s: \"%s\"", f->line,
                         f->column, f->offset, f->text, name);
        fault_place(p, f);
        break;
    case WIRE_FAULT_VALUES:
    case WIRE_FAULT_MEMBERS:
        wire_problem_set(p, 413, "too-large", "line %zu, column %zu (byte %zu): %s", f->line, f->column,
                         f->offset, f->text);
        fault_place(p, f);
        break;
    case WIRE_FAULT_DEPTH: /* these two may be JSON, but none that is read here */
    case WIRE_FAULT_NUMBER:
        wire_problem_set(p, 400, f->kind == WIRE_FAULT_DEPTH ? "too-deep" : "number-too-long",
                         "line %zu, column %zu (byte %zu): %s", f->line, f->column, f->offset, f->text);
        fault_place(p, f);
        break;
    default:
        wire_problem_set(p, 400, "invalid-json", "line %zu, column %zu (byte %zu): %s", f->line, f->column,
                         f->offset, f->text);
        break;
    }
}
