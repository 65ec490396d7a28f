/* java_names.c - the public type and the class with main() of a source, without compiling it.
 *
 * A small tokenizer drops comments, strings, text blocks and character literals; what is left
 * is read at two depths: types and the package at the top, methods called main one below.
 * javac has the last word: a source that misleads this reader is a compile error or a run-time
 * error of its own, nothing else. */
#include "lang_java.h"

#include <stdio.h>
#include <string.h>

struct token {
    const char *ptr; /* of a word; else one punctuation character */
    uint64_t len;
    char kind; /* 'w' word, 'p' punctuation, 0 end */
};

struct reader {
    const char *at, *end;
};

struct type {
    const char *name;
    uint64_t len;
    int is_public;
    int mains; /* 0 none, 1 some method main, 2 public static void main(String...) or the like */
};

/* ---- tokens ------------------------------------------------------------------------------- */

static int word_char(char c)
{
    unsigned char u = (unsigned char)c;

    return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '_' ||
           u == '$' || u >= 0x80;
}

static int begins(const struct reader *r, const char *s)
{
    size_t n = strlen(s);

    return (uint64_t)(r->end - r->at) >= n && memcmp(r->at, s, n) == 0;
}

/* Past `closing` or to the end; a backslash takes the next character with it. */
static void skip_to(struct reader *r, const char *closing, int escapes, int line)
{
    while (r->at < r->end && !begins(r, closing)) {
        if (line && *r->at == '\n') /* an unclosed literal: javac complains, we go on */
            return;
        if (escapes && *r->at == '\\' && r->at + 1 < r->end)
            r->at++;
        r->at++;
    }
    if (r->at < r->end)
        r->at += strlen(closing);
}

/* A comment or literal at r->at is passed over; 0 if there is none. */
static int skip_one(struct reader *r)
{
    if (begins(r, "//")) {
        skip_to(r, "\n", 0, 0);
    } else if (begins(r, "/*")) {
        r->at += 2;
        skip_to(r, "*/", 0, 0);
    } else if (begins(r, "\"\"\"")) {
        r->at += 3;
        skip_to(r, "\"\"\"", 1, 0);
    } else if (*r->at == '"' || *r->at == '\'') {
        const char quote[2] = {*r->at++, '\0'};

        skip_to(r, quote, 1, 1);
    } else {
        return 0;
    }
    return 1;
}

static struct token next(struct reader *r)
{
    struct token t = {r->at, 0, 0};

    while (r->at < r->end && (*r->at == ' ' || (*r->at >= '\t' && *r->at <= '\r') || skip_one(r)))
        if (r->at < r->end && (*r->at == ' ' || (*r->at >= '\t' && *r->at <= '\r')))
            r->at++;
    if (r->at >= r->end)
        return t;
    t.ptr = r->at;
    while (r->at < r->end && word_char(*r->at))
        r->at++;
    t.kind = r->at > t.ptr ? 'w' : 'p';
    if (t.kind == 'p')
        r->at++;
    t.len = (uint64_t)(r->at - t.ptr);
    return t;
}

static int is(struct token t, const char *s)
{
    return t.kind != 0 && t.len == strlen(s) && memcmp(t.ptr, s, t.len) == 0;
}

/* ---- declarations --------------------------------------------------------------------------- */

struct parser {
    struct reader r;
    struct token before; /* the token before the one that is looked at */
    long depth;          /* of braces and parentheses */
    int saw_public, saw_static;
    struct type open; /* the type whose body we are in, or the last one seen */
    int in_type;
    struct type public_type, main_type, first_type;
    const char *package; /* from the first word to the semicolon */
    uint64_t package_len;
};

/* main's rank, r.at being behind the word. */
static int rank_main(struct parser *p)
{
    struct reader ahead = p->r;
    struct token t = next(&ahead);
    int takes_string = 0;

    if (!is(p->before, "void") || !is(t, "("))
        return 0;
    while ((t = next(&ahead)).kind != 0 && !is(t, ")"))
        takes_string |= is(t, "String");
    return p->saw_static && takes_string ? 2 : 1;
}

static void type_close(struct parser *p)
{
    if (p->in_type && p->open.is_public && p->public_type.name == NULL)
        p->public_type = p->open;
    if (p->in_type && p->open.mains > p->main_type.mains)
        p->main_type = p->open;
    if (p->in_type && p->first_type.name == NULL)
        p->first_type = p->open;
    p->in_type = 0;
}

static int declares_type(const struct parser *p, struct token t)
{
    struct reader ahead = p->r;
    struct token name = next(&ahead), after = next(&ahead);

    if (is(p->before, ".") || name.kind != 'w')
        return 0;
    if (is(t, "class") || is(t, "interface") || is(t, "enum"))
        return 1;
    return is(t, "record") && (is(after, "(") || is(after, "<"));
}

static void package_take(struct parser *p)
{
    struct reader ahead = p->r;
    struct token t = next(&ahead);

    p->package = t.ptr;
    while (t.kind != 0 && !is(t, ";"))
        t = next(&ahead);
    p->package_len = (uint64_t)(t.ptr - p->package);
}

static void word_at_top(struct parser *p, struct token t)
{
    if (is(t, "public")) {
        p->saw_public = 1;
    } else if (is(t, "package") && p->package == NULL && !p->in_type) {
        package_take(p);
    } else if (declares_type(p, t)) {
        struct token name = next(&p->r);

        type_close(p);
        p->open = (struct type){name.ptr, name.len, p->saw_public, 0};
        p->in_type = 1;
    }
}

static void word_in_type(struct parser *p, struct token t)
{
    int rank;

    if (is(t, "static"))
        p->saw_static = 1;
    if (is(t, "main") && (rank = rank_main(p)) > p->open.mains)
        p->open.mains = rank;
}

static void punctuation(struct parser *p, struct token t)
{
    if (is(t, "{") || is(t, "("))
        p->depth++;
    else if ((is(t, "}") || is(t, ")")) && p->depth > 0)
        p->depth--;
    if (is(t, ";") || is(t, "{") || is(t, "}")) {
        p->saw_static = 0;
        if (p->depth == 0)
            p->saw_public = 0;
    }
}

static void parse(struct parser *p)
{
    struct token t;

    while ((t = next(&p->r)).kind != 0) {
        if (t.kind == 'p')
            punctuation(p, t);
        else if (p->depth == 0)
            word_at_top(p, t);
        else if (p->depth == 1 && p->in_type)
            word_in_type(p, t);
        p->before = t;
    }
    type_close(p);
}

/* ---- names ------------------------------------------------------------------------------------ */

/* The package's words and dots alone: there may be blanks and comments between them. */
static int package_write(const struct parser *p, char *out, size_t size)
{
    struct reader r = {p->package, p->package == NULL ? NULL : p->package + p->package_len};
    size_t len = 0;
    struct token t;

    while (p->package != NULL && (t = next(&r)).kind != 0) {
        if (len + t.len + 2 > size)
            return -1;
        memcpy(out + len, t.ptr, (size_t)t.len);
        len += (size_t)t.len;
    }
    if (len > 0)
        out[len++] = '.';
    out[len] = '\0';
    return 0;
}

int java_names_of(struct execd_bytes source, struct java_names *ret)
{
    static const struct type fallback = {"Main", 4, 0, 0};
    struct parser p = {.r = {source.ptr, source.ptr + source.len}};
    struct type file, run;
    char package[JAVA_NAME_MAX + 2];

    parse(&p);
    file = p.public_type.name != NULL ? p.public_type : fallback;
    if (p.public_type.mains == 2 || (p.public_type.name != NULL && p.main_type.mains == 0))
        run = p.public_type;
    else if (p.main_type.mains > 0)
        run = p.main_type;
    else
        run = p.first_type.name != NULL ? p.first_type : fallback;
    if (file.len > JAVA_NAME_MAX || run.len > JAVA_NAME_MAX ||
        package_write(&p, package, sizeof(package)) != 0)
        return -1;
    snprintf(ret->file, sizeof(ret->file), "%.*s.java", (int)file.len, file.name);
    ret->types = p.first_type.name != NULL;
    snprintf(ret->run, sizeof(ret->run), "%s%.*s", package, (int)run.len, run.name);
    return 0;
}
