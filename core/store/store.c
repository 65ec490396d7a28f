/* store.c - a store: one shard, or several that share the jobs.
 *
 * Theory of operation.  A shard (store_shard.c) is a whole store under a hash tag of its own, so that each
 * script finds all its keys in one slot of a cluster.  A job's shard is in its token (store_slot.c), which
 * store_place() puts there.  What is about one job goes to its shard (store_route.c), what may come from any
 * of them walks along them by turns (store_walk.c), and what is about all is asked of all (store_merge.c).
 * Shards know nothing of each other, and one that is away keeps nobody from the others.  With one shard each
 * call is that shard's.
 *
 * Bounds of the whole are shared out evenly.  Who has bounds of its own keeps to one shard, so that they are
 * exact; everybody else's jobs take the shards by turns. */
#include "store_internal.h"

/* ---- hints ---------------------------------------------------------------------------------- */

static void on_ready(void *arg)
{
    struct store_seat *seat = arg;

    seat->hinted = true;
    if (seat->store->ready_fn != NULL)
        seat->store->ready_fn(seat->store->ready_arg);
}

static void on_outbox(void *arg)
{
    struct store_seat *seat = arg;
    struct store *s = seat->store;

    s->outbox_turn = (unsigned)(seat - s->seats);
    if (s->outbox_fn != NULL)
        s->outbox_fn(s->outbox_arg);
}

/* ---- up and down ------------------------------------------------------------------------------ */

static void facts_worsen(struct store_facts *all, const struct store_facts *one)
{
    if (all->findings[0].name == NULL) {
        *all = *one;
        return;
    }
    for (unsigned i = 0; i < STORE_CHECK_COUNT; i++)
        if (one->findings[i].grade > all->findings[i].grade)
            all->findings[i] = one->findings[i];
}

static void on_change(void *arg)
{
    struct store_seat *seat = arg;
    struct store *s = seat->store;

    s->whole |= store_away(s) == 0;
    s->facts = (struct store_facts){0};
    for (unsigned i = 0; i < s->count; i++)
        if (shard_facts(s->seats[i].shard) != NULL)
            facts_worsen(&s->facts, shard_facts(s->seats[i].shard));
    if (s->change_fn != NULL)
        s->change_fn(s->change_arg);
}

unsigned store_away(const struct store *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->count; i++)
        n += !shard_connected(s->seats[i].shard);
    return n;
}

bool store_connected(const struct store *s)
{
    if (s->count == 1)
        return shard_connected(s->seats[0].shard);
    return s->whole && store_away(s) < s->count;
}

const char *store_trouble(const struct store *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (!shard_connected(s->seats[i].shard) && shard_trouble(s->seats[i].shard)[0] != '\0')
            return shard_trouble(s->seats[i].shard);
    return "";
}

const struct store_facts *store_facts(const struct store *s)
{
    if (s->count == 1)
        return shard_facts(s->seats[0].shard);
    return s->facts.findings[0].name == NULL ? NULL : &s->facts;
}

unsigned store_next_up(const struct store *s, unsigned from)
{
    for (unsigned i = 0; i < s->count; i++) {
        unsigned at = (from + i) % s->count;

        if (shard_connected(s->seats[at].shard))
            return at;
    }
    return from;
}

/* ---- open and free ------------------------------------------------------------------------------ */

/* Of what is for all shards; the first have what is left over, and each has something. */
static uint64_t part_of(uint64_t whole, unsigned i, unsigned count)
{
    return MAX(whole / count + (i < whole % count), (uint64_t)1);
}

static int open_seat(struct store *s, const struct store_options *o, unsigned i, struct err *reterr)
{
    const unsigned count = MAX(o->shards, 1u);
    struct store_seat *seat = &s->seats[i];
    struct store_options part = *o;
    CLEAN_FREE char *tag = store_tag_new(o->prefix != NULL ? o->prefix : "execd", i, count);
    int rc;

    part.shards = count;
    part.queue_max_jobs = part_of(o->queue_max_jobs, i, count);
    part.queue_max_bytes = part_of(o->queue_max_bytes, i, count);
    part.dead_max = part_of(o->dead_max, i, count);
    part.unanswered_max = part_of(o->unanswered_max, i, count);
    part.dead_max_bytes = o->dead_max_bytes / count;
    if ((rc = shard_open(s->loop, &part, tag, &seat->shard, reterr)) != 0)
        return rc;
    seat->store = s;
    shard_on_change(seat->shard, on_change, seat);
    shard_on_ready(seat->shard, on_ready, seat);
    shard_on_outbox(seat->shard, on_outbox, seat);
    return 0;
}

int store_open(struct loop *loop, const struct store_options *o, struct store **ret, struct err *reterr)
{
    const unsigned count = MAX(o->shards, 1u);
    struct store *s = mem_zero(1, sizeof(*s) + count * sizeof(s->seats[0]));

    s->loop = loop;
    s->count = count;
    s->answer_ms = o->answer_ms;
    random_bytes(&s->place_turn, sizeof(s->place_turn)); /* processes that start together part here */
    s->place_turn %= count;
    for (unsigned i = 0; i < count; i++) {
        int rc = open_seat(s, o, i, reterr);

        if (rc != 0) {
            s->count = i;
            store_free(s);
            return rc;
        }
    }
    *ret = s;
    return 0;
}

void store_free(struct store *s)
{
    bool any = true;

    if (s == NULL)
        return;
    s->freeing = true;
    for (unsigned i = 0; i < s->count; i++)
        shard_close(s->seats[i].shard);
    while (any) {
        any = false;
        for (unsigned i = 0; i < s->count; i++)
            any |= shard_drain(s->seats[i].shard);
    }
    for (unsigned i = 0; i < s->count; i++) {
        shard_free(s->seats[i].shard);
        free(s->seats[i].stats.languages);
    }
    free(s);
}

void store_on_change(struct store *s, loop_fn fn, void *arg)
{
    s->change_fn = fn;
    s->change_arg = arg;
}

void store_on_ready(struct store *s, loop_fn fn, void *arg)
{
    s->ready_fn = fn;
    s->ready_arg = arg;
}

void store_on_outbox(struct store *s, loop_fn fn, void *arg)
{
    s->outbox_fn = fn;
    s->outbox_arg = arg;
}
