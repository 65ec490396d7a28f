/* wire_job.c - jobs, languages and health as JSON. */
#include "wire_internal.h"

#include <inttypes.h>

/* ---- tokens ------------------------------------------------------------------- */

int wire_tokens_json(struct job *const *jobs, size_t count, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "tokens");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < count; i++)
        wire_put_text(&w, jobs[i]->token);
    wire_put_close(&w, ']');
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

int wire_token_json(const struct job *job, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "token");
    wire_put_text(&w, job->token);
    wire_put_key(&w, "status");
    wire_put_text(&w, job_status_name(JOB_QUEUED));
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

/* ---- pieces of a job ------------------------------------------------------------- */

/* name, name_encoding, name_truncated.  `o` NULL: null before the end, else "". */
static void output_put(struct wire_put *w, const char *name, const struct job_output *o, bool terminal)
{
    struct bytes bytes = o != NULL ? (struct bytes){o->bytes.data, o->bytes.len} : (struct bytes){"", 0};
    bool text = utf8_valid(bytes.ptr, bytes.len);
    char key[48];

    wire_put_key(w, name);
    if (!terminal)
        wire_put_null(w);
    else if (text)
        wire_put_string(w, bytes);
    else
        wire_put_base64(w, bytes);
    snprintf(key, sizeof(key), "%s_encoding", name);
    wire_put_key(w, key);
    wire_put_text(w, text ? "utf-8" : "base64");
    snprintf(key, sizeof(key), "%s_truncated", name);
    wire_put_key(w, key);
    wire_put_bool(w, o != NULL && o->truncated);
}

/* exit_code, signal, times, memory; all null if nothing ran. */
static void measure_put(struct wire_put *w, const struct job_measure *m)
{
    bool ran = m != NULL && m->ran;

    wire_put_key(w, "exit_code");
    if (ran && m->signal == 0 && m->exit_code >= 0)
        wire_put_i64(w, m->exit_code);
    else
        wire_put_null(w);
    wire_put_key(w, "signal");
    if (ran && m->signal != 0)
        wire_put_i64(w, m->signal);
    else
        wire_put_null(w);
    wire_put_key(w, "execution_time");
    if (ran)
        wire_put_ms(w, m->wall_ns);
    else
        wire_put_null(w);
    wire_put_key(w, "cpu_time");
    if (ran)
        wire_put_ms(w, m->cpu_ns);
    else
        wire_put_null(w);
    wire_put_key(w, "memory");
    if (ran)
        wire_put_u64(w, m->memory_bytes);
    else
        wire_put_null(w);
    wire_put_key(w, "processes_limit_hit");
    wire_put_bool(w, ran && m->processes_hit);
    wire_put_key(w, "disk_limit_hit");
    wire_put_bool(w, ran && m->box_hit);
}

/* Which limit made the verdict: what it was killed for, or what the kernel and the byte counts say. */
static enum job_limit_hit hit_of(enum job_status status, const struct job_measure *m)
{
    if (m == NULL)
        return JOB_HIT_NONE;
    if (m->oom || status == JOB_MEMORY_LIMIT_EXCEEDED)
        return JOB_HIT_MEMORY;
    if (m->hit != JOB_HIT_NONE)
        return m->hit;
    return status == JOB_OUTPUT_LIMIT_EXCEEDED ? JOB_HIT_OUTPUT : JOB_HIT_NONE;
}

static void hit_put(struct wire_put *w, enum job_status status, const struct job_measure *m)
{
    enum job_limit_hit hit = hit_of(status, m);

    wire_put_key(w, "limit_hit");
    wire_put_text(w, hit == JOB_HIT_NONE ? NULL : job_limit_hit_name(hit));
}

static void number_put(struct wire_put *w, const char *key, uint64_t n)
{
    wire_put_key(w, key);
    wire_put_u64(w, n);
}

static void limits_put(struct wire_put *w, const struct job_limits *l)
{
    char cpu[24];

    snprintf(cpu, sizeof(cpu), "%" PRIu64 "m", l->cpu_millis);
    wire_put_key(w, "limits");
    wire_put_open(w, '{');
    number_put(w, "timeout", l->wall_ms);
    number_put(w, "cpu_time", l->cpu_ms);
    number_put(w, "memory_limit", l->memory_bytes >> 20);
    number_put(w, "memory_bytes", l->memory_bytes);
    wire_put_key(w, "cpu_limit");
    wire_put_text(w, l->cpu_millis == 0 ? NULL : cpu);
    number_put(w, "processes", l->processes);
    number_put(w, "output_bytes", l->output_bytes);
    number_put(w, "file_bytes", l->file_bytes);
    number_put(w, "open_files", l->open_files);
    number_put(w, "box_bytes", l->box_bytes);
    number_put(w, "box_inodes", l->box_inodes);
    number_put(w, "stack_bytes", l->stack_bytes);
    wire_put_close(w, '}');
}

/* The test that made the verdict: the first that did not complete, else the last. */
static const struct job_test_result *test_shown(const struct job_result *r)
{
    if (r == NULL || r->test_count == 0)
        return NULL;
    for (size_t i = 0; i < r->test_count; i++)
        if (r->tests[i].status != JOB_COMPLETED)
            return &r->tests[i];
    return &r->tests[r->test_count - 1];
}

static void tests_put(struct wire_put *w, const struct job_result *r)
{
    wire_put_key(w, "tests");
    wire_put_open(w, '[');
    for (size_t i = 0; i < r->test_count; i++) {
        const struct job_test_result *t = &r->tests[i];

        wire_put_open(w, '{');
        wire_put_key(w, "status");
        wire_put_text(w, job_status_name(t->status));
        output_put(w, "stdout", &t->out, true);
        output_put(w, "stderr", &t->err, true);
        measure_put(w, &t->measure);
        hit_put(w, t->status, &t->measure);
        wire_put_close(w, '}');
    }
    wire_put_close(w, ']');
}

static void identity_put(struct wire_put *w, const struct wire_job *v)
{
    wire_put_key(w, "token");
    wire_put_text(w, v->job->token);
    wire_put_key(w, "status");
    wire_put_text(w, job_status_name(v->status));
    wire_put_key(w, "language_id");
    wire_put_i64(w, v->job->language_id);
    wire_put_key(w, "problem_id");
    wire_put_text(w, v->job->problem_id);
}

static void history_put(struct wire_put *w, const struct wire_job *v)
{
    const struct job_result *r = v->result;

    wire_put_key(w, "message");
    wire_put_text(w, r != NULL ? r->message : NULL);
    number_put(w, "attempt", r != NULL && r->attempt != 0 ? r->attempt : v->attempt);
    wire_put_key(w, "created_at");
    wire_put_time(w, v->job->created_ms);
    wire_put_key(w, "started_at");
    wire_put_time(w, v->started_ms != 0 || r == NULL ? v->started_ms : r->started_ms);
    wire_put_key(w, "finished_at");
    wire_put_time(w, r != NULL ? r->finished_ms : 0);
}

int wire_job_json(const struct wire_job *v, struct buf *out)
{
    const struct job_result *r = v->result;
    const struct job_test_result *t = test_shown(r);
    const struct job_measure *compile =
        r != NULL && t == NULL && r->compile_measure.ran ? &r->compile_measure : NULL;
    bool terminal = job_status_terminal(v->status);
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    identity_put(&w, v);
    output_put(&w, "stdout", t != NULL ? &t->out : NULL, terminal);
    output_put(&w, "stderr", t != NULL ? &t->err : NULL, terminal);
    output_put(&w, "compile_output", r != NULL ? &r->compile : NULL, terminal);
    measure_put(&w, t != NULL ? &t->measure : NULL);
    hit_put(&w, v->status, t != NULL ? &t->measure : compile);
    limits_put(&w, &v->job->limits);
    history_put(&w, v);
    if (r != NULL && r->test_count > 1)
        tests_put(&w, r);
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

/* ---- languages and health ------------------------------------------------------------ */

int wire_languages_json(const struct wire_language *l, size_t count, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        wire_put_open(&w, '{');
        wire_put_key(&w, "id");
        wire_put_i64(&w, l[i].id);
        wire_put_key(&w, "name");
        wire_put_text(&w, l[i].name);
        wire_put_key(&w, "version");
        wire_put_text(&w, l[i].version);
        wire_put_key(&w, "file_name");
        wire_put_text(&w, l[i].file_name);
        wire_put_key(&w, "ready");
        wire_put_bool(&w, l[i].ready);
        wire_put_close(&w, '}');
    }
    wire_put_close(&w, ']');
    return wire_put_end(&w);
}

int wire_health_json(bool healthy, const struct wire_check *checks, size_t count, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "status");
    wire_put_text(&w, healthy ? "healthy" : "unhealthy");
    wire_put_key(&w, "checks");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        wire_put_open(&w, '{');
        wire_put_key(&w, "name");
        wire_put_text(&w, checks[i].name);
        wire_put_key(&w, "ok");
        wire_put_bool(&w, checks[i].ok);
        wire_put_key(&w, "detail");
        wire_put_text(&w, checks[i].detail);
        wire_put_close(&w, '}');
    }
    wire_put_close(&w, ']');
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}
