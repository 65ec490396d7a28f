/* store_scale.c - who scales the fleet, what it sees, what it decided (theory of operation: store.h). */
#include "store_internal.h"

/* ---- decisions as text --------------------------------------------------------------------- */

/* Numbers with a blank between, in this order, then the reason.  Numbers are only ever appended, before the
 * reason, with another version. */
#define VERSION "1"
#define NUMBERS 20

static size_t numbers_of(struct store_decision *d, uint64_t *of64[NUMBERS], uint32_t *of32[NUMBERS])
{
    uint64_t *const wide[] = {&d->at_ms,      &d->interval_ms,    &d->queued[0], &d->queued[1],
                              &d->queued[2],  &d->running,        &d->arrived,   &d->finished,
                              &d->service_ms, &d->oldest_wait_ms, &d->accepted,  &d->served,
                              &d->held};
    uint32_t *const narrow[] = {&d->workers,  &d->slots,  &d->draining, &d->cpu_permille,
                                &d->replicas, &d->wanted, &d->target};
    size_t n = 0;

    _Static_assert(COUNT_OF(wide) + COUNT_OF(narrow) == NUMBERS && JOB_PRIORITY_COUNT == 3, "all are told");
    for (size_t i = 0; i < COUNT_OF(wide); i++)
        of64[n++] = wide[i];
    for (size_t i = 0; i < COUNT_OF(narrow); i++)
        of32[n++] = narrow[i];
    return n;
}

int store_put_decision(const struct store_decision *v, struct buf *out)
{
    struct store_decision d = *v;
    uint64_t *of64[NUMBERS] = {0};
    uint32_t *of32[NUMBERS] = {0};
    const size_t n = numbers_of(&d, of64, of32);
    int rc = buf_adds(out, VERSION);

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = buf_addf(out, " %llu", of64[i] != NULL ? (unsigned long long)*of64[i] : *of32[i]);
    return rc != 0 ? rc : buf_addf(out, " %d %s", d.blind, d.reason);
}

/* False: it is none of ours, or a later execd's. */
bool store_get_decision(const char *text, struct store_decision *ret)
{
    uint64_t *of64[NUMBERS] = {0};
    uint32_t *of32[NUMBERS] = {0};
    size_t n;
    char *at;

    *ret = (struct store_decision){0};
    n = numbers_of(ret, of64, of32);
    if (strncmp(text, VERSION " ", sizeof(VERSION)) != 0)
        return false;
    text += sizeof(VERSION);
    for (size_t i = 0; i <= n; i++, text = at + 1) {
        const uint64_t v = strtoull(text, &at, 10);

        if (at == text || *at != ' ')
            return false;
        if (i == n)
            ret->blind = v != 0;
        else if (of64[i] != NULL)
            *of64[i] = v;
        else
            *of32[i] = (uint32_t)MIN(v, (uint64_t)UINT32_MAX);
    }
    snprintf(ret->reason, sizeof(ret->reason), "%s", text);
    return true;
}

/* ---- what a leader sees ------------------------------------------------------------------------ */

struct lists { /* what the scene borrows */
    struct store_worker *workers;
    char **leaving;
    struct store_decision *decisions;
};

static void lists_done(struct lists *l)
{
    free(l->workers);
    free(l->leaving);
    free(l->decisions);
}

static void read_workers(const redisReply *r, struct lists *l, struct store_scene *scene)
{
    struct err ignored = {0};

    l->workers = mem_zero(MAX(r->elements, (size_t)1), sizeof(*l->workers));
    for (size_t i = 0; i < r->elements; i++)
        if (store_get_worker((struct bytes){r->element[i]->str, r->element[i]->len},
                             &l->workers[scene->worker_count], &ignored) == 0)
            scene->worker_count++;
    scene->workers = l->workers;
}

static void read_leaving(const redisReply *r, struct lists *l, struct store_scene *scene)
{
    l->leaving = mem_zero(MAX(r->elements, (size_t)1), sizeof(*l->leaving));
    for (size_t i = 0; i < r->elements; i++)
        if (r->element[i]->type == REDIS_REPLY_STRING)
            l->leaving[scene->leaving_count++] = r->element[i]->str;
    scene->leaving = l->leaving;
}

static void read_decisions(const redisReply *r, struct lists *l, struct store_scene *scene)
{
    l->decisions = mem_zero(MAX(r->elements, (size_t)1), sizeof(*l->decisions));
    for (size_t i = 0; i < r->elements; i++)
        if (r->element[i]->type == REDIS_REPLY_STRING &&
            store_get_decision(r->element[i]->str, &l->decisions[scene->decision_count]))
            scene->decision_count++;
    scene->decisions = l->decisions;
}

static void read_who(const redisReply *r, struct store_scene *scene)
{
    snprintf(scene->who, sizeof(scene->who), "%s", r->type == REDIS_REPLY_STRING ? r->str : "");
}

static bool is_list(const redisReply *r, size_t least)
{
    return r->type == REDIS_REPLY_ARRAY && r->elements >= least;
}

static bool read_scene(const redisReply *r, struct lists *l, struct store_scene *scene)
{
    redisReply **e = r->element;

    if (!is_list(r, 4))
        return false;
    scene->leads = store_reply_u64(e[0]) != 0;
    scene->epoch = store_reply_u64(e[1]);
    read_who(e[2], scene);
    scene->left_ms = store_reply_u64(e[3]);
    if (!scene->leads)
        return true;
    if (!is_list(r, 16) || !is_list(e[13], 0) || !is_list(e[14], 0) || !is_list(e[15], 0))
        return false;
    scene->now_ms = store_reply_u64(e[4]);
    for (unsigned i = 0; i < JOB_PRIORITY_COUNT; i++)
        scene->queued[i] = store_reply_u64(e[5 + i]);
    scene->running = store_reply_u64(e[8]);
    scene->oldest_wait_ms = store_reply_u64(e[9]);
    scene->accepted = store_reply_u64(e[10]);
    scene->served = store_reply_u64(e[11]);
    scene->held = store_reply_u64(e[12]);
    read_workers(e[13], l, scene);
    read_leaving(e[14], l, scene);
    read_decisions(e[15], l, scene);
    return true;
}

static void answer_scene(struct store_call *c, bool ok, const struct err *err, struct lists *l,
                         const struct store_scene *scene)
{
    store_scene_fn done = (store_scene_fn)c->done;

    if (err == NULL && !ok) {
        err_set(&c->err, ERR_INTERNAL, "Redis answered something else than what a scaler asks for");
        err = &c->err;
    }
    done(c->arg, err, err == NULL ? scene : NULL);
    lists_done(l);
}

static void on_step(struct store_call *c, const redisReply *reply, const struct err *err)
{
    struct store_scene scene = {0};
    struct lists l = {0};

    answer_scene(c, err == NULL && read_scene(reply, &l, &scene), err, &l, &scene);
}

void shard_scale_step(struct shard *s, const char *id, uint64_t lease_ms, bool whole, store_scene_fn done,
                      void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, id);
    store_args_num(&a, lease_ms);
    store_args_num(&a, whole);
    store_script_call(s, SCRIPT_SCALE_STEP, &a, on_step, (void (*)(void))done, arg, NULL);
}

/* ---- what it decides ------------------------------------------------------------------------------ */

void shard_scale_decide(struct shard *s, const char *id, uint64_t epoch, const struct store_decision *d,
                        const struct store_order *orders, size_t order_count, store_done_fn done, void *arg)
{
    CLEAN_BUF struct buf record = {0};
    struct store_args a = {0};

    if (store_put_decision(d, &record) != 0) {
        store_refuse(s, STORE_NO_MEMORY, store_done_reply, (void (*)(void))done, arg);
        return;
    }
    store_args_str(&a, id);
    store_args_num(&a, epoch);
    store_args_num(&a, STORE_DECISIONS_MAX);
    store_args_add(&a, record.data, record.len);
    store_args_num(&a, d->replicas);
    store_args_num(&a, d->wanted);
    for (size_t i = 0; i < order_count; i++) {
        store_args_str(&a, orders[i].leave ? "leave" : "stay");
        store_args_str(&a, orders[i].worker);
    }
    store_script_call(s, SCRIPT_SCALE_DECIDE, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

void shard_scale_yield(struct shard *s, const char *id, store_done_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, id);
    store_script_call(s, SCRIPT_SCALE_YIELD, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}

/* ---- for whoever asks ------------------------------------------------------------------------------- */

static void on_view(struct store_call *c, const redisReply *reply, const struct err *err)
{
    struct store_scene scene = {0};
    struct lists l = {0};
    bool ok = false;

    if (err == NULL && is_list(reply, 5) && is_list(reply->element[3], 0) && is_list(reply->element[4], 0)) {
        ok = true;
        read_who(reply->element[0], &scene);
        scene.epoch = store_reply_u64(reply->element[1]);
        scene.left_ms = store_reply_u64(reply->element[2]);
        read_leaving(reply->element[3], &l, &scene);
        read_decisions(reply->element[4], &l, &scene);
    }
    answer_scene(c, ok, err, &l, &scene);
}

void shard_scale_view(struct shard *s, size_t max, store_scene_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_num(&a, MAX(max, (size_t)1));
    store_script_call(s, SCRIPT_SCALE_VIEW, &a, on_view, (void (*)(void))done, arg, NULL);
}
