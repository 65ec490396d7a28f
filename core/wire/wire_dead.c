/* wire_dead.c - dead letters as JSON: what is listed of each, and one whole. */
#include "wire_internal.h"

/* name and name_encoding. */
static void content_put(struct wire_put *w, const char *name, const struct buf *content)
{
    struct bytes bytes = {content->data, content->len};
    bool text = utf8_valid(bytes.ptr, bytes.len);
    char key[48];

    wire_put_key(w, name);
    if (text)
        wire_put_string(w, bytes);
    else
        wire_put_base64(w, bytes);
    snprintf(key, sizeof(key), "%s_encoding", name);
    wire_put_key(w, key);
    wire_put_text(w, text ? "utf-8" : "base64");
}

static void number_put(struct wire_put *w, const char *key, uint64_t n)
{
    wire_put_key(w, key);
    wire_put_u64(w, n);
}

static void identity_put(struct wire_put *w, const struct wire_letter *l)
{
    wire_put_key(w, "token");
    wire_put_text(w, l->job->token);
    wire_put_key(w, "language_id");
    wire_put_i64(w, l->job->language_id);
    wire_put_key(w, "problem_id");
    wire_put_text(w, l->job->problem_id);
    number_put(w, "attempts", l->attempts);
    number_put(w, "bytes", l->bytes);
    wire_put_key(w, "created_at");
    wire_put_time(w, l->job->created_ms);
    wire_put_key(w, "ended_at");
    wire_put_time(w, l->ended_ms);
}

int wire_letters_json(const struct wire_letter *l, size_t count, size_t all, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    number_put(&w, "total", all);
    wire_put_key(&w, "jobs");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        wire_put_open(&w, '{');
        identity_put(&w, &l[i]);
        wire_put_close(&w, '}');
    }
    wire_put_close(&w, ']');
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

static void tests_put(struct wire_put *w, const struct job *job)
{
    wire_put_key(w, "tests");
    wire_put_open(w, '[');
    for (size_t i = 0; i < job->test_count; i++) {
        wire_put_open(w, '{');
        content_put(w, "stdin", &job->tests[i].stdin_data);
        if (job->tests[i].has_expected)
            content_put(w, "expected_output", &job->tests[i].expected);
        wire_put_close(w, '}');
    }
    wire_put_close(w, ']');
}

int wire_letter_json(const struct wire_letter *l, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    identity_put(&w, l);
    wire_put_key(&w, "callback_url");
    wire_put_text(&w, l->job->callback_url);
    content_put(&w, "source_code", &l->job->source);
    wire_put_key(&w, "args");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < l->job->arg_count; i++)
        wire_put_text(&w, l->job->args[i]);
    wire_put_close(&w, ']');
    tests_put(&w, l->job);
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}
