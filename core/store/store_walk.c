/* store_walk.c - what may come from any shard: jobs to run, webhooks to deliver.
 *
 * A walk asks one shard after another, beginning with another one each time, and ends at the first that has
 * something: what was found is begun at once, and the next walk goes on behind it.  So a claim costs one
 * question where there is work, and shards that have work take turns. */
#include "store_internal.h"

#define DRY_MS 1000 /* hints may be lost */

/* ---- jobs --------------------------------------------------------------------------------- */

struct claim_walk {
    struct store *store;
    char worker[STORE_WORKER_SIZE];
    size_t max;
    unsigned at;    /* whom the question is with */
    unsigned asked; /* how many were */
    unsigned failed;
    struct err err; /* of the last that failed */
    store_claim_fn done;
    void *arg;
    size_t language_count;
    int32_t languages[];
};

/* Is a claim worth a question here? */
static bool promising(const struct store_seat *seat)
{
    return shard_connected(seat->shard) &&
           (seat->hinted || seat->dry_until <= loop_now_ms(seat->store->loop));
}

/* The next that is, from `from` on; count: none. */
static unsigned next_promising(const struct store *s, unsigned from)
{
    for (unsigned i = 0; i < s->count; i++)
        if (promising(&s->seats[(from + i) % s->count]))
            return (from + i) % s->count;
    return s->count;
}

static void claim_end(struct claim_walk *w, struct store_claim *claims, size_t count, bool more)
{
    bool failed = count == 0 && !more && w->failed > 0 && w->failed == w->asked;

    w->done(w->arg, failed ? &w->err : NULL, claims, count, more);
    free(w);
}

static void claim_ask(struct claim_walk *w);

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct claim_walk *w = arg;
    struct store *s = w->store;
    struct store_seat *seat = &s->seats[w->at];

    if (err != NULL) {
        w->failed++;
        w->err = *err;
    }
    if (err != NULL || (count < w->max && !more))
        seat->dry_until = loop_now_ms(s->loop) + DRY_MS;
    if (count > 0 || more)
        claim_end(w, claims, count, more || next_promising(s, s->claim_turn) < s->count);
    else if (s->freeing || w->asked >= s->count || next_promising(s, s->claim_turn) == s->count)
        claim_end(w, NULL, 0, false);
    else
        claim_ask(w);
}

static void claim_ask(struct claim_walk *w)
{
    struct store *s = w->store;
    unsigned at = next_promising(s, s->claim_turn);

    w->at = at < s->count ? at : store_next_up(s, s->claim_turn);
    w->asked++;
    s->claim_turn = (w->at + 1) % s->count;
    s->seats[w->at].hinted = false; /* a hint that comes from now on is of something new */
    s->seats[w->at].dry_until = 0;
    shard_claim(s->seats[w->at].shard, w->worker, w->languages, w->language_count, w->max, on_claimed, w);
}

void store_claim(struct store *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, store_claim_fn done, void *arg)
{
    struct claim_walk *w;

    if (s->count == 1) {
        shard_claim(s->seats[0].shard, worker, languages, language_count, max, done, arg);
        return;
    }
    w = mem_zero(1, sizeof(*w) + language_count * sizeof(w->languages[0]));
    w->store = s;
    snprintf(w->worker, sizeof(w->worker), "%s", worker);
    w->max = max;
    w->done = done;
    w->arg = arg;
    w->language_count = language_count;
    memcpy(w->languages, languages, language_count * sizeof(w->languages[0]));
    claim_ask(w);
}

/* ---- webhooks ------------------------------------------------------------------------------- */

struct outbox_walk {
    struct store *store;
    struct store_outbox_rules rules;
    uint64_t per_endpoint;      /* of all shards together */
    struct store_places places; /* if `placed`; with holders of its own */
    bool placed;
    size_t max;
    unsigned at, left; /* whom the question is with; how many it may still go to */
    uint64_t next_ms;
    unsigned failed;
    struct err err;
    store_delivery_fn done;
    void *arg;
};

static void places_copy(struct outbox_walk *w, const struct store_places *places)
{
    struct store_holder *holders;

    w->placed = places != NULL;
    if (places == NULL)
        return;
    holders = mem_zero(MAX(places->holder_count, (size_t)1), sizeof(*holders));
    for (size_t i = 0; i < places->holder_count; i++)
        holders[i] = (struct store_holder){mem_dup(places->holders[i].tenant), places->holders[i].count};
    w->places = (struct store_places){places->free, holders, places->holder_count};
}

static void outbox_walk_free(struct outbox_walk *w)
{
    for (size_t i = 0; i < w->places.holder_count; i++)
        free((char *)(uintptr_t)w->places.holders[i].tenant);
    free((struct store_holder *)(uintptr_t)w->places.holders);
    free(w);
}

static void outbox_ask(struct outbox_walk *w);

static void on_deliveries(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                          uint64_t next_ms)
{
    struct outbox_walk *w = arg;

    if (err != NULL) {
        w->failed++;
        w->err = *err;
    }
    w->next_ms = MIN(w->next_ms, next_ms);
    w->left--;
    if (count == 0 && w->left > 0 && !w->store->freeing) {
        w->at = (w->at + 1) % w->store->count;
        outbox_ask(w);
        return;
    }
    /* those that were not asked may have something now */
    w->done(w->arg, w->failed == w->store->count ? &w->err : NULL, d, count, w->left > 0 ? 0 : w->next_ms);
    outbox_walk_free(w);
}

/* Each shard has its part of what may be under way to one endpoint, and at least one. */
static void outbox_ask(struct outbox_walk *w)
{
    struct store *s = w->store;
    const uint64_t each = w->per_endpoint / s->count;

    s->outbox_turn = (w->at + 1) % s->count;
    w->rules.per_endpoint = MAX(each + (w->at < w->per_endpoint % s->count), (uint64_t)1);
    shard_outbox_claim(s->seats[w->at].shard, &w->rules, w->placed ? &w->places : NULL, w->max, on_deliveries,
                       w);
}

void store_outbox_claim(struct store *s, const struct store_outbox_rules *r,
                        const struct store_places *places, size_t max, store_delivery_fn done, void *arg)
{
    struct outbox_walk *w;

    if (s->count == 1) {
        shard_outbox_claim(s->seats[0].shard, r, places, max, done, arg);
        return;
    }
    w = NEW(struct outbox_walk);
    w->store = s;
    w->rules = *r;
    w->per_endpoint = r->per_endpoint;
    places_copy(w, places);
    w->max = max;
    w->at = s->outbox_turn;
    w->left = s->count;
    w->next_ms = UINT64_MAX;
    w->done = done;
    w->arg = arg;
    outbox_ask(w);
}
