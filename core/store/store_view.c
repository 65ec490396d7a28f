/* store_view.c - from fields of Redis to what a client sees. */
#include "store_internal.h"

static struct bytes text_of(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING ? (struct bytes){r->str, r->len} : (struct bytes){NULL, 0};
}

void store_view_done(struct store_view *v)
{
    job_free(v->job);
    if (v->result != NULL) {
        job_result_done(v->result);
        free(v->result);
    }
    *v = (struct store_view){0};
}

int store_view_fill(struct store_view *v, const char *token, const redisReply *st, const redisReply *meta,
                    const redisReply *res, const redisReply *sa, const redisReply *fa, const redisReply *at,
                    struct err *reterr)
{
    uint64_t status = store_reply_u64(st);
    int rc;

    *v = (struct store_view){0};
    if (st->type != REDIS_REPLY_STRING)
        return err_set(reterr, ERR_NOT_FOUND, "no such job");
    if (status >= JOB_STATUS_COUNT)
        return err_set(reterr, ERR_INTERNAL, "Redis holds a job of an unknown status");
    v->status = (enum job_status)status;
    v->started_ms = store_reply_u64(sa);
    v->attempt = (uint32_t)store_reply_u64(at);
    if ((rc = store_get_job(text_of(meta), &v->job, reterr)) != 0)
        return rc;
    snprintf(v->job->token, sizeof(v->job->token), "%s", token);
    if (!job_status_terminal(v->status))
        return 0;
    v->result = NEW(struct job_result);
    if ((rc = store_get_result(text_of(res), v->result, reterr)) != 0) {
        store_view_done(v);
        return rc;
    }
    /* What Redis concluded by itself carries no times. */
    v->result->status = v->status;
    if (v->result->finished_ms == 0)
        v->result->finished_ms = store_reply_u64(fa);
    if (v->result->started_ms == 0)
        v->result->started_ms = v->started_ms;
    if (v->result->attempt == 0)
        v->result->attempt = v->attempt;
    return 0;
}

/* ---- get --------------------------------------------------------------------------- */

static void on_get(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_view_fn done = (store_view_fn)c->done;
    struct store_view view;
    struct err e = {0};

    if (err != NULL) {
        done(c->arg, err, NULL);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 6)
        err_set(&e, ERR_INTERNAL, "Redis answered something else than a job");
    else
        store_view_fill(&view, c->extra, reply->element[0], reply->element[1], reply->element[2],
                        reply->element[3], reply->element[4], reply->element[5], &e);
    if (e.code != 0) {
        done(c->arg, &e, NULL);
        return;
    }
    done(c->arg, NULL, &view);
    store_view_done(&view);
}

void store_view_ask(struct shard *s, const char *token, bool timed, store_view_fn done, void *arg)
{
    static const char *const fields[] = {"st", "meta", "res", "sa", "fa", "at"};
    char *key = mem_printf("%s:job:%s", s->tag, token);
    struct store_args a = {0};

    store_args_str(&a, "HMGET");
    store_args_str(&a, key);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        store_args_str(&a, fields[i]);
    store_read_call(s, &a, timed, on_get, (void (*)(void))done, arg, mem_dup(token));
    free(key);
}

void shard_get(struct shard *s, const char *token, store_view_fn done, void *arg)
{
    store_view_ask(s, token, true, done, arg);
}
