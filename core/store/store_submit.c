/* store_submit.c - jobs in: one script that admits all of them or says why not. */
#include "store_internal.h"

/* ---- the question -------------------------------------------------------------------- */

static void admission_args(const struct store_options *o, const struct store_admission *m,
                           struct store_args *a)
{
    store_args_num(a, o->queue_max_jobs);
    store_args_num(a, o->queue_max_bytes);
    store_args_num(a, o->queue_max_wait_ms);
    store_args_str(a, m->tenant == NULL ? "" : m->tenant);
    store_args_num(a, MAX(m->weight, (uint32_t)1));
    store_args_num(a, m->max_jobs);
    store_args_num(a, m->max_bytes);
    store_args_num(a, m->rate);
    store_args_num(a, MAX(m->burst, (uint64_t)1));
    store_args_str(a, m->idempotency_key == NULL ? "" : m->idempotency_key);
    store_args_str(a, m->fingerprint == NULL ? "" : m->fingerprint);
    store_args_num(a, MAX(m->idempotency_ttl_ms, (uint64_t)1));
}

static void job_args(const struct store_options *o, struct store_args *a, const struct job *job,
                     struct buf *def, struct buf *meta)
{
    bool hook = job->callback_url != NULL;

    store_args_str(a, job->token);
    store_args_add(a, def->data, def->len);
    store_args_add(a, meta->data, meta->len);
    store_args_num(a, (uint64_t)job->priority);
    store_args_num(a, (uint64_t)job->language_id);
    store_args_num(a, def->len + meta->len);
    store_args_str(a, hook ? job->callback_url : "");
    store_args_num(a, hook ? MAX(o->result_ttl_ms, o->hook_ttl_ms) : o->result_ttl_ms);
}

/* ---- the answer ------------------------------------------------------------------------ */

static const char *text_at(const redisReply *reply, size_t i)
{
    return i < reply->elements && reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : "";
}

static uint64_t number_at(const redisReply *reply, size_t i)
{
    return i < reply->elements ? store_reply_u64(reply->element[i]) : 0;
}

static int full(const redisReply *reply, struct store_submitted *r, struct err *reterr)
{
    const char *what = text_at(reply, 1);
    bool tenants = strncmp(what, "tenant_", 7) == 0;
    char pace[64] = "none has left it lately";

    r->how = STORE_QUEUE_FULL;
    r->retry_ms = number_at(reply, 2);
    if (number_at(reply, 3) > 0)
        snprintf(pace, sizeof(pace), "about %llu leave it in a minute",
                 (unsigned long long)number_at(reply, 3));
    return err_set(reterr, ERR_FULL, "the queue holds as many %s as %s allows%s; %s",
                   strstr(what, "bytes") != NULL ? "bytes" : "jobs",
                   strstr(what, "bytes") != NULL ? "queue.max_bytes" : "queue.max_jobs",
                   tenants ? " for this key" : "", pace);
}

static int read_submitted(const redisReply *reply, struct store_submitted *r, struct err *reterr)
{
    const char *how = reply->type == REDIS_REPLY_ARRAY ? text_at(reply, 0) : "";

    if (strcmp(how, "OK") == 0 || strcmp(how, "LIMIT") == 0) {
        r->metered = reply->elements > 2 && reply->element[1]->type == REDIS_REPLY_INTEGER &&
                     reply->element[1]->integer >= 0;
        r->left = number_at(reply, 1);
        r->reset_ms = number_at(reply, 2);
        r->retry_ms = number_at(reply, 3);
        r->how = how[0] == 'O' ? STORE_ADMITTED : STORE_RATE_EXCEEDED;
        return how[0] == 'O' ? 0 : err_set(reterr, ERR_FULL, "more than this key may ask for in the time");
    }
    if (strcmp(how, "SAME") == 0) {
        r->how = STORE_ADMITTED_BEFORE;
        r->tokens = text_at(reply, 1);
        return 0;
    }
    if (strcmp(how, "OTHER") == 0) {
        r->how = STORE_KEY_REUSED;
        return err_set(reterr, ERR_CONFLICT, "the idempotency key came with another request before");
    }
    if (strcmp(how, "FULL") == 0)
        return full(reply, r, reterr);
    return err_set(reterr, ERR_INTERNAL, "Redis answered something else than what became of a submission");
}

void store_submitted_reply(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_submitted_fn done = (store_submitted_fn)c->done;
    struct store_submitted r = {.how = STORE_ADMITTED};

    if (err == NULL && read_submitted(reply, &r, &c->err) != 0)
        err = &c->err;
    done(c->arg, err, err == NULL || r.how != STORE_ADMITTED ? &r : NULL);
}

void shard_submit_apart(struct shard *s, store_submitted_fn done, void *arg)
{
    store_refuse(s, ERR_INTERNAL, "the jobs of one submission are in several shards", store_submitted_reply,
                 (void (*)(void))done, arg);
}

void shard_submit(struct shard *s, struct job *const *jobs, size_t count,
                  const struct store_admission *admission, store_submitted_fn done, void *arg)
{
    struct buf *records = mem_zero(2 * count, sizeof(*records));
    struct store_args a = {0};
    int rc = 0;

    admission_args(&s->o, admission, &a);
    store_args_num(&a, count);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = store_put_job(jobs[i], true, &records[2 * i]);
        if (rc == 0)
            rc = store_put_job(jobs[i], false, &records[2 * i + 1]);
        if (rc == 0)
            job_args(&s->o, &a, jobs[i], &records[2 * i], &records[2 * i + 1]);
    }
    if (rc == 0) {
        store_script_call_surely(s, SCRIPT_SUBMIT, &a, store_submitted_reply, (void (*)(void))done, arg);
        if (s->ready_fn != NULL) /* a worker in this process asks in the same breath: one round, one write */
            s->ready_fn(s->ready_arg);
    } else { /* no memory: asked without a question, it is answered as unreachable */
        store_args_done(&a);
        store_refuse(s, STORE_NO_MEMORY, store_submitted_reply, (void (*)(void))done, arg);
    }
    for (size_t i = 0; i < 2 * count; i++)
        buf_done(&records[i]);
    free(records);
}
