/* store_job.c - a job's changes of state, each one script. */
#include "log/log.h"
#include "store_internal.h"

/* ---- clients ------------------------------------------------------------------------- */

void shard_cancel(struct shard *s, const char *token, store_done_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, token);
    store_args_num(&a, JOB_CANCELLED);
    store_args_add(&a, s->cancelled_result.data, s->cancelled_result.len);
    store_script_call(s, SCRIPT_CANCEL, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

/* ---- workers --------------------------------------------------------------------------- */

/* Takes {token, epoch, ahead, record}; a record that cannot be read ends by its lease. */
static bool read_claim(const redisReply *r, struct store_claim *ret)
{
    struct err ignored = {0};

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 4 || r->element[3]->type != REDIS_REPLY_STRING)
        return false;
    ret->epoch = (uint32_t)store_reply_u64(r->element[1]);
    ret->ahead = store_reply_u64(r->element[2]) != 0;
    return store_get_job((struct bytes){r->element[3]->str, r->element[3]->len}, &ret->job, &ignored) == 0;
}

static void on_claim(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_claim_fn done = (store_claim_fn)c->done;
    struct store_claim *claims;
    size_t count = 0;

    if (err != NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        done(c->arg, err, NULL, 0, false);
        return;
    }
    claims = mem_zero(reply->elements, sizeof(*claims));
    for (size_t i = 1; i < reply->elements; i++)
        count += read_claim(reply->element[i], &claims[count]);
    done(c->arg, NULL, claims, count, store_reply_u64(reply->element[0]) != 0);
    free(claims);
}

void shard_claim(struct shard *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, size_t at_once, store_claim_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, worker);
    store_args_num(&a, s->o.lease_ms);
    store_args_num(&a, max);
    store_args_num(&a, at_once);
    for (size_t i = 0; i < language_count; i++)
        store_args_num(&a, (uint64_t)languages[i]);
    store_script_call(s, SCRIPT_CLAIM, &a, on_claim, (void (*)(void))done, arg, NULL);
}

void shard_claim_not(struct shard *s, store_claim_fn done, void *arg)
{
    store_refuse(s, STORE_OWES, on_claim, (void (*)(void))done, arg);
}

struct leases {
    size_t count;
    struct store_lease list[];
};

static void on_extend(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_lease_fn done = (store_lease_fn)c->done;
    struct leases *l = c->extra;

    if (err == NULL && (reply->type != REDIS_REPLY_ARRAY || reply->elements != l->count)) {
        err_set(&c->err, ERR_INTERNAL, "Redis answered something else than leases");
        err = &c->err;
    }
    for (size_t i = 0; err == NULL && i < l->count; i++) {
        l->list[i].lost = store_reply_u64(reply->element[i]) == 1;
        l->list[i].cancelled = store_reply_u64(reply->element[i]) == 2;
    }
    done(c->arg, err, l->list, err == NULL ? l->count : 0);
}

void shard_extend(struct shard *s, const char *worker, const struct store_lease *leases, size_t count,
                  store_lease_fn done, void *arg)
{
    struct leases *l = mem_zero(1, sizeof(*l) + count * sizeof(l->list[0]));
    struct store_args a = {0};

    l->count = count;
    memcpy(l->list, leases, count * sizeof(l->list[0]));
    store_args_str(&a, worker);
    store_args_num(&a, s->o.lease_ms);
    for (size_t i = 0; i < count; i++) {
        store_args_str(&a, leases[i].token);
        store_args_num(&a, leases[i].epoch);
        store_args_num(&a, leases[i].begun);
    }
    store_script_call(s, SCRIPT_EXTEND, &a, on_extend, (void (*)(void))done, arg, l);
}

/* Which histogram bucket the time of the whole run belongs to; -1 if nothing was run. */
static int bucket_of(const struct job_result *r, uint64_t *ret_us)
{
    uint64_t ns = 0;
    unsigned i = 0;

    for (size_t t = 0; t < r->test_count; t++)
        ns += r->tests[t].measure.wall_ns;
    *ret_us = (ns + 500) / 1000;
    if (r->test_count == 0)
        return -1;
    while (i < STORE_BUCKETS - 1 && (double)ns / 1e9 > store_bucket_seconds(i))
        i++;
    return (int)i;
}

void shard_finish(struct shard *s, const char *worker, const char *token, uint32_t epoch,
                  const struct job_result *result, const struct store_lease *begun, size_t begun_count,
                  store_done_fn done, void *arg)
{
    CLEAN_BUF struct buf record = {0};
    struct store_args a = {0};
    char bucket[16];
    uint64_t us;

    if (store_put_result(result, &record) != 0) {
        store_refuse(s, STORE_NO_MEMORY, store_done_reply, (void (*)(void))done, arg);
        return;
    }
    snprintf(bucket, sizeof(bucket), "%d", bucket_of(result, &us));
    store_args_str(&a, worker);
    store_args_str(&a, token);
    store_args_num(&a, epoch);
    store_args_num(&a, (uint64_t)result->status);
    store_args_add(&a, record.data, record.len);
    store_args_str(&a, bucket);
    store_args_num(&a, us);
    store_args_str(&a, job_cache_name(result->compile_cache));
    for (size_t i = 0; i < begun_count; i++) {
        store_args_str(&a, begun[i].token);
        store_args_num(&a, begun[i].epoch);
    }
    store_script_call(s, SCRIPT_FINISH, &a, store_done_reply, (void (*)(void))done, arg, NULL);
    store_waits_told(s, token); /* who waits in this process asks in the same breath */
}

void shard_release(struct shard *s, const char *worker, const char *token, uint32_t epoch, store_done_fn done,
                   void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, worker);
    store_args_str(&a, token);
    store_args_num(&a, epoch);
    store_args_num(&a, JOB_CANCELLED);
    store_args_add(&a, s->cancelled_result.data, s->cancelled_result.len);
    store_script_call(s, SCRIPT_RELEASE, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

static void on_reap(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_reap_fn done = (store_reap_fn)c->done;
    const redisReply *dead;

    if (err != NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        done(c->arg, err, 0, 0);
        return;
    }
    dead = reply->element[2];
    for (size_t i = 0; i < dead->elements; i++)
        LOG_WARN("job_dead", F_STR("token", dead->element[i]->str),
                 F_STR("hint", "each time its worker was lost; execctl dead show TOKEN"));
    done(c->arg, NULL, (size_t)store_reply_u64(reply->element[0]),
         (size_t)store_reply_u64(reply->element[1]));
}

void shard_reap(struct shard *s, store_reap_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_num(&a, s->o.max_attempts);
    store_args_num(&a, JOB_INTERNAL_ERROR);
    store_args_add(&a, s->lost_result.data, s->lost_result.len);
    store_args_add(&a, s->overdue_result.data, s->overdue_result.len);
    store_args_num(&a, JOB_CANCELLED);
    store_args_add(&a, s->cancelled_result.data, s->cancelled_result.len);
    store_args_num(&a, s->o.dead_max);
    store_args_num(&a, s->o.dead_max_bytes);
    store_args_num(&a, MAX(s->o.dead_ttl_ms, (uint64_t)1));
    store_args_num(&a, (uint64_t)STORE_UNBEGUN * s->o.max_attempts);
    store_args_add(&a, s->unbegun_result.data, s->unbegun_result.len);
    store_script_call(s, SCRIPT_REAP, &a, on_reap, (void (*)(void))done, arg, NULL);
}
