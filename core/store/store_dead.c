/* store_dead.c - dead letters: jobs that cost their worker each time (lua/reap.lua makes them). */
#include "store_internal.h"

/* ended_ms, bytes, attempts, record. */
static bool read_letter(redisReply *const *e, const char *token, struct store_letter *l)
{
    struct err ignored = {0};

    if (e[3]->type != REDIS_REPLY_STRING ||
        store_get_job((struct bytes){e[3]->str, e[3]->len}, &l->job, &ignored) != 0)
        return false;
    memcpy(l->job->token, token, UUID_SIZE);
    l->ended_ms = store_reply_u64(e[0]);
    l->bytes = store_reply_u64(e[1]);
    l->attempts = (uint32_t)store_reply_u64(e[2]);
    return true;
}

static void on_list(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_letters_fn done = (store_letters_fn)c->done;
    struct store_letter *list;
    size_t count = 0;

    if (err != NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        done(c->arg, err, NULL, 0, 0);
        return;
    }
    list = mem_zero(reply->elements, sizeof(*list));
    for (size_t i = 1; i < reply->elements; i++) {
        const redisReply *r = reply->element[i];

        if (r->type == REDIS_REPLY_ARRAY && r->elements == 5 && r->element[0]->type == REDIS_REPLY_STRING &&
            uuid_valid(r->element[0]->str))
            count += read_letter(r->element + 1, r->element[0]->str, &list[count]);
    }
    done(c->arg, NULL, list, count, (size_t)store_reply_u64(reply->element[0]));
    for (size_t i = 0; i < count; i++)
        job_free(list[i].job);
    free(list);
}

void shard_dead_list(struct shard *s, const char *tenant, size_t offset, size_t max, store_letters_fn done,
                     void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, tenant);
    store_args_num(&a, offset);
    store_args_num(&a, max);
    store_script_call(s, SCRIPT_DEAD_LIST, &a, on_list, (void (*)(void))done, arg, NULL);
}

static void on_letter(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_letters_fn done = (store_letters_fn)c->done;
    struct store_letter l = {0};

    if (err == NULL && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 ||
                        !read_letter(reply->element, c->extra, &l))) {
        err_set(&c->err, ERR_INTERNAL, "Redis holds a dead letter that cannot be read");
        err = &c->err;
    }
    done(c->arg, err, &l, err == NULL ? 1 : 0, err == NULL ? 1 : 0);
    job_free(l.job);
}

void shard_dead_get(struct shard *s, const char *tenant, const char *token, store_letters_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, tenant);
    store_args_str(&a, token);
    store_script_call(s, SCRIPT_DEAD_GET, &a, on_letter, (void (*)(void))done, arg, mem_dup(token));
}

void shard_dead_drop(struct shard *s, const char *tenant, const char *token, store_done_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, tenant);
    store_args_str(&a, token);
    store_script_call(s, SCRIPT_DEAD_DROP, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}
