/* store_codec.c - jobs, results and workers as bytes.
 *
 * A record is a kind, a version and its fields in a fixed order; numbers are 8 bytes little-endian, byte
 * strings have their length before them.  Fields are only ever appended: a reader ignores what follows the
 * fields it knows, and takes zero for fields that an older writer did not have. */
#include "store_internal.h"

#include <endian.h>

#define VERSION 1
#define ITEMS_MAX 1000000u

/* ---- writing ----------------------------------------------------------------------- */

struct writer {
    struct buf *out;
    int rc;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
    if (w->rc == 0)
        w->rc = buf_add(w->out, bytes, len);
}

static void put_u64(struct writer *w, uint64_t v)
{
    uint64_t le = htole64(v);

    put(w, &le, sizeof(le));
}

static void put_bytes(struct writer *w, const void *bytes, size_t len)
{
    put_u64(w, len);
    put(w, bytes, len);
}

static void put_buf(struct writer *w, const struct buf *b)
{
    put_bytes(w, b->data, b->len);
}

/* NULL and "" stay apart. */
static void put_text(struct writer *w, const char *s)
{
    put_u64(w, s != NULL);
    put_bytes(w, s, s == NULL ? 0 : strlen(s));
}

static void put_head(struct writer *w, char kind)
{
    const char head[2] = {kind, VERSION};

    put(w, head, sizeof(head));
}

/* ---- reading ------------------------------------------------------------------------- */

struct reader {
    const char *p, *end;
    bool bad;
};

static bool more(const struct reader *r)
{
    return !r->bad && r->p < r->end;
}

static uint64_t get_u64(struct reader *r)
{
    uint64_t le;

    if (!more(r))
        return 0; /* an older writer's end */
    if ((size_t)(r->end - r->p) < sizeof(le)) {
        r->bad = true;
        return 0;
    }
    memcpy(&le, r->p, sizeof(le));
    r->p += sizeof(le);
    return le64toh(le);
}

static struct bytes get_bytes(struct reader *r)
{
    uint64_t len = get_u64(r);
    struct bytes b = {r->p, (size_t)len};

    if (len > (uint64_t)(r->end - r->p)) {
        r->bad = true;
        return (struct bytes){"", 0};
    }
    r->p += len;
    return b;
}

static void get_buf(struct reader *r, struct buf *out)
{
    struct bytes b = get_bytes(r);

    if (buf_add(out, b.ptr, b.len) != 0)
        r->bad = true;
}

static char *get_text(struct reader *r)
{
    uint64_t there = get_u64(r);
    struct bytes b = get_bytes(r);

    return there == 0 || r->bad ? NULL : mem_printf("%.*s", (int)MIN(b.len, (size_t)INT32_MAX), b.ptr);
}

static uint64_t get_count(struct reader *r)
{
    uint64_t n = get_u64(r);

    if (n > ITEMS_MAX || n > (uint64_t)(r->end - r->p)) { /* every item takes at least a byte */
        r->bad = true;
        return 0;
    }
    return n;
}

static bool open_record(struct reader *r, struct bytes in, char kind)
{
    *r = (struct reader){in.ptr, in.ptr + in.len, false};
    if (in.len < 2 || in.ptr[0] != kind || in.ptr[1] < 1)
        return false;
    r->p += 2;
    return true;
}

static int bad_record(struct err *reterr, const char *what)
{
    return err_set(reterr, ERR_INTERNAL, "Redis holds a record of a %s that this execd cannot read", what);
}

/* ---- jobs ------------------------------------------------------------------------------- */

static uint64_t *const *limit_fields(struct job_limits *l, uint64_t **fields)
{
    uint64_t *all[] = {&l->wall_ms,   &l->cpu_ms,       &l->memory_bytes, &l->cpu_millis,
                       &l->processes, &l->output_bytes, &l->file_bytes,   &l->open_files,
                       &l->box_bytes, &l->box_inodes,   &l->stack_bytes};

    memcpy(fields, all, sizeof(all));
    return fields;
}
#define LIMIT_FIELDS 11

int store_put_job(const struct job *job, bool whole, struct buf *out)
{
    struct writer w = {out, 0};
    struct job_limits limits = job->limits;
    uint64_t *fields[LIMIT_FIELDS];

    put_head(&w, 'J');
    put(&w, job->token, UUID_SIZE - 1);
    put_u64(&w, (uint64_t)(int64_t)job->language_id);
    put_u64(&w, (uint64_t)job->priority);
    put_u64(&w, job->created_ms);
    limit_fields(&limits, fields);
    for (size_t i = 0; i < LIMIT_FIELDS; i++)
        put_u64(&w, *fields[i]);
    put_text(&w, job->problem_id);
    put_text(&w, job->callback_url);
    put_text(&w, job->tenant);
    put_u64(&w, job->arg_count);
    for (size_t i = 0; i < job->arg_count; i++)
        put_bytes(&w, job->args[i], strlen(job->args[i]));
    put_u64(&w, whole);
    put_bytes(&w, job->source.data, whole ? job->source.len : 0);
    put_u64(&w, job->test_count);
    for (size_t i = 0; i < job->test_count; i++) {
        const struct job_test *t = &job->tests[i];

        put_bytes(&w, t->stdin_data.data, whole ? t->stdin_data.len : 0);
        put_u64(&w, t->has_expected);
        put_bytes(&w, t->expected.data, whole ? t->expected.len : 0);
    }
    return w.rc;
}

static void get_tests(struct reader *r, struct job *job)
{
    uint64_t count = get_count(r);

    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct bytes in = get_bytes(r);
        bool has = get_u64(r) != 0;
        struct bytes expected = get_bytes(r);

        if (!r->bad && job_tests_add(job, in, has ? &expected : NULL) != 0)
            r->bad = true;
    }
}

int store_get_job(struct bytes in, struct job **ret, struct err *reterr)
{
    CLEAN(job_freep) struct job *job = job_new();
    uint64_t *fields[LIMIT_FIELDS], priority, count;
    struct reader r;

    if (!open_record(&r, in, 'J') || r.end - r.p < UUID_SIZE - 1)
        return bad_record(reterr, "job");
    memcpy(job->token, r.p, UUID_SIZE - 1);
    r.p += UUID_SIZE - 1;
    job->language_id = (int32_t)(int64_t)get_u64(&r);
    priority = get_u64(&r);
    job->created_ms = get_u64(&r);
    limit_fields(&job->limits, fields);
    for (size_t i = 0; i < LIMIT_FIELDS; i++)
        *fields[i] = get_u64(&r);
    job->problem_id = get_text(&r);
    job->callback_url = get_text(&r);
    job->tenant = get_text(&r);
    count = get_count(&r);
    for (uint64_t i = 0; i < count && !r.bad; i++)
        if (job_args_add(job, get_bytes(&r)) != 0)
            r.bad = true;
    get_u64(&r); /* whole */
    get_buf(&r, &job->source);
    get_tests(&r, job);
    if (r.bad || !uuid_valid(job->token) || priority >= JOB_PRIORITY_COUNT)
        return bad_record(reterr, "job");
    job->priority = (enum job_priority)priority;
    *ret = job;
    job = NULL;
    return 0;
}

/* ---- results ------------------------------------------------------------------------------- */

static void put_measure(struct writer *w, const struct job_measure *m)
{
    put_u64(w, m->ran);
    put_u64(w, (uint64_t)(int64_t)m->exit_code);
    put_u64(w, (uint64_t)(int64_t)m->signal);
    put_u64(w, m->wall_ns);
    put_u64(w, m->cpu_ns);
    put_u64(w, m->memory_bytes);
    put_u64(w, m->oom);
    put_u64(w, (uint64_t)m->hit);
}

static void get_measure(struct reader *r, struct job_measure *m)
{
    uint64_t hit;

    m->ran = get_u64(r) != 0;
    m->exit_code = (int)(int64_t)get_u64(r);
    m->signal = (int)(int64_t)get_u64(r);
    m->wall_ns = get_u64(r);
    m->cpu_ns = get_u64(r);
    m->memory_bytes = get_u64(r);
    m->oom = get_u64(r) != 0;
    hit = get_u64(r);
    m->hit = (enum job_limit_hit)hit;
    if (hit > JOB_HIT_OUTPUT)
        r->bad = true;
}

static void put_output(struct writer *w, const struct job_output *o)
{
    put_buf(w, &o->bytes);
    put_u64(w, o->truncated);
}

static void get_output(struct reader *r, struct job_output *o)
{
    get_buf(r, &o->bytes);
    o->truncated = get_u64(r) != 0;
}

int store_put_result(const struct job_result *r, struct buf *out)
{
    struct writer w = {out, 0};

    put_head(&w, 'R');
    put_u64(&w, (uint64_t)r->status);
    put_output(&w, &r->compile);
    put_measure(&w, &r->compile_measure);
    put_text(&w, r->message);
    put_u64(&w, r->started_ms);
    put_u64(&w, r->finished_ms);
    put_u64(&w, r->attempt);
    put_u64(&w, r->test_count);
    for (size_t i = 0; i < r->test_count; i++) {
        put_u64(&w, (uint64_t)r->tests[i].status);
        put_output(&w, &r->tests[i].out);
        put_output(&w, &r->tests[i].err);
        put_measure(&w, &r->tests[i].measure);
    }
    return w.rc;
}

static enum job_status get_status(struct reader *r)
{
    uint64_t s = get_u64(r);

    if (s >= JOB_STATUS_COUNT)
        r->bad = true;
    return r->bad ? JOB_INTERNAL_ERROR : (enum job_status)s;
}

int store_get_result(struct bytes in, struct job_result *ret, struct err *reterr)
{
    struct reader r;
    uint64_t count;

    *ret = (struct job_result){0};
    if (!open_record(&r, in, 'R'))
        return bad_record(reterr, "result");
    ret->status = get_status(&r);
    get_output(&r, &ret->compile);
    get_measure(&r, &ret->compile_measure);
    ret->message = get_text(&r);
    ret->started_ms = get_u64(&r);
    ret->finished_ms = get_u64(&r);
    ret->attempt = (uint32_t)get_u64(&r);
    count = get_count(&r);
    for (uint64_t i = 0; i < count && !r.bad; i++) {
        struct job_test_result *t = job_result_add(ret);

        t->status = get_status(&r);
        get_output(&r, &t->out);
        get_output(&r, &t->err);
        get_measure(&r, &t->measure);
    }
    if (r.bad) {
        job_result_done(ret);
        return bad_record(reterr, "result");
    }
    return 0;
}

/* ---- workers --------------------------------------------------------------------------------- */

int store_put_worker(const struct store_worker *v, struct buf *out)
{
    struct writer w = {out, 0};

    put_head(&w, 'W');
    put_text(&w, v->id);
    put_u64(&w, v->slots);
    put_u64(&w, v->running);
    put_u64(&w, (uint64_t)(MAX(v->cpu_ratio, 0.0) * 1e6));
    put_u64(&w, v->memory_bytes);
    put_u64(&w, v->started_ms);
    put_u64(&w, v->seen_ms);
    put_u64(&w, v->draining);
    put_u64(&w, v->enforced);
    put_u64(&w, v->missing);
    return w.rc;
}

int store_get_worker(struct bytes in, struct store_worker *ret, struct err *reterr)
{
    CLEAN_FREE char *id = NULL;
    struct reader r;

    *ret = (struct store_worker){0};
    if (!open_record(&r, in, 'W'))
        return bad_record(reterr, "worker");
    id = get_text(&r);
    snprintf(ret->id, sizeof(ret->id), "%s", id == NULL ? "" : id);
    ret->slots = (uint32_t)get_u64(&r);
    ret->running = (uint32_t)get_u64(&r);
    ret->cpu_ratio = (double)get_u64(&r) / 1e6;
    ret->memory_bytes = get_u64(&r);
    ret->started_ms = get_u64(&r);
    ret->seen_ms = get_u64(&r);
    ret->draining = get_u64(&r) != 0;
    ret->enforced = (uint32_t)get_u64(&r);
    ret->missing = (uint32_t)get_u64(&r);
    return r.bad ? bad_record(reterr, "worker") : 0;
}
