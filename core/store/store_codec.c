/* store_codec.c - jobs, results and workers as bytes.
 *
 * A record is a kind, a version and its fields in a fixed order.  Numbers take as many bytes as they need,
 * seven bits each, the lowest first, because a million jobs wait in memory; byte strings have their length
 * before them.  Fields are only ever appended: a reader ignores what follows the fields it knows, and takes
 * zero for fields that an older writer did not have. */
#include "store_internal.h"

#define VERSION 2
#define NUMBER_BYTES_MAX 10 /* of 64 bits */
#define ITEMS_MAX 1000000u
#define CPU_RATIO_MAX 1e6 /* what a record holds may be anything */

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
    unsigned char bytes[NUMBER_BYTES_MAX];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (unsigned char)(v | 0x80);
    bytes[n++] = (unsigned char)v;
    put(w, bytes, n);
}

/* 0, -1, 1, -2...: small ones are short on either side. */
static void put_i64(struct writer *w, int64_t v)
{
    put_u64(w, v < 0 ? ~(uint64_t)v << 1 | 1 : (uint64_t)v << 1);
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
    size_t len = s == NULL ? 0 : strlen(s);

    put_u64(w, s == NULL ? 0 : len + 1);
    put(w, s, len);
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
    uint64_t v = 0;

    if (!more(r))
        return 0; /* an older writer's end */
    for (unsigned shift = 0; r->p < r->end && shift < 7 * NUMBER_BYTES_MAX; shift += 7) {
        unsigned char byte = (unsigned char)*r->p++;

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    r->bad = true;
    return 0;
}

static int64_t get_i64(struct reader *r)
{
    uint64_t v = get_u64(r);

    return (int64_t)((v & 1) != 0 ? ~(v >> 1) : v >> 1);
}

static struct bytes take(struct reader *r, uint64_t len)
{
    struct bytes b = {r->p, (size_t)len};

    if (len > (uint64_t)(r->end - r->p)) {
        r->bad = true;
        return (struct bytes){"", 0};
    }
    r->p += len;
    return b;
}

static struct bytes get_bytes(struct reader *r)
{
    return take(r, get_u64(r));
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
    struct bytes b = take(r, there == 0 ? 0 : there - 1);

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
    *r = (struct reader){in.ptr, in.ptr, false};
    if (in.len < 2 || in.ptr[0] != kind || in.ptr[1] != VERSION)
        return false;
    r->end = in.ptr + in.len;
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
#define TOKEN_BYTES 16

/* A token is 16 bytes in hexadecimal, with dashes. */
static void put_token(struct writer *w, const char *token)
{
    unsigned char bytes[TOKEN_BYTES] = {0};

    for (unsigned n = 0; *token != '\0' && n < 2 * TOKEN_BYTES; token++)
        if (*token != '-') {
            unsigned digit = (unsigned)(*token <= '9' ? *token - '0' : *token - 'a' + 10);

            bytes[n / 2] |= (unsigned char)(n % 2 == 0 ? digit << 4 : digit);
            n++;
        }
    put(w, bytes, sizeof(bytes));
}

static void get_token(struct reader *r, char token[UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    struct bytes b = take(r, TOKEN_BYTES);

    for (size_t i = 0; i < b.len; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *token++ = '-';
        *token++ = digits[(unsigned char)b.ptr[i] >> 4];
        *token++ = digits[b.ptr[i] & 15];
    }
}

static void put_contents(struct writer *w, const struct job *job)
{
    put_token(w, job->token);
    put_text(w, job->callback_url);
    put_u64(w, job->arg_count);
    for (size_t i = 0; i < job->arg_count; i++)
        put_bytes(w, job->args[i], strlen(job->args[i]));
    put_buf(w, &job->source);
    put_u64(w, job->test_count);
    for (size_t i = 0; i < job->test_count; i++) {
        const struct job_test *t = &job->tests[i];

        put_buf(w, &t->stdin_data);
        put_u64(w, t->has_expected);
        put_buf(w, &t->expected);
    }
}

int store_put_job(const struct job *job, bool whole, struct buf *out)
{
    struct writer w = {out, 0};
    struct job_limits limits = job->limits;
    uint64_t *fields[LIMIT_FIELDS];

    put_head(&w, 'J');
    put_u64(&w, whole);
    put_i64(&w, job->language_id);
    put_u64(&w, (uint64_t)job->priority);
    put_u64(&w, job->created_ms);
    limit_fields(&limits, fields);
    for (size_t i = 0; i < LIMIT_FIELDS; i++)
        put_u64(&w, *fields[i]);
    put_text(&w, job->problem_id);
    put_text(&w, job->tenant);
    if (whole)
        put_contents(&w, job);
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

static void get_contents(struct reader *r, struct job *job)
{
    uint64_t count;

    get_token(r, job->token);
    job->callback_url = get_text(r);
    count = get_count(r);
    for (uint64_t i = 0; i < count && !r->bad; i++)
        if (job_args_add(job, get_bytes(r)) != 0)
            r->bad = true;
    get_buf(r, &job->source);
    get_tests(r, job);
    if (!uuid_valid(job->token))
        r->bad = true;
}

int store_get_job(struct bytes in, struct job **ret, struct err *reterr)
{
    CLEAN(job_freep) struct job *job = job_new();
    uint64_t *fields[LIMIT_FIELDS], priority;
    struct reader r;
    bool whole;

    if (!open_record(&r, in, 'J'))
        return bad_record(reterr, "job");
    whole = get_u64(&r) != 0;
    job->language_id = (int32_t)get_i64(&r);
    priority = get_u64(&r);
    job->created_ms = get_u64(&r);
    limit_fields(&job->limits, fields);
    for (size_t i = 0; i < LIMIT_FIELDS; i++)
        *fields[i] = get_u64(&r);
    job->problem_id = get_text(&r);
    job->tenant = get_text(&r);
    if (whole)
        get_contents(&r, job);
    if (r.bad || priority >= JOB_PRIORITY_COUNT)
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
    put_i64(w, m->exit_code);
    put_i64(w, m->signal);
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
    m->exit_code = (int)get_i64(r);
    m->signal = (int)get_i64(r);
    m->wall_ns = get_u64(r);
    m->cpu_ns = get_u64(r);
    m->memory_bytes = get_u64(r);
    m->oom = get_u64(r) != 0;
    hit = get_u64(r);
    m->hit = (enum job_limit_hit)hit;
    if (hit > JOB_HIT_OUTPUT)
        r->bad = true;
}

/* Later fields of a measure stand at the record's end. */
static uint64_t measure_flags(const struct job_measure *m)
{
    return (m->processes_hit ? 1u : 0u) | (m->box_hit ? 2u : 0u);
}

static void get_measure_flags(struct reader *r, struct job_measure *m)
{
    uint64_t flags = get_u64(r);

    m->processes_hit = (flags & 1) != 0;
    m->box_hit = (flags & 2) != 0;
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
    put_u64(&w, measure_flags(&r->compile_measure));
    for (size_t i = 0; i < r->test_count; i++)
        put_u64(&w, measure_flags(&r->tests[i].measure));
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
    get_measure_flags(&r, &ret->compile_measure);
    for (size_t i = 0; i < ret->test_count && !r.bad; i++)
        get_measure_flags(&r, &ret->tests[i].measure);
    if (r.bad) {
        job_result_done(ret);
        return bad_record(reterr, "result");
    }
    return 0;
}

/* ---- workers --------------------------------------------------------------------------------- */

static void put_warm(struct writer *w, const struct store_warm *v)
{
    put_u64(w, (uint64_t)v->language_id);
    put_u64(w, v->booting);
    put_u64(w, v->idle);
    put_u64(w, v->busy);
    put_u64(w, v->memory_bytes);
    for (size_t i = 0; i < COUNT_OF(v->steps); i++)
        put_u64(w, v->steps[i]);
    for (size_t i = 0; i < COUNT_OF(v->misses); i++)
        put_u64(w, v->misses[i]);
}

static void get_warm(struct reader *r, struct store_warm *ret)
{
    ret->language_id = (int32_t)get_u64(r);
    ret->booting = (uint32_t)get_u64(r);
    ret->idle = (uint32_t)get_u64(r);
    ret->busy = (uint32_t)get_u64(r);
    ret->memory_bytes = get_u64(r);
    for (size_t i = 0; i < COUNT_OF(ret->steps); i++)
        ret->steps[i] = get_u64(r);
    for (size_t i = 0; i < COUNT_OF(ret->misses); i++)
        ret->misses[i] = get_u64(r);
}

int store_put_worker(const struct store_worker *v, struct buf *out)
{
    struct writer w = {out, 0};

    put_head(&w, 'W');
    put_text(&w, v->id);
    put_u64(&w, v->slots);
    put_u64(&w, v->running);
    put_u64(&w, (uint64_t)(MIN(MAX(v->cpu_ratio, 0.0), CPU_RATIO_MAX) * 1e6));
    put_u64(&w, v->memory_bytes);
    put_u64(&w, v->started_ms);
    put_u64(&w, v->seen_ms);
    put_u64(&w, v->draining);
    put_u64(&w, v->enforced);
    put_u64(&w, v->missing);
    put_u64(&w, MIN(v->warm_count, (size_t)STORE_WARM_MAX));
    for (size_t i = 0; i < MIN(v->warm_count, (size_t)STORE_WARM_MAX); i++)
        put_warm(&w, &v->warm[i]);
    put_u64(&w, v->cores);
    put_u64(&w, v->memory_max);
    put_u64(&w, v->held);
    put_u64(&w, v->drained);
    return w.rc;
}

int store_get_worker(struct bytes in, struct store_worker *ret, struct err *reterr)
{
    CLEAN_FREE char *id = NULL;
    struct reader r;
    uint64_t warm;

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
    warm = get_u64(&r);
    ret->warm_count = (size_t)MIN(warm, (uint64_t)STORE_WARM_MAX);
    for (size_t i = 0; i < ret->warm_count; i++)
        get_warm(&r, &ret->warm[i]);
    ret->cores = (uint32_t)get_u64(&r);
    ret->memory_max = get_u64(&r);
    ret->held = (uint32_t)get_u64(&r);
    ret->drained = get_u64(&r) != 0;
    return r.bad ? bad_record(reterr, "worker") : 0;
}
