/* store_walk.c - what may come from any shard: jobs to run, webhooks to deliver.
 *
 * A walk asks one shard after another, beginning with another one each time, and ends at the first that has
 * something: what was found is begun at once, and the next walk goes on behind it.  So a claim costs one
 * question where there is work, and shards that have work take turns.
 *
 * A shard that hangs is noticed by its connection's watchdog, after seconds.  A walk waits for an answer as
 * long as it has patience and then goes on without it; whoever owes an answer is not asked again before it
 * has come. Jobs that come so late go back, and deliveries are left to their lease.  Where every answer takes
 * long that must not go on for ever: patience grows with the time that the last answer took. */
#include "store_internal.h"

#define DRY_MS 1000 /* hints may be lost */
#define CLAIM_PATIENCE_MS 500
#define PATIENCE_MAX_MS 5000 /* unless it is given as more: the watchdog is there */

/* ---- questions ------------------------------------------------------------------------------ */

struct question {
    void *walk; /* NULL: it has gone on */
    struct store_seat *seat;
    struct store_pace *pace;
    uint64_t asked_ms;
    char worker[STORE_WORKER_SIZE]; /* who claims, if it is about jobs */
};

static struct question *question_new(void *walk, struct store_seat *seat, struct store_pace *pace)
{
    struct question *q = NEW(struct question);

    q->walk = walk;
    q->seat = seat;
    q->pace = pace;
    q->asked_ms = loop_now_ms(seat->store->loop);
    return q;
}

static uint64_t patience_ms(const struct store_pace *pace, uint64_t least_ms)
{
    return MAX(least_ms, MIN(2 * pace->took_ms, (uint64_t)PATIENCE_MAX_MS));
}

/* The walk goes on without the answer. */
static void question_leave(struct question *q, struct err *reterr)
{
    q->walk = NULL;
    q->pace->overdue++;
    err_set(reterr, ERR_AGAIN, "a shard of Redis did not answer within %llu ms",
            (unsigned long long)(loop_now_ms(q->seat->store->loop) - q->asked_ms));
}

/* Its answer has come. */
static void question_end(struct question *q, const struct err *err)
{
    if (q->walk == NULL)
        q->pace->overdue--;
    if (err == NULL)
        q->pace->took_ms = loop_now_ms(q->seat->store->loop) - q->asked_ms;
    free(q);
}

/* ---- jobs --------------------------------------------------------------------------------- */

struct claim_walk {
    struct store *store;
    struct question *question; /* that waits for its answer */
    struct loop_timer *timer;  /* patience */
    char worker[STORE_WORKER_SIZE];
    size_t max, at_once;
    unsigned asked; /* how many were */
    unsigned failed;
    struct err err; /* of the last that failed */
    store_claim_fn done;
    void *arg;
    size_t language_count;
    int32_t languages[];
};

/* Can it be asked? */
static bool willing(const struct store_seat *seat)
{
    return shard_connected(seat->shard) && seat->claims.overdue == 0;
}

/* Is a claim worth a question here? */
static bool promising(const struct store_seat *seat)
{
    return willing(seat) && (seat->hinted || seat->dry_until <= loop_now_ms(seat->store->loop));
}

/* The next that is so, from `from` on; count: none. */
static unsigned next_that(const struct store *s, unsigned from, bool (*is)(const struct store_seat *seat))
{
    for (unsigned i = 0; i < s->count; i++)
        if (is(&s->seats[(from + i) % s->count]))
            return (from + i) % s->count;
    return s->count;
}

static bool any_promising(const struct store *s)
{
    return next_that(s, s->claim_turn, promising) < s->count;
}

static void claim_end(struct claim_walk *w, struct store_claim *claims, size_t count, bool more)
{
    bool failed = count == 0 && !more && w->failed > 0 && w->failed == w->asked;

    w->done(w->arg, failed ? &w->err : NULL, claims, count, more);
    loop_timer_free(w->timer);
    free(w);
}

static void claim_ask(struct claim_walk *w);

static void claim_on(struct claim_walk *w)
{
    if (w->store->freeing || w->asked >= w->store->count || !any_promising(w->store))
        claim_end(w, NULL, 0, false);
    else
        claim_ask(w);
}

static void on_claim_patience(void *arg)
{
    struct claim_walk *w = arg;

    question_leave(steal(&w->question), &w->err);
    w->failed++;
    claim_on(w);
}

/* Nobody waits for them here any more; `worker` may have others by now. */
static void claimed_late(struct store_seat *seat, const char *worker, struct store_claim *claims,
                         size_t count)
{
    struct store *s = seat->store;

    for (size_t i = 0; i < count; i++) {
        store_release(s, worker, claims[i].job->token, claims[i].epoch, NULL, NULL);
        job_free(claims[i].job);
    }
    seat->hinted = true;
    if (s->ready_fn != NULL)
        s->ready_fn(s->ready_arg);
}

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct question *q = arg;
    struct store_seat *seat = q->seat;
    struct claim_walk *w = q->walk;
    char worker[STORE_WORKER_SIZE];

    memcpy(worker, q->worker, sizeof(worker));
    question_end(q, err);
    if (w == NULL) {
        if (err == NULL)
            claimed_late(seat, worker, claims, count);
        return;
    }
    w->question = NULL;
    loop_timer_cancel(w->timer);
    if (err != NULL) {
        w->failed++;
        w->err = *err;
    }
    if (err != NULL || (count < w->max && !more))
        seat->dry_until = loop_now_ms(w->store->loop) + DRY_MS;
    if (count > 0 || more)
        claim_end(w, claims, count, more || any_promising(w->store));
    else
        claim_on(w);
}

/* Of what can be asked, what is worth it; else one that answers at once that it is away or owes an answer. */
static unsigned claim_whom(const struct store *s)
{
    unsigned at = next_that(s, s->claim_turn, promising);

    if (at == s->count)
        at = next_that(s, s->claim_turn, willing);
    return at == s->count ? s->claim_turn : at;
}

static void claim_ask(struct claim_walk *w)
{
    struct store *s = w->store;
    unsigned at = claim_whom(s);
    struct store_seat *seat = &s->seats[at];

    w->asked++;
    w->question = question_new(w, seat, &seat->claims);
    memcpy(w->question->worker, w->worker, sizeof(w->worker));
    s->claim_turn = (at + 1) % s->count;
    loop_timer_arm(w->timer, patience_ms(&seat->claims, CLAIM_PATIENCE_MS));
    if (seat->claims.overdue > 0) {
        shard_claim_not(seat->shard, on_claimed, w->question);
        return;
    }
    seat->hinted = false; /* a hint that comes from now on is of something new */
    seat->dry_until = 0;
    shard_claim(seat->shard, w->worker, w->languages, w->language_count, w->max, w->at_once, on_claimed,
                w->question);
}

void store_claim(struct store *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, size_t at_once, store_claim_fn done, void *arg)
{
    struct claim_walk *w;

    if (s->count == 1) {
        shard_claim(s->seats[0].shard, worker, languages, language_count, max, at_once, done, arg);
        return;
    }
    w = mem_zero(1, sizeof(*w) + language_count * sizeof(w->languages[0]));
    w->store = s;
    w->timer = loop_timer_new(s->loop, on_claim_patience, w);
    snprintf(w->worker, sizeof(w->worker), "%s", worker);
    w->max = max;
    w->at_once = at_once;
    w->done = done;
    w->arg = arg;
    w->language_count = language_count;
    memcpy(w->languages, languages, language_count * sizeof(w->languages[0]));
    claim_ask(w);
}

/* ---- webhooks ------------------------------------------------------------------------------- */

struct outbox_walk {
    struct store *store;
    struct question *question;
    struct loop_timer *timer;
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
    loop_timer_free(w->timer);
    free(w);
}

static void outbox_ask(struct outbox_walk *w);

static void outbox_on(struct outbox_walk *w, struct store_delivery *d, size_t count)
{
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

static void on_outbox_patience(void *arg)
{
    struct outbox_walk *w = arg;

    question_leave(steal(&w->question), &w->err);
    w->failed++;
    outbox_on(w, NULL, 0);
}

static void on_deliveries(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                          uint64_t next_ms)
{
    struct question *q = arg;
    struct store *s = q->seat->store;
    struct outbox_walk *w = q->walk;

    question_end(q, err);
    if (w == NULL) { /* nobody has begun these; the shard is worth another question, that is all */
        if (err == NULL && s->outbox_fn != NULL)
            s->outbox_fn(s->outbox_arg);
        return;
    }
    w->question = NULL;
    loop_timer_cancel(w->timer);
    if (err != NULL) {
        w->failed++;
        w->err = *err;
    }
    w->next_ms = MIN(w->next_ms, next_ms);
    outbox_on(w, d, count);
}

/* Passes over those that owe an answer, but for the last, which answers that. */
static struct store_seat *outbox_whom(struct outbox_walk *w)
{
    struct store *s = w->store;

    for (; w->left > 1 && s->seats[w->at].outbox.overdue > 0; w->left--) {
        w->failed++;
        w->at = (w->at + 1) % s->count;
    }
    return &s->seats[w->at];
}

/* Each shard has its part of what may be under way to one endpoint, and at least one. */
static void outbox_ask(struct outbox_walk *w)
{
    struct store *s = w->store;
    struct store_seat *seat = outbox_whom(w);
    const uint64_t each = w->per_endpoint / s->count;

    s->outbox_turn = (w->at + 1) % s->count;
    w->rules.per_endpoint = MAX(each + (w->at < w->per_endpoint % s->count), (uint64_t)1);
    w->question = question_new(w, seat, &seat->outbox);
    loop_timer_arm(w->timer, patience_ms(&seat->outbox, s->answer_ms));
    if (seat->outbox.overdue > 0)
        shard_outbox_claim_not(seat->shard, on_deliveries, w->question);
    else
        shard_outbox_claim(seat->shard, &w->rules, w->placed ? &w->places : NULL, w->max, on_deliveries,
                           w->question);
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
    w->timer = loop_timer_new(s->loop, on_outbox_patience, w);
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
