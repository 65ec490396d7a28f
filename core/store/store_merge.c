/* store_merge.c - what is about all shards: each is asked, and the answers become one.
 *
 * A shard that is away answers ERR_AGAIN like any other question; the whole fails when none has answered. */
#include "store_internal.h"

/* What all of these have in common: how many answers are owed, and the last failure. */
struct merge {
    struct store *store;
    unsigned owed, failed;
    struct err err;
    void (*done)(void);
    void *arg;
};

static void merge_begin(struct merge *m, struct store *s, unsigned owed, void (*done)(void), void *arg)
{
    *m = (struct merge){.store = s, .owed = owed, .done = done, .arg = arg};
}

static void merge_err(struct merge *m, const struct err *err)
{
    if (err == NULL)
        return;
    m->failed++;
    m->err = *err;
}

static bool merge_over(struct merge *m)
{
    return --m->owed == 0;
}

/* ---- done, and nothing else ------------------------------------------------------------------ */

static void on_done(void *arg, const struct err *err)
{
    struct merge *m = arg;

    merge_err(m, err);
    if (!merge_over(m))
        return;
    if (m->done != NULL)
        ((store_done_fn)m->done)(m->arg, m->failed > 0 ? &m->err : NULL);
    free(m);
}

void store_ping(struct store *s, store_done_fn done, void *arg)
{
    struct merge *m = NEW(struct merge);

    merge_begin(m, s, s->count, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count; i++)
        shard_ping(s->seats[i].shard, on_done, m);
}

void store_worker_gone(struct store *s, const char *id, store_done_fn done, void *arg)
{
    struct merge *m = NEW(struct merge);

    merge_begin(m, s, s->count, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count; i++)
        shard_worker_gone(s->seats[i].shard, id, on_done, m);
}

/* ---- leases ------------------------------------------------------------------------------------ */

struct lease_merge {
    struct merge m;
    size_t count;
    struct store_lease list[];
};

static void on_leases(void *arg, const struct err *err, struct store_lease *leases, size_t count)
{
    struct lease_merge *l = arg;

    merge_err(&l->m, err);
    memcpy(l->list + l->count, leases, count * sizeof(*leases));
    l->count += count;
    if (!merge_over(&l->m))
        return;
    ((store_lease_fn)l->m.done)(l->m.arg, l->count == 0 ? &l->m.err : NULL, l->list, l->count);
    free(l);
}

/* Those of one shard, into `ret`. */
static size_t leases_of(const struct store *s, unsigned shard, const struct store_lease *all, size_t count,
                        struct store_lease *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (store_token_shard(all[i].token, s->count) == shard)
            ret[n++] = all[i];
    return n;
}

void store_extend(struct store *s, const char *worker, const struct store_lease *leases, size_t count,
                  store_lease_fn done, void *arg)
{
    CLEAN_FREE struct store_lease *part = NULL;
    struct lease_merge *l;

    if (s->count == 1 || count == 0) {
        shard_extend(s->seats[0].shard, worker, leases, count, done, arg);
        return;
    }
    part = mem_zero(count, sizeof(*part));
    l = mem_zero(1, sizeof(*l) + count * sizeof(l->list[0]));
    merge_begin(&l->m, s, 0, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count; i++) {
        size_t n = leases_of(s, i, leases, count, part);

        if (n == 0)
            continue;
        l->m.owed++; /* answers come from later turns */
        shard_extend(s->seats[i].shard, worker, part, n, on_leases, l);
    }
}

static void ignore_leases(void *arg, const struct err *err, struct store_lease *leases, size_t count)
{
    (void)arg, (void)err, (void)leases, (void)count; /* the next heartbeat says and asks it again */
}

/* Of `begun`, what is of the job's shard goes with its result, and the others with calls of their own. */
void store_finish(struct store *s, const char *worker, const char *token, uint32_t epoch,
                  const struct job_result *result, const struct store_lease *begun, size_t begun_count,
                  store_done_fn done, void *arg)
{
    CLEAN_FREE struct store_lease *part = mem_zero(MAX(begun_count, (size_t)1), sizeof(*part));
    const unsigned own = store_token_shard(token, s->count);
    size_t n = leases_of(s, own, begun, begun_count, part);

    shard_finish(s->seats[own].shard, worker, token, epoch, result, part, n, done, arg);
    for (unsigned i = 0; i < s->count; i++)
        if (i != own && (n = leases_of(s, i, begun, begun_count, part)) > 0)
            shard_extend(s->seats[i].shard, worker, part, n, ignore_leases, NULL);
}

/* ---- the reaper --------------------------------------------------------------------------------- */

struct reap_merge {
    struct merge m;
    size_t recovered, overdue;
};

static void on_reaped(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    struct reap_merge *r = arg;

    merge_err(&r->m, err);
    r->recovered += recovered;
    r->overdue += overdue;
    if (!merge_over(&r->m))
        return;
    ((store_reap_fn)r->m.done)(r->m.arg, r->m.failed == r->m.store->count ? &r->m.err : NULL, r->recovered,
                               r->overdue);
    free(r);
}

void store_reap(struct store *s, store_reap_fn done, void *arg)
{
    struct reap_merge *r = NEW(struct reap_merge);

    merge_begin(&r->m, s, s->count, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count; i++)
        shard_reap(s->seats[i].shard, on_reaped, r);
}

/* ---- languages ------------------------------------------------------------------------------------ */

struct language_merge {
    struct merge m;
    struct store_language *list;
    size_t count;
};

static bool knows(const struct language_merge *l, int32_t id)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->list[i].id == id)
            return true;
    return false;
}

static void on_languages(void *arg, const struct err *err, const struct store_language *list, size_t count)
{
    struct language_merge *l = arg;

    merge_err(&l->m, err);
    l->list = reallocarray(l->list, MAX(l->count + count, (size_t)1), sizeof(*l->list));
    if (l->list == NULL)
        abort(); /* as mem_zero() */
    for (size_t i = 0; i < count; i++)
        if (!knows(l, list[i].id))
            l->list[l->count++] = list[i];
    if (!merge_over(&l->m))
        return;
    ((store_languages_fn)l->m.done)(l->m.arg, l->m.failed == l->m.store->count ? &l->m.err : NULL, l->list,
                                    l->count);
    free(l->list);
    free(l);
}

void store_languages_get(struct store *s, store_languages_fn done, void *arg)
{
    struct language_merge *l;

    if (s->count == 1) {
        shard_languages_get(s->seats[0].shard, true, done, arg);
        return;
    }
    l = NEW(struct language_merge);
    merge_begin(&l->m, s, s->count, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count;
         i++) /* workers are told in one: that none is in another says nothing */
        shard_languages_get(s->seats[i].shard, false, on_languages, l);
}

/* ---- dead letters ----------------------------------------------------------------------------------- */

struct letter_merge {
    struct merge m;
    size_t offset, max, count, all;
    struct store_letter *list;
};

static int newest_first(const void *a, const void *b)
{
    const struct store_letter *x = a, *y = b;

    if (x->ended_ms != y->ended_ms)
        return x->ended_ms > y->ended_ms ? -1 : 1;
    return strcmp(y->job->token, x->job->token); /* as ZREVRANGE */
}

static void letters_end(struct letter_merge *l)
{
    const bool failed = l->m.failed == l->m.store->count;
    size_t from = MIN(l->offset, l->count);

    if (l->count > 1)
        qsort(l->list, l->count, sizeof(*l->list), newest_first);
    ((store_letters_fn)l->m.done)(l->m.arg, failed ? &l->m.err : NULL, l->list + from,
                                  MIN(l->max, l->count - from), l->all);
    for (size_t i = 0; i < l->count; i++)
        job_free(l->list[i].job);
    free(l->list);
    free(l);
}

static void on_letters(void *arg, const struct err *err, struct store_letter *list, size_t count, size_t all)
{
    struct letter_merge *l = arg;

    merge_err(&l->m, err);
    l->all += all;
    l->list = reallocarray(l->list, MAX(l->count + count, (size_t)1), sizeof(*l->list));
    if (l->list == NULL)
        abort(); /* as mem_zero(): what is in them is bounded by dead_max */
    for (size_t i = 0; i < count; i++) {
        l->list[l->count++] = list[i];
        list[i].job = NULL;
    }
    if (merge_over(&l->m))
        letters_end(l);
}

void store_dead_list(struct store *s, const char *tenant, size_t offset, size_t max, store_letters_fn done,
                     void *arg)
{
    struct letter_merge *l;

    if (s->count == 1) {
        shard_dead_list(s->seats[0].shard, tenant, offset, max, done, arg);
        return;
    }
    l = NEW(struct letter_merge);
    merge_begin(&l->m, s, s->count, (void (*)(void))done, arg);
    l->offset = offset;
    l->max = max;
    for (unsigned i = 0; i < s->count; i++) /* any may have all that are asked for */
        shard_dead_list(s->seats[i].shard, tenant, 0, offset + max, on_letters, l);
}

/* ---- numbers ------------------------------------------------------------------------------------------ */

struct stats_merge {
    struct merge m;
    struct store_stats sum;
};
struct stats_part { /* whose answer it is */
    struct stats_merge *all;
    struct store_seat *seat;
};

static struct store_language_stats *language_of(struct store_stats *st, int32_t id)
{
    for (size_t i = 0; i < st->language_count; i++)
        if (st->languages[i].language_id == id)
            return &st->languages[i];
    st->languages[st->language_count] = (struct store_language_stats){.language_id = id};
    return &st->languages[st->language_count++];
}

static void add_language(struct store_language_stats *to, const struct store_language_stats *from)
{
    for (size_t i = 0; i < COUNT_OF(to->by_status); i++)
        to->by_status[i] += from->by_status[i];
    for (size_t i = 0; i < COUNT_OF(to->run_buckets); i++)
        to->run_buckets[i] += from->run_buckets[i];
    for (size_t i = 0; i < COUNT_OF(to->by_cache); i++)
        to->by_cache[i] += from->by_cache[i];
    to->run_seconds_sum += from->run_seconds_sum;
    to->run_count += from->run_count;
}

static void add_stats(struct store_stats *to, const struct store_stats *from)
{
    for (size_t i = 0; i < COUNT_OF(to->queued); i++)
        to->queued[i] += from->queued[i];
    to->running += from->running;
    to->outbox += from->outbox;
    to->outbox_dead += from->outbox_dead;
    to->queued_bytes += from->queued_bytes;
    if (to->oldest_queued_ms == 0 ||
        (from->oldest_queued_ms != 0 && from->oldest_queued_ms < to->oldest_queued_ms))
        to->oldest_queued_ms = from->oldest_queued_ms;
    to->accepted += from->accepted;
    to->recovered += from->recovered;
    to->webhook_delivered += from->webhook_delivered;
    to->webhook_failed += from->webhook_failed;
    to->late += from->late;
    to->dead += from->dead;
    for (size_t i = 0; i < from->language_count; i++)
        add_language(language_of(to, from->languages[i].language_id), &from->languages[i]);
}

/* A worker is in two shards for a while after the first of them was away; the later word counts. */
static void add_workers(struct store_stats *to, const struct store_stats *from)
{
    to->workers = reallocarray(to->workers, MAX(to->worker_count + from->worker_count, (size_t)1),
                               sizeof(*to->workers));
    if (to->workers == NULL)
        abort(); /* as mem_zero() */
    for (size_t i = 0; i < from->worker_count; i++) {
        struct store_worker *w = to->workers;

        while (w < to->workers + to->worker_count && strcmp(w->id, from->workers[i].id) != 0)
            w++;
        if (w == to->workers + to->worker_count)
            to->worker_count++;
        else if (w->seen_ms >= from->workers[i].seen_ms)
            continue;
        *w = from->workers[i];
    }
}

/* A shard that is away counts as it did when it was last asked: counters must not fall.  One that was never
 * asked counts nothing: what is known of the others is worth more than no numbers. */
static void remember(struct store_seat *seat, const struct store_stats *st)
{
    free(seat->stats.languages);
    seat->stats = *st;
    seat->stats.workers = NULL;
    seat->stats.worker_count = 0;
    seat->stats.languages = mem_zero(MAX(st->language_count, (size_t)1), sizeof(*st->languages));
    if (st->language_count > 0)
        memcpy(seat->stats.languages, st->languages, st->language_count * sizeof(*st->languages));
}

static void stats_end(struct stats_merge *a)
{
    struct store *s = a->m.store;
    const bool known = a->m.failed < s->count;
    size_t languages = 0;

    for (unsigned i = 0; i < s->count; i++)
        languages += s->seats[i].stats.language_count;
    a->sum.languages = mem_zero(MAX(languages, (size_t)1), sizeof(*a->sum.languages));
    for (unsigned i = 0; known && i < s->count; i++)
        add_stats(&a->sum, &s->seats[i].stats);
    ((store_stats_fn)a->m.done)(a->m.arg, known ? NULL : &a->m.err, known ? &a->sum : NULL);
    free(a->sum.workers);
    free(a->sum.languages);
    free(a);
}

static void on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    struct stats_part *part = arg;
    struct stats_merge *a = part->all;

    merge_err(&a->m, err);
    if (err == NULL) {
        remember(part->seat, st);
        add_workers(&a->sum, st);
    }
    free(part);
    if (merge_over(&a->m))
        stats_end(a);
}

void store_stats(struct store *s, store_stats_fn done, void *arg)
{
    struct stats_merge *a;

    if (s->count == 1) {
        shard_stats(s->seats[0].shard, done, arg);
        return;
    }
    a = NEW(struct stats_merge);
    merge_begin(&a->m, s, s->count, (void (*)(void))done, arg);
    for (unsigned i = 0; i < s->count; i++) {
        struct stats_part *part = NEW(struct stats_part);

        *part = (struct stats_part){a, &s->seats[i]};
        shard_stats(s->seats[i].shard, on_stats, part);
    }
}
