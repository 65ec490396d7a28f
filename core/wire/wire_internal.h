/* wire_internal.h - what the files of this room share: the checker, the walker, the writer. */
#ifndef EXECD_WIRE_INTERNAL_H
#define EXECD_WIRE_INTERNAL_H

#include "wire.h"

#define WIRE_DEPTH_MAX 32   /* nested objects and arrays */
#define WIRE_MEMBERS_MAX 64 /* of one object */
#define WIRE_NUMBER_MAX 63  /* characters of a number: cJSON reads no more */

/* ---- checking (wire_check.c) --------------------------------------------------- */

enum wire_fault_kind {
    WIRE_FAULT_GRAMMAR,
    WIRE_FAULT_UTF8,
    WIRE_FAULT_DEPTH,
    WIRE_FAULT_DUPLICATE,
    WIRE_FAULT_NUL,
    WIRE_FAULT_MEMBERS,
    WIRE_FAULT_VALUES,
    WIRE_FAULT_NUMBER, /* more characters than we read */
};

struct wire_fault {
    enum wire_fault_kind kind;
    size_t offset;       /* of the byte, from 0 */
    size_t line, column; /* from 1; columns are bytes */
    const char *text;    /* what is wrong there; a literal */
    struct bytes name;   /* the member it is in, as it was sent; empty if in none */
    int item;            /* index in the innermost array of the second level, -1 if in none */
};

struct wire_text_rules {
    bool nul_allowed;  /* the escape \u0000 in strings */
    size_t values_max; /* of any kind, in the whole text */
};
/* Is it one JSON text (RFC 8259)?  0, or -1 with *fault filled. */
int wire_text_check(struct bytes text, const struct wire_text_rules *rules, struct wire_fault *fault);

/* ---- walking over checked text without building anything (wire_walk.c) --------------- */

struct wire_walk {
    const char *p, *end;
};
/* Enters the object (`{`) or array (`[`) that `value` is; false if it is none. */
bool wire_walk_into(struct bytes value, char open, struct wire_walk *ret);
/* The next member or element; false at the end.  `name` is NULL for arrays; it gets the raw
 * string with its quotes, as `value` does. */
bool wire_walk_next(struct wire_walk *w, struct bytes *name, struct bytes *value);
bool wire_walk_is_string(struct bytes value);
/* Takes one character of a checked string off *p: an escape (up to 4 bytes) or one plain byte. */
size_t wire_char_decode(const char **p, char out[4]);
/* Appends the decoded string, U+0000 included; buf errors. */
int wire_string_decode(struct bytes value, struct buf *out);
bool wire_string_is(struct bytes value, const char *text);
bool wire_number_read(struct bytes value, double *ret);

/* ---- writing (wire_put.c) --------------------------------------------------------- */

/* Appends JSON to a buf; the first failure sticks, and wire_put_end() then takes back everything. */
struct wire_put {
    struct buf *out;
    size_t start;
    int rc;
    bool comma; /* the next member or element needs one before it */
};
void wire_put_begin(struct wire_put *w, struct buf *out);
int wire_put_end(struct wire_put *w);
void wire_put_open(struct wire_put *w, char bracket);
void wire_put_close(struct wire_put *w, char bracket);
void wire_put_key(struct wire_put *w, const char *key); /* a literal that needs no escape */
/* Valid UTF-8; any other byte leaves as U+FFFD. */
void wire_put_string(struct wire_put *w, struct bytes s);
void wire_put_text(struct wire_put *w, const char *s); /* NULL: null */
void wire_put_base64(struct wire_put *w, struct bytes s);
void wire_put_u64(struct wire_put *w, uint64_t n);
void wire_put_i64(struct wire_put *w, int64_t n);
void wire_put_ms(struct wire_put *w, uint64_t ns); /* milliseconds, up to 3 decimals */
void wire_put_bool(struct wire_put *w, bool b);
void wire_put_null(struct wire_put *w);
void wire_put_time(struct wire_put *w, uint64_t unix_ms); /* RFC 3339; 0: null */

/* ---- reading a server's answer (wire_answer.c) ---------------------------------------- */

int wire_answer_check(struct bytes body, struct err *reterr); /* is it JSON that may be walked over? */
/* A string into a fixed place, cut where it does not fit; false if it is none. */
bool wire_string_copy(struct bytes value, char *out, size_t size);
/* A whole number in [min, max]; null leaves *ret as it is. */
bool wire_whole_copy(struct bytes value, double min, double max, double *ret);

/* ---- problems (wire_problem.c) ------------------------------------------------------ */

/* Copies with control bytes and broken UTF-8 made harmless, cut with "..." where it does not fit. */
void wire_safe_copy(char *out, size_t size, struct bytes s);
void wire_problem_of_fault(struct wire_problem *p, const struct wire_fault *fault);

/* ---- one submission (wire_field.c) ----------------------------------------------------- */

struct cJSON;
/* What was sent, as JSON, as far as it is worth showing. */
void wire_value_text(const struct cJSON *v, char *out, size_t size);
/* `item` is its index in the batch, -1 if it came alone. */
int wire_item_read(const struct cJSON *node, int item, const struct wire_rules *rules, struct job **ret,
                   struct wire_problem *problem);

#endif
