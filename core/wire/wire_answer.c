/* wire_answer.c - the client's half: requests to JSON, answers to structs. */
#include "wire_internal.h"

#include <math.h>

#define ANSWER_VALUES_MAX (1u << 20)

/* ---- requests ------------------------------------------------------------------ */

/* What a JSON string of a request carries as it is. */
static bool plain(struct bytes s)
{
    return s.len == 0 || (utf8_valid(s.ptr, s.len) && memchr(s.ptr, 0, s.len) == NULL);
}

static void content_put(struct wire_put *w, const char *key, struct bytes s, bool base64)
{
    wire_put_key(w, key);
    if (base64)
        wire_put_base64(w, s);
    else
        wire_put_string(w, s);
}

static void args_put(struct wire_put *w, const char *const *args)
{
    if (args == NULL || args[0] == NULL)
        return;
    wire_put_key(w, "args");
    wire_put_open(w, '[');
    for (; *args != NULL; args++) {
        if (w->rc == 0 && !utf8_valid(*args, strlen(*args)))
            w->rc = -EILSEQ; /* a JSON string cannot say it, and nothing is sent changed */
        wire_put_text(w, *args);
    }
    wire_put_close(w, ']');
}

int wire_request_json(const struct wire_request *r, struct buf *out)
{
    bool base64 = !plain(r->source) || !plain(r->stdin_data);
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "language_id");
    wire_put_i64(&w, r->language_id);
    content_put(&w, "source_code", r->source, base64);
    if (r->stdin_data.len > 0)
        content_put(&w, "stdin", r->stdin_data, base64);
    if (base64) {
        wire_put_key(&w, "encoding");
        wire_put_text(&w, "base64");
    }
    args_put(&w, r->args);
    if (r->timeout_ms != 0) {
        wire_put_key(&w, "timeout");
        wire_put_u64(&w, r->timeout_ms);
    }
    if (r->memory_mb != 0) {
        wire_put_key(&w, "memory_limit");
        wire_put_u64(&w, r->memory_mb);
    }
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

/* ---- reading: common ------------------------------------------------------------- */

int wire_answer_check(struct bytes body, struct err *reterr)
{
    static const struct wire_text_rules rules = {.nul_allowed = true, .values_max = ANSWER_VALUES_MAX};
    struct wire_fault f;

    if (wire_text_check(body, &rules, &f) == 0)
        return 0;
    return err_set(reterr, -EBADMSG, "the answer is not JSON: line %zu, column %zu: %s", f.line, f.column,
                   f.text);
}

bool wire_string_copy(struct bytes value, char *out, size_t size)
{
    CLEAN_BUF struct buf text = {0};

    if (!wire_walk_is_string(value) || wire_string_decode(value, &text) != 0)
        return false;
    wire_safe_copy(out, size, (struct bytes){text.data, text.len});
    return true;
}

static bool is_null(struct bytes value)
{
    return value.len == 4 && memcmp(value.ptr, "null", 4) == 0;
}

bool wire_whole_copy(struct bytes value, double min, double max, double *ret)
{
    double d;

    if (is_null(value))
        return true;
    if (!wire_number_read(value, &d) || !(d >= min && d <= max) || d != floor(d))
        return false;
    *ret = d;
    return true;
}

static bool ms_copy(struct bytes value, double *ret)
{
    double d;

    if (is_null(value))
        return true;
    if (!wire_number_read(value, &d) || !(d >= 0 && isfinite(d)))
        return false;
    *ret = d;
    return true;
}

/* ---- a job ------------------------------------------------------------------------- */

struct answer_raw { /* values as they stand in the text; empty if absent */
    struct bytes token, status, exit_code, signal, execution_time, cpu_time, memory, message;
    struct bytes out, out_encoding, err, err_encoding, compile, compile_encoding;
};

static void answer_collect(struct bytes body, struct answer_raw *raw)
{
    const struct {
        const char *name;
        struct bytes *place;
    } fields[] = {
        {"token", &raw->token},
        {"status", &raw->status},
        {"exit_code", &raw->exit_code},
        {"signal", &raw->signal},
        {"execution_time", &raw->execution_time},
        {"cpu_time", &raw->cpu_time},
        {"memory", &raw->memory},
        {"message", &raw->message},
        {"stdout", &raw->out},
        {"stdout_encoding", &raw->out_encoding},
        {"stderr", &raw->err},
        {"stderr_encoding", &raw->err_encoding},
        {"compile_output", &raw->compile},
        {"compile_output_encoding", &raw->compile_encoding},
    };
    struct wire_walk walk;
    struct bytes name, value;

    if (!wire_walk_into(body, '{', &walk))
        return;
    while (wire_walk_next(&walk, &name, &value))
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (wire_string_is(name, fields[i].name))
                *fields[i].place = value;
}

static int content_copy(struct bytes value, struct bytes encoding, const char *name, struct buf *out,
                        struct err *reterr)
{
    CLEAN_BUF struct buf text = {0};
    int rc;

    if (value.len == 0 || is_null(value))
        return 0;
    if (!wire_walk_is_string(value))
        return err_set(reterr, -EBADMSG, "the answer's %s is not a string", name);
    if (!wire_string_is(encoding, "base64"))
        rc = wire_string_decode(value, out);
    else if ((rc = wire_string_decode(value, &text)) == 0)
        rc = base64_decode(out, text.data, text.len);
    if (rc == -EINVAL)
        return err_set(reterr, -EBADMSG, "the answer's %s is not base64", name);
    return rc == 0 ? 0 : err_set(reterr, rc, "no memory for the answer's %s", name);
}

static int status_copy(const struct answer_raw *raw, struct wire_answer *a, struct err *reterr)
{
    char status[48];

    if (!wire_string_copy(raw->token, a->token, sizeof(a->token)) || !uuid_valid(a->token))
        return err_set(reterr, -EBADMSG, "the answer has no token");
    if (!wire_string_copy(raw->status, status, sizeof(status)) || job_status_parse(status, &a->status) != 0)
        return err_set(reterr, -EBADMSG, "the answer has no status that this program knows");
    return 0;
}

static int numbers_copy(const struct answer_raw *raw, struct wire_answer *a, struct err *reterr)
{
    double exit_code = -1, signo = 0, memory = 0;

    if ((raw->exit_code.len > 0 && !wire_whole_copy(raw->exit_code, 0, 255, &exit_code)) ||
        (raw->signal.len > 0 && !wire_whole_copy(raw->signal, 1, 127, &signo)) ||
        (raw->memory.len > 0 && !wire_whole_copy(raw->memory, 0, 9007199254740991.0, &memory)) ||
        (raw->execution_time.len > 0 && !ms_copy(raw->execution_time, &a->execution_ms)) ||
        (raw->cpu_time.len > 0 && !ms_copy(raw->cpu_time, &a->cpu_ms)))
        return err_set(reterr, -EBADMSG, "a number of the answer is none, or out of range");
    a->exit_code = (int)exit_code;
    a->signal = (int)signo;
    a->memory_bytes = (uint64_t)memory;
    return 0;
}

static int answer_fill(const struct answer_raw *raw, struct wire_answer *a, struct err *reterr)
{
    int rc;

    if ((rc = status_copy(raw, a, reterr)) != 0 || (rc = numbers_copy(raw, a, reterr)) != 0 ||
        (rc = content_copy(raw->out, raw->out_encoding, "stdout", &a->out, reterr)) != 0 ||
        (rc = content_copy(raw->err, raw->err_encoding, "stderr", &a->err, reterr)) != 0 ||
        (rc = content_copy(raw->compile, raw->compile_encoding, "compile_output", &a->compile, reterr)) != 0)
        return rc;
    wire_string_copy(raw->message, a->message, sizeof(a->message)); /* null: it stays empty */
    return 0;
}

int wire_answer_read(struct bytes body, struct wire_answer *ret, struct err *reterr)
{
    struct answer_raw raw = {0};
    struct wire_answer a = {.exit_code = -1};
    int rc = wire_answer_check(body, reterr);

    if (rc != 0)
        return rc;
    answer_collect(body, &raw);
    if ((rc = answer_fill(&raw, &a, reterr)) != 0) {
        wire_answer_done(&a);
        return rc;
    }
    *ret = a;
    return 0;
}

void wire_answer_done(struct wire_answer *a)
{
    buf_done(&a->out);
    buf_done(&a->err);
    buf_done(&a->compile);
    *a = (struct wire_answer){.exit_code = -1};
}

/* ---- problems ------------------------------------------------------------------------- */

struct problem_raw {
    char title[96], detail[360], field[96], value[128], bound[128], item[16];
};

static void problem_collect(struct bytes body, struct problem_raw *p)
{
    const struct {
        const char *name;
        char *place;
        size_t size;
    } fields[] = {
        {"title", p->title, sizeof(p->title)}, {"detail", p->detail, sizeof(p->detail)},
        {"field", p->field, sizeof(p->field)}, {"value", p->value, sizeof(p->value)},
        {"bound", p->bound, sizeof(p->bound)},
    };
    struct wire_walk walk;
    struct bytes name, value;

    if (!wire_walk_into(body, '{', &walk))
        return;
    while (wire_walk_next(&walk, &name, &value)) {
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (wire_string_is(name, fields[i].name))
                wire_string_copy(value, fields[i].place, fields[i].size);
        if (wire_string_is(name, "item"))
            wire_safe_copy(p->item, sizeof(p->item), value);
    }
}

/* " (what text)" unless the detail says it already. */
static int part_add(struct buf *out, const struct problem_raw *p, const char *what, const char *text)
{
    if (text[0] == '\0' || strstr(p->detail, text) != NULL)
        return 0;
    return buf_addf(out, " (%s %s)", what, text);
}

int wire_problem_text(struct bytes body, struct buf *out)
{
    static const struct wire_text_rules rules = {.nul_allowed = true, .values_max = ANSWER_VALUES_MAX};
    struct problem_raw p = {0};
    struct wire_fault f;
    int rc;

    if (wire_text_check(body, &rules, &f) == 0)
        problem_collect(body, &p);
    if (p.detail[0] == '\0' && p.title[0] == '\0')
        return buf_adds(out, "the server gave no reason");
    if ((rc = buf_adds(out, p.detail[0] != '\0' ? p.detail : p.title)) != 0 ||
        (rc = part_add(out, &p, "item", p.item)) != 0 || (rc = part_add(out, &p, "field", p.field)) != 0 ||
        (rc = part_add(out, &p, "value", p.value)) != 0)
        return rc;
    return part_add(out, &p, "allowed", p.bound);
}

/* ---- languages -------------------------------------------------------------------------- */

static int language_read(struct bytes item,
                         void (*fn)(void *arg, int32_t id, const char *name, const char *version), void *arg,
                         struct err *reterr)
{
    char name[128] = "", version[128] = "";
    struct wire_walk walk;
    struct bytes key, value;
    double id = 0;

    if (wire_walk_into(item, '{', &walk)) {
        while (wire_walk_next(&walk, &key, &value)) {
            if (wire_string_is(key, "id") && !wire_whole_copy(value, 1, INT32_MAX, &id))
                id = 0;
            else if (wire_string_is(key, "name"))
                wire_string_copy(value, name, sizeof(name));
            else if (wire_string_is(key, "version"))
                wire_string_copy(value, version, sizeof(version));
        }
    }
    if (id == 0 || name[0] == '\0')
        return err_set(reterr, -EBADMSG, "the list of languages has an entry without id or name");
    fn(arg, (int32_t)id, name, version);
    return 0;
}

int wire_languages_read(struct bytes body,
                        void (*fn)(void *arg, int32_t id, const char *name, const char *version), void *arg,
                        struct err *reterr)
{
    struct wire_walk walk;
    struct bytes item;
    int rc = wire_answer_check(body, reterr);

    if (rc != 0)
        return rc;
    if (!wire_walk_into(body, '[', &walk))
        return err_set(reterr, -EBADMSG, "the answer is no list of languages");
    while (wire_walk_next(&walk, NULL, &item))
        if ((rc = language_read(item, fn, arg, reterr)) != 0)
            return rc;
    return 0;
}

/* ---- dead letters ----------------------------------------------------------------------- */

static bool letter_read(struct bytes item, struct wire_letter_line *l)
{
    double language = 0, attempts = 0, bytes = 0;
    struct wire_walk walk;
    struct bytes key, value;

    if (!wire_walk_into(item, '{', &walk))
        return false;
    while (wire_walk_next(&walk, &key, &value)) {
        if (wire_string_is(key, "token"))
            wire_string_copy(value, l->token, sizeof(l->token));
        else if (wire_string_is(key, "ended_at"))
            wire_string_copy(value, l->ended_at, sizeof(l->ended_at));
        else if ((wire_string_is(key, "language_id") && !wire_whole_copy(value, 1, INT32_MAX, &language)) ||
                 (wire_string_is(key, "attempts") && !wire_whole_copy(value, 0, INT32_MAX, &attempts)) ||
                 (wire_string_is(key, "bytes") && !wire_whole_copy(value, 0, 0x1p53, &bytes)))
            return false;
    }
    l->language_id = (int32_t)language;
    l->attempts = (uint64_t)attempts;
    l->bytes = (uint64_t)bytes;
    return uuid_valid(l->token);
}

int wire_letters_read(struct bytes body, void (*fn)(void *arg, const struct wire_letter_line *l), void *arg,
                      uint64_t *ret_all, struct err *reterr)
{
    struct wire_walk walk, jobs = {0};
    struct bytes name, value;
    double all = 0;
    int rc = wire_answer_check(body, reterr);

    if (rc != 0)
        return rc;
    if (!wire_walk_into(body, '{', &walk))
        return err_set(reterr, -EBADMSG, "the answer is no list of dead letters");
    while (wire_walk_next(&walk, &name, &value)) {
        if ((wire_string_is(name, "total") && !wire_whole_copy(value, 0, 0x1p53, &all)) ||
            (wire_string_is(name, "jobs") && !wire_walk_into(value, '[', &jobs)))
            return err_set(reterr, -EBADMSG, "the list of dead letters cannot be read");
    }
    while (jobs.p != NULL && wire_walk_next(&jobs, NULL, &value)) {
        struct wire_letter_line l = {0};

        if (!letter_read(value, &l))
            return err_set(reterr, -EBADMSG, "the list of dead letters has an entry that cannot be read");
        fn(arg, &l);
    }
    *ret_all = (uint64_t)all;
    return 0;
}
