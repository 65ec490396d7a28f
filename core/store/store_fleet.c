/* store_fleet.c - workers, what they speak, and the numbers. */
#include <math.h>

#include "store_internal.h"

#define LANGUAGE_TTL_MS (10 * 60 * 1000) /* workers name theirs with every heartbeat */

/* ---- workers --------------------------------------------------------------------------- */

static void on_beat(struct store_call *c, const redisReply *reply, const struct err *err)
{
    const bool leave = err == NULL && reply->str != NULL && strcmp(reply->str, "LEAVE") == 0;

    if (c->done != NULL)
        ((store_beat_fn)c->done)(c->arg, err, leave);
}

void shard_heartbeat(struct shard *s, const struct store_worker *w, uint64_t ttl_ms, store_beat_fn done,
                     void *arg)
{
    CLEAN_BUF struct buf record = {0};
    struct store_args a = {0};

    if (store_put_worker(w, &record) != 0) {
        store_refuse(s, STORE_NO_MEMORY, on_beat, (void (*)(void))done, arg);
        return;
    }
    store_args_str(&a, w->id);
    store_args_num(&a, MAX(ttl_ms, (uint64_t)1));
    store_args_add(&a, record.data, record.len);
    store_script_call(s, SCRIPT_BEAT, &a, on_beat, (void (*)(void))done, arg, NULL);
}

void shard_worker_gone(struct shard *s, const char *id, store_done_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, id);
    store_args_num(&a, 0);
    store_args_str(&a, "");
    store_script_call(s, SCRIPT_BEAT, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

void shard_languages_put(struct shard *s, const struct store_language *l, size_t count, store_done_fn done,
                         void *arg)
{
    struct store_args a = {0};

    store_args_num(&a, LANGUAGE_TTL_MS);
    store_args_num(&a, false);
    for (size_t i = 0; i < count; i++) {
        store_args_num(&a, (uint64_t)l[i].id);
        store_args_str(&a, l[i].version);
    }
    store_script_call(s, SCRIPT_LANGUAGES, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

static void on_languages(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_languages_fn done = (store_languages_fn)c->done;
    struct store_language *list;
    size_t count;

    if (err != NULL || reply->type != REDIS_REPLY_ARRAY) {
        done(c->arg, err, NULL, 0);
        return;
    }
    count = reply->elements / 2;
    list = mem_zero(count, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        list[i].id = (int32_t)store_reply_u64(reply->element[2 * i]);
        snprintf(list[i].version, sizeof(list[i].version), "%s", reply->element[2 * i + 1]->str);
    }
    done(c->arg, NULL, list, count);
    free(list);
}

void shard_languages_get(struct shard *s, bool hold, store_languages_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_num(&a, LANGUAGE_TTL_MS);
    store_args_num(&a, hold);
    store_script_call(s, SCRIPT_LANGUAGES, &a, on_languages, (void (*)(void))done, arg, NULL);
}

/* ---- numbers ------------------------------------------------------------------------------ */

double store_bucket_seconds(unsigned i)
{
    static const double bounds[STORE_BUCKETS - 1] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,      2.5,   5,    10,    30,   60,  300};

    return i < COUNT_OF(bounds) ? bounds[i] : (double)INFINITY;
}

/* {"st:2", "5", "b:3", "1", ...} */
static void read_language(const redisReply *r, struct store_language_stats *l)
{
    const redisReply *fields;

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || r->element[1]->type != REDIS_REPLY_ARRAY)
        return;
    l->language_id = (int32_t)store_reply_u64(r->element[0]);
    fields = r->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *name = fields->element[i]->str, *value = fields->element[i + 1]->str;
        unsigned long at =
            strlen(name) > 2 ? strtoul(strchr(name, ':') != NULL ? strchr(name, ':') + 1 : "0", NULL, 10) : 0;

        if (strncmp(name, "st:", 3) == 0 && at < JOB_STATUS_COUNT)
            l->by_status[at] = strtoull(value, NULL, 10);
        else if (strncmp(name, "b:", 2) == 0 && at < STORE_BUCKETS)
            l->run_buckets[at] = strtoull(value, NULL, 10);
        else if (strcmp(name, "cc:hit") == 0)
            l->by_cache[JOB_CACHE_HIT] = strtoull(value, NULL, 10);
        else if (strcmp(name, "cc:miss") == 0)
            l->by_cache[JOB_CACHE_MISS] = strtoull(value, NULL, 10);
        else if (strcmp(name, "us") == 0)
            l->run_seconds_sum = (double)strtoull(value, NULL, 10) / 1e6;
    }
    for (unsigned i = 1; i < STORE_BUCKETS;
         i++) /* Redis counts each in its own, Prometheus wants "at most" */
        l->run_buckets[i] += l->run_buckets[i - 1];
    l->run_count = l->run_buckets[STORE_BUCKETS - 1];
}

static void read_workers(const redisReply *r, struct store_stats *st)
{
    struct err ignored = {0};

    st->workers = mem_zero(r->elements, sizeof(*st->workers));
    for (size_t i = 0; i < r->elements; i++)
        if (store_get_worker((struct bytes){r->element[i]->str, r->element[i]->len},
                             &st->workers[st->worker_count], &ignored) == 0)
            st->worker_count++;
}

static void on_stats(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_stats_fn done = (store_stats_fn)c->done;
    struct store_stats st = {0};
    redisReply **e;

    if (err == NULL && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 17)) {
        err_set(&c->err, ERR_INTERNAL, "Redis answered something else than numbers");
        err = &c->err;
    }
    if (err != NULL) {
        done(c->arg, err, NULL);
        return;
    }
    e = reply->element;
    for (unsigned i = 0; i < JOB_PRIORITY_COUNT; i++)
        st.queued[i] = store_reply_u64(e[i]);
    st.queued_bytes = store_reply_u64(e[3]);
    st.running = store_reply_u64(e[4]);
    st.outbox = store_reply_u64(e[5]);
    st.oldest_queued_ms = store_reply_u64(e[6]);
    st.accepted = store_reply_u64(e[7]);
    st.recovered = store_reply_u64(e[8]);
    st.webhook_delivered = store_reply_u64(e[9]);
    st.webhook_failed = store_reply_u64(e[10]);
    st.outbox_dead = store_reply_u64(e[11]);
    st.late = store_reply_u64(e[12]);
    st.dead = store_reply_u64(e[13]);
    read_workers(e[14], &st);
    if (e[16]->type == REDIS_REPLY_ARRAY && e[16]->elements == 4) {
        st.scale_epoch = store_reply_u64(e[16]->element[0]);
        st.scale_replicas = store_reply_u64(e[16]->element[1]);
        st.scale_wanted = store_reply_u64(e[16]->element[2]);
        st.scale_decisions = store_reply_u64(e[16]->element[3]);
    }
    st.language_count = e[15]->elements;
    st.languages = mem_zero(st.language_count, sizeof(*st.languages));
    for (size_t i = 0; i < st.language_count; i++)
        read_language(e[15]->element[i], &st.languages[i]);
    done(c->arg, NULL, &st);
    free(st.workers);
    free(st.languages);
}

void shard_stats(struct shard *s, store_stats_fn done, void *arg)
{
    struct store_args a = {0};

    store_script_call(s, SCRIPT_STATS, &a, on_stats, (void (*)(void))done, arg, NULL);
}
