/* store_route.c - what is about one job, to its shard. */
#include "store_internal.h"

struct shard *store_shard_of(const struct store *s, const char *token)
{
    return s->seats[store_token_shard(token, s->count)].shard;
}

/* ---- clients ------------------------------------------------------------------------------ */

static bool bounded(const struct store_admission *m)
{
    return m->rate != 0 || m->max_jobs != 0 || m->max_bytes != 0;
}

/* What an idempotency key or a bound is about must meet again where it was before. */
static unsigned place(struct store *s, const struct store_admission *m)
{
    const char *tenant = m->tenant == NULL ? "" : m->tenant;

    if (bounded(m))
        return store_hash_shard(tenant, "", s->count);
    if (m->idempotency_key != NULL)
        return store_hash_shard(tenant, m->idempotency_key, s->count);
    s->place_turn = (s->place_turn + 1) % s->count;
    return s->place_turn = store_next_up(s, s->place_turn);
}

void store_place(struct store *s, const struct store_admission *admission, struct job *const *jobs,
                 size_t count)
{
    unsigned at;

    if (s->count == 1 || count == 0)
        return;
    at = place(s, admission);
    for (size_t i = 0; i < count; i++)
        store_token_place(jobs[i]->token, at, s->count);
}

/* They are accepted whole or not at all, and one script reaches one shard. */
static bool together(const struct store *s, struct job *const *jobs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (store_shard_of(s, jobs[i]->token) != store_shard_of(s, jobs[0]->token))
            return false;
    return true;
}

void store_submit(struct store *s, struct job *const *jobs, size_t count,
                  const struct store_admission *admission, store_submitted_fn done, void *arg)
{
    struct shard *shard = store_shard_of(s, jobs[0]->token);

    if (together(s, jobs, count))
        shard_submit(shard, jobs, count, admission, done, arg);
    else /* store_place() was not called */
        shard_submit_apart(shard, done, arg);
}

void store_get(struct store *s, const char *token, store_view_fn done, void *arg)
{
    shard_get(store_shard_of(s, token), token, done, arg);
}

struct store_wait *store_wait(struct store *s, const char *token, uint64_t wait_ms, store_view_fn done,
                              void *arg)
{
    return shard_wait(store_shard_of(s, token), token, wait_ms, done, arg);
}

void store_waits_end(struct store *s)
{
    for (unsigned i = 0; i < s->count; i++)
        shard_waits_end(s->seats[i].shard);
}

void store_cancel(struct store *s, const char *token, store_done_fn done, void *arg)
{
    shard_cancel(store_shard_of(s, token), token, done, arg);
}

/* ---- workers -------------------------------------------------------------------------------- */

void store_release(struct store *s, const char *worker, const char *token, uint32_t epoch, store_done_fn done,
                   void *arg)
{
    s->seats[store_token_shard(token, s->count)].hinted =
        true; /* the next claim need not wait for a message */
    shard_release(store_shard_of(s, token), worker, token, epoch, done, arg);
}

/* What workers tell of themselves is in one shard, the first that is there; readers ask all of them. */
static struct shard *fleet_shard(struct store *s)
{
    return s->seats[store_next_up(s, 0)].shard;
}

void store_heartbeat(struct store *s, const struct store_worker *w, uint64_t ttl_ms, store_beat_fn done,
                     void *arg)
{
    shard_heartbeat(fleet_shard(s), w, ttl_ms, done, arg);
}

void store_languages_put(struct store *s, const struct store_language *l, size_t count, store_done_fn done,
                         void *arg)
{
    shard_languages_put(fleet_shard(s), l, count, done, arg);
}

/* ---- scalers: with one shard only (store.h) ------------------------------------------------------- */

void store_scale_step(struct store *s, const char *id, uint64_t lease_ms, bool whole, store_scene_fn done,
                      void *arg)
{
    shard_scale_step(s->seats[0].shard, id, lease_ms, whole, done, arg);
}

void store_scale_decide(struct store *s, const char *id, uint64_t epoch, const struct store_decision *d,
                        const struct store_order *orders, size_t order_count, store_done_fn done, void *arg)
{
    shard_scale_decide(s->seats[0].shard, id, epoch, d, orders, order_count, done, arg);
}

void store_scale_yield(struct store *s, const char *id, store_done_fn done, void *arg)
{
    shard_scale_yield(s->seats[0].shard, id, done, arg);
}

void store_scale_view(struct store *s, size_t max, store_scene_fn done, void *arg)
{
    shard_scale_view(s->seats[0].shard, max, done, arg);
}

/* ---- dead letters and deliveries --------------------------------------------------------------- */

void store_dead_get(struct store *s, const char *tenant, const char *token, store_letters_fn done, void *arg)
{
    shard_dead_get(store_shard_of(s, token), tenant, token, done, arg);
}

void store_dead_drop(struct store *s, const char *tenant, const char *token, store_done_fn done, void *arg)
{
    shard_dead_drop(store_shard_of(s, token), tenant, token, done, arg);
}

void store_outbox_settle(struct store *s, const struct store_outbox_rules *r,
                         const struct store_settlement *settlement, store_settled_fn done, void *arg)
{
    shard_outbox_settle(store_shard_of(s, settlement->token), r, settlement, done, arg);
}

void store_outbox_view(struct store *s, const char *token, store_deliveries_fn done, void *arg)
{
    shard_outbox_view(store_shard_of(s, token), token, done, arg);
}

void store_outbox_again(struct store *s, const char *token, const struct store_admission *admission,
                        uint64_t pause_ms, store_submitted_fn done, void *arg)
{
    shard_outbox_again(store_shard_of(s, token), token, admission, pause_ms, done, arg);
}
