/* warm_turn.c - what there should be, and what is: looked at whenever something changed, and when the next
 * deadline comes. */
#include "warm_internal.h"

struct turn {
    struct warm *w;
    uint64_t now, next; /* when to look again */
};

void warm_turn_soon(struct warm *w)
{
    loop_timer_arm(w->turn, 0);
}

static void look_again(struct turn *t, uint64_t at_ms)
{
    if (at_ms > t->now)
        t->next = MIN(t->next, at_ms);
}

void warm_crowded(struct warm *w, bool crowded)
{
    if (w == NULL)
        return;
    if (crowded) {
        w->crowded_until_ms = UINT64_MAX;
    } else if (w->crowded_until_ms == UINT64_MAX) { /* most often the next job is already on its way */
        w->crowded_until_ms = loop_now_ms(w->o.loop) + REFILL_MS;
        warm_turn_soon(w);
    }
}

bool warm_is_crowded(const struct warm *w)
{
    return loop_now_ms(w->o.loop) < w->crowded_until_ms;
}

/* ---- counts ----------------------------------------------------------------------------- */

struct counted {
    unsigned booting, idle, serving; /* serving: a service that is busy, a zygote with users */
    unsigned live;                   /* cells, those that end included */
    unsigned fresh;                  /* jobs that began a moment ago */
};

static struct counted count(const struct warm_pool *pool)
{
    struct counted c = {0};
    const struct warm_runtime *rt;

    TAILQ_FOREACH (rt, &pool->runtimes, link) {
        if (rt->job) {
            c.fresh += loop_now_ms(pool->warm->o.loop) < rt->given_ms + REFILL_MS;
            continue;
        }
        c.live++;
        if (!warm_runtime_counts(rt))
            continue;
        c.booting += rt->state == WARM_BOOTING;
        c.idle += rt->state == WARM_IDLE;
        c.serving += rt->state == WARM_BUSY;
    }
    return c;
}

static unsigned waiting(const struct warm_pool *pool)
{
    const struct warm_ask *a;
    unsigned n = 0;

    TAILQ_FOREACH (a, &pool->asks, link)
        n++;
    return n;
}

static bool has_room(const struct warm *w, const struct warm_pool *whose)
{
    uint64_t memory = warm_pool_memory(whose);
    const struct warm_pool *pool;
    unsigned live = 0;

    TAILQ_FOREACH (pool, &w->pools, link) {
        unsigned n = count(pool).live;

        live += n;
        memory += n * warm_pool_memory(pool);
    }
    return live < w->bounds.runtimes && memory <= w->bounds.memory_bytes;
}

/* ---- one pool ------------------------------------------------------------------------------ */

/* A zygote says that it is ready to the jailer alone, where its first steps wait for that. */
static bool hangs(struct turn *t, const struct warm_runtime *rt)
{
    if (rt->pool->way != WARM_WAY_ZYGOTE || rt->served || rt->users == 0)
        return false;
    look_again(t, rt->born_ms + BOOT_MS);
    return t->now >= rt->born_ms + BOOT_MS;
}

/* Deadlines of those that boot; the age and the uses of the others. */
static void check_runtimes(struct turn *t, struct warm_pool *pool)
{
    struct warm_runtime *rt, *next;

    for (rt = TAILQ_FIRST(&pool->runtimes); rt != NULL; rt = next) {
        next = TAILQ_NEXT(rt, link);
        if (rt->job)
            look_again(t, rt->given_ms + REFILL_MS);
        if (rt->job || rt->state == WARM_ENDING)
            continue;
        if (rt->state == WARM_BOOTING && t->now >= rt->born_ms + BOOT_MS)
            warm_runtime_end(rt, "it was not ready in time");
        else if (rt->state == WARM_BOOTING)
            look_again(t, rt->born_ms + BOOT_MS);
        else if (hangs(t, rt))
            warm_runtime_end(rt, "it did not fork in time");
        else if (t->now >= rt->born_ms + pool->age_max_ms || rt->uses >= pool->uses_max)
            rt->expired = true;
        else
            look_again(t, warm_runtime_ripe(rt) ? rt->born_ms + pool->age_max_ms : rt->born_ms + RIPE_MS);
        if (rt->expired) /* then it ends in any case */
            look_again(t, rt->born_ms + 2 * pool->age_max_ms);
    }
}

/* Who waited too long, or for what does not come, runs cold; the others get what is idle. */
static void serve_asks(struct turn *t, struct warm_pool *pool)
{
    struct warm_ask *a;

    while ((a = TAILQ_FIRST(&pool->asks)) != NULL) {
        struct warm_runtime *rt = NULL;
        struct counted c = count(pool);
        warm_given_fn given = a->given;
        void *arg = a->arg;

        if (!t->w->stopping && c.idle > 0)
            rt = warm_pool_take(pool, a->proof);
        if (rt == NULL && !t->w->stopping && t->now < a->until_ms && c.booting + c.serving > 0) {
            look_again(t, a->until_ms);
            return;
        }
        if (rt == NULL)
            warm_count_miss(pool, t->now < a->until_ms ? WARM_MISS_NONE_READY : WARM_MISS_BUSY);
        warm_ask_cancel(a);
        given(arg, rt);
    }
}

/* What is wanted becomes less with time. */
static void decay(struct turn *t, struct warm_pool *pool)
{
    const uint64_t idle_ms = t->w->o.conf->warm_idle_ms;
    const uint64_t step_ms = pool->way == WARM_WAY_SERVICE ? DECAY_SERVICE_MS : DECAY_MS;

    if (!pool->active || t->w->stopping || pool->proof == POOL_REFUSED || t->now >= pool->asked_ms + idle_ms)
        pool->target = 0;
    else
        look_again(t, pool->asked_ms + idle_ms);
    if (pool->target > 1 && t->now >= pool->raised_ms + step_ms) {
        pool->target--;
        pool->raised_ms = t->now;
    }
    if (pool->target > 1)
        look_again(t, pool->raised_ms + step_ms);
}

/* How many too few (above 0) or too many there are.  A pool that is not proven has one.  For a job that began
 * a moment ago there is no successor yet, unless somebody waits: most jobs are short, and would share
 * the cpu with its start. */
static int missing(const struct warm_pool *pool)
{
    const struct counted c = count(pool);
    unsigned want = pool->target, have = c.booting + c.idle;

    if (pool->proof != POOL_PROVEN)
        return (int)MIN(want, 1u) - (int)(have + c.serving) - (pool->proof == POOL_PROVING ? 1 : 0);
    if (pool->way != WARM_WAY_PREBOOT)
        have += c.serving;
    else if (waiting(pool) > 0)
        want += waiting(pool);
    else if (have < want && warm_is_crowded(pool->warm))
        have = want;
    else if (have < want)
        have = MIN(have + c.fresh, want);
    return (int)want - (int)have;
}

/* Is there one that is ready? */
static bool is_replaced(const struct warm_pool *pool)
{
    const struct warm_runtime *rt;

    TAILQ_FOREACH (rt, &pool->runtimes, link)
        if (warm_runtime_counts(rt) && rt->state == WARM_IDLE && warm_runtime_ripe(rt))
            return true;
    return false;
}

/* One that nobody is in: of those past their time the ones that are not needed any more, else the oldest. */
static struct warm_runtime *superfluous(struct warm_pool *pool)
{
    const bool replaced = pool->target == 0 || is_replaced(pool);
    struct warm_runtime *rt;

    TAILQ_FOREACH (rt, &pool->runtimes, link)
        if (rt->expired && rt->state == WARM_IDLE && rt->users == 0 &&
            (replaced || warm_runtime_retired(rt) || pool->way == WARM_WAY_PREBOOT))
            return rt;
    if (missing(pool) >= 0 || (pool->proof == POOL_PROVING && !pool->warm->stopping))
        return NULL;
    TAILQ_FOREACH (rt, &pool->runtimes, link)
        if (warm_runtime_counts(rt) && rt->users == 0)
            return rt;
    return NULL;
}

static void shrink(struct warm_pool *pool)
{
    struct warm_runtime *rt;

    while ((rt = superfluous(pool)) != NULL)
        warm_runtime_end(rt, NULL);
}

/* Room for `pool`: an idle runtime of the one that was asked for longest before it. */
static bool evict_for(struct turn *t, const struct warm_pool *pool)
{
    struct warm_pool *other, *oldest = NULL;
    struct warm_runtime *rt;

    TAILQ_FOREACH (other, &t->w->pools, link)
        if (other != pool && count(other).idle > 0 && other->asked_ms + EVICT_MS < pool->asked_ms &&
            other->proof != POOL_PROVING && (oldest == NULL || other->asked_ms < oldest->asked_ms))
            oldest = other;
    if (oldest == NULL)
        return false;
    TAILQ_FOREACH (rt, &oldest->runtimes, link)
        if (rt->state == WARM_IDLE && rt->users == 0)
            break;
    if (rt == NULL)
        return false;
    oldest->target -= oldest->target > 0;
    warm_runtime_end(rt, NULL);
    return true; /* its place is free in a later turn */
}

static void grow(struct turn *t, struct warm_pool *pool)
{
    while (!t->w->stopping && missing(pool) > 0) {
        struct err err = {0};

        if (t->now < pool->boot_after_ms) {
            look_again(t, pool->boot_after_ms);
            return;
        }
        if (!has_room(t->w, pool)) {
            evict_for(t, pool);
            return;
        }
        if (warm_boot(pool, &err) != 0)
            warm_pool_failed(pool, err.text);
        else
            look_again(t, t->now + BOOT_MS);
    }
}

/* The first that is ready goes through the self-test. */
static void prove(struct turn *t, struct warm_pool *pool)
{
    if (pool->proof != POOL_UNPROVEN || t->w->stopping || count(pool).idle == 0)
        return;
    pool->proof = POOL_PROVING;
    t->w->o.prove(t->w->o.prove_arg, pool, pool->lang, &pool->proof_limits);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool settled(const struct warm *w)
{
    const struct warm_pool *pool;

    TAILQ_FOREACH (pool, &w->pools, link)
        if (pool->expected && pool->failures == 0 && pool->proof != POOL_PROVEN &&
            pool->proof != POOL_REFUSED)
            return false;
    return true;
}

static bool stopped(const struct warm *w)
{
    const struct warm_pool *pool;

    TAILQ_FOREACH (pool, &w->pools, link)
        if (count(pool).live > 0)
            return false;
    return true;
}

static void tell(loop_fn *fn, void *arg)
{
    loop_fn told = *fn;

    *fn = NULL;
    told(arg);
}

void warm_turn(void *warm)
{
    struct warm *w = warm;
    struct turn t = {.w = w, .now = loop_now_ms(w->o.loop), .next = UINT64_MAX};
    struct warm_pool *pool;

    if (w->crowded_until_ms != UINT64_MAX)
        look_again(&t, w->crowded_until_ms);
    TAILQ_FOREACH (pool, &w->pools, link) {
        check_runtimes(&t, pool);
        serve_asks(&t, pool);
        decay(&t, pool);
        prove(&t, pool);
        shrink(pool);
        grow(&t, pool);
    }
    if (t.next != UINT64_MAX && !loop_timer_armed(w->turn))
        loop_timer_arm(w->turn, t.next - t.now);
    if (w->on_settled != NULL && settled(w))
        tell(&w->on_settled, w->settled_arg);
    if (w->stopping && w->on_stopped != NULL && stopped(w))
        tell(&w->on_stopped, w->stopped_arg);
}
