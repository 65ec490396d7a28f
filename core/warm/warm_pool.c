/* warm_pool.c - the runtimes of one language, way and variant: who asks, who gets one, how many are wanted.
 */
#include "warm_internal.h"

#define FOREVER_MS (UINT64_C(30) * 24 * 3600 * 1000) /* of cpu: other bounds end a runtime */

/* ---- pools ----------------------------------------------------------------------------- */

struct warm_pool *warm_pool_find(struct warm *w, const struct plugin_lang *lang, enum warm_way way,
                                 uint32_t variant)
{
    struct warm_pool *pool;

    TAILQ_FOREACH (pool, &w->pools, link)
        if (pool->lang == lang && pool->way == way && pool->variant == variant)
            return pool;
    return NULL;
}

static struct warm_language *language_of(struct warm *w, int32_t id)
{
    for (size_t i = 0; i < w->language_count; i++)
        if (w->languages[i].id == id)
            return &w->languages[i];
    if (w->language_count == COUNT_OF(w->languages))
        return NULL;
    w->languages[w->language_count].id = id;
    return &w->languages[w->language_count++];
}

/* What a runtime may do before its job, and what no job of it may surpass (warm_fits()); a service keeps to
 * what a compile step may. */
static struct job_limits limits_of(const struct conf *c, enum warm_way way)
{
    struct job_limits l = way == WARM_WAY_SERVICE ? c->limits_compile : c->limits_default;

    l.memory_bytes = way == WARM_WAY_SERVICE ? c->warm_service_memory : c->warm_runtime_memory;
    l.wall_ms = l.cpu_ms = FOREVER_MS;
    l.cpu_millis = 0;
    return l;
}

static bool fits(const struct warm_pool *pool, const struct job_limits *l)
{
    const struct job_limits *b = &pool->limits;

    return pool->way != WARM_WAY_PREBOOT ||
           (l->file_bytes <= b->file_bytes && l->open_files <= b->open_files &&
            l->stack_bytes <= b->stack_bytes && l->cpu_ms <= b->cpu_ms);
}

static uint64_t stricter(uint64_t ours, uint64_t theirs)
{
    return theirs == 0 ? ours : MIN(ours, theirs);
}

/* Forgets the variant that was asked for longest ago, of those that have no runtimes. */
static bool make_room(struct warm *w, const struct plugin_lang *lang, enum warm_way way)
{
    struct warm_pool *pool, *oldest = NULL;
    unsigned n = 0;

    TAILQ_FOREACH (pool, &w->pools, link) {
        if (pool->lang != lang || pool->way != way)
            continue;
        n++;
        if (!pool->active && TAILQ_EMPTY(&pool->runtimes) && TAILQ_EMPTY(&pool->asks) &&
            pool->proof != POOL_PROVING && (oldest == NULL || pool->asked_ms < oldest->asked_ms))
            oldest = pool;
    }
    if (n < CANDIDATES_MAX)
        return true;
    if (oldest != NULL)
        warm_pool_free(oldest);
    return oldest != NULL;
}

struct warm_pool *warm_pool_add(struct warm *w, struct plugin_lang *lang, const struct plugin_step *step,
                                const struct job_limits *limits)
{
    struct warm_language *counts = language_of(w, plugin_lang_id(lang));
    struct warm_pool *pool;
    uint64_t uses, age;

    if (counts == NULL || !make_room(w, lang, (enum warm_way)step->warm))
        return NULL;
    pool = NEW(struct warm_pool);
    pool->warm = w;
    pool->lang = lang;
    pool->counts = counts;
    pool->way = (enum warm_way)step->warm;
    pool->variant = step->warm_variant;
    pool->bundle = -1;
    pool->limits = limits_of(w->o.conf, pool->way);
    pool->proof_limits = *limits;
    plugin_lang_warm_bounds(lang, &uses, &age);
    pool->uses_max = stricter(w->o.conf->warm_uses_max, uses);
    pool->age_max_ms = stricter(w->o.conf->warm_age_max_ms, age);
    pool->asked_ms = pool->raised_ms = loop_now_ms(w->o.loop);
    TAILQ_INIT(&pool->runtimes);
    TAILQ_INIT(&pool->asks);
    TAILQ_INSERT_TAIL(&w->pools, pool, link);
    return pool;
}

void warm_pool_free(struct warm_pool *pool)
{
    struct warm_runtime *rt;
    struct warm_ask *a;

    TAILQ_REMOVE(&pool->warm->pools, pool, link);
    while ((rt = TAILQ_FIRST(&pool->runtimes)) != NULL) {
        TAILQ_REMOVE(&pool->runtimes, rt, link);
        warm_runtime_free(rt);
    }
    while ((a = TAILQ_FIRST(&pool->asks)) != NULL) {
        TAILQ_REMOVE(&pool->asks, a, link);
        free(a);
    }
    plugin_plan_freep(&pool->plan);
    closep(&pool->bundle);
    free(pool);
}

uint64_t warm_pool_memory(const struct warm_pool *pool)
{
    return pool->limits.memory_bytes;
}

bool warm_runtime_counts(const struct warm_runtime *rt)
{
    return rt->state != WARM_ENDING && !rt->job && !rt->expired;
}

bool warm_runtime_ripe(const struct warm_runtime *rt)
{
    const struct warm_pool *pool = rt->pool;

    return pool->way != WARM_WAY_ZYGOTE || rt->served ||
           loop_now_ms(pool->warm->o.loop) >= rt->born_ms + RIPE_MS;
}

bool warm_runtime_retired(const struct warm_runtime *rt)
{
    const struct warm_pool *pool = rt->pool;

    return rt->stale || rt->uses >= 2 * pool->uses_max ||
           loop_now_ms(pool->warm->o.loop) >= rt->born_ms + 2 * pool->age_max_ms;
}

/* ---- faults --------------------------------------------------------------------------------- */

void warm_pool_pause(struct warm_pool *pool)
{
    uint64_t pause = PAUSE_FIRST_MS;

    for (unsigned i = 0; i < pool->failures && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    pause = MIN(pause, (uint64_t)PAUSE_MAX_MS);
    pool->failures++;
    pool->boot_after_ms = loop_now_ms(pool->warm->o.loop) + pause;
}

void warm_pool_failed(struct warm_pool *pool, const char *why)
{
    const uint64_t now = loop_now_ms(pool->warm->o.loop);

    if (pool->warm->stopping)
        return;
    warm_pool_pause(pool);
    if (pool->told || now < pool->quiet_until_ms)
        return;
    pool->told = true;
    pool->quiet_until_ms = now + QUIET_MS;
    LOG_WARN("warm_failed", F_INT("language_id", plugin_lang_id(pool->lang)),
             F_STR("way", plugin_warm_way(pool->way)), F_UINT("variant", pool->variant), F_STR("reason", why),
             F_STR("hint", "another one is started; jobs run cold meanwhile"));
}

void warm_pool_worked(struct warm_pool *pool)
{
    if (pool->told && pool->failures > 1)
        LOG_INFO("warm_recovered", F_INT("language_id", plugin_lang_id(pool->lang)),
                 F_STR("way", plugin_warm_way(pool->way)), F_UINT("failures", pool->failures));
    pool->failures = 0;
    pool->told = false;
}

/* ---- variants -------------------------------------------------------------------------------- */

bool warm_pool_activate(struct warm_pool *pool)
{
    struct warm_pool *other, *oldest = NULL;
    unsigned n = 0;

    if (pool->active)
        return true;
    TAILQ_FOREACH (other, &pool->warm->pools, link) {
        if (!other->active || other->lang != pool->lang || other->way != pool->way)
            continue;
        n++;
        if (oldest == NULL || other->asked_ms < oldest->asked_ms)
            oldest = other;
    }
    if (pool->times_asked < VARIANT_ASKS ||
        (n >= VARIANTS_MAX && oldest->asked_ms + DECAY_MS > loop_now_ms(pool->warm->o.loop)))
        return false;
    if (n >= VARIANTS_MAX)
        oldest->active = false;
    pool->active = true;
    return true;
}

/* ---- a step asks ------------------------------------------------------------------------------- */

static struct warm_ask *wait_in(struct warm_pool *pool, const struct warm_wish *wish, warm_given_fn given,
                                void *arg)
{
    struct warm_ask *a = NEW(struct warm_ask);

    a->pool = pool;
    a->given = given;
    a->proof = wish->proof != NULL;
    a->arg = arg;
    a->until_ms =
        loop_now_ms(pool->warm->o.loop) + (pool->way == WARM_WAY_SERVICE ? WAIT_SERVICE_MS : WAIT_PREBOOT_MS);
    TAILQ_INSERT_TAIL(&pool->asks, a, link);
    return a;
}

void warm_ask_cancel(struct warm_ask *a)
{
    TAILQ_REMOVE(&a->pool->asks, a, link);
    free(a);
}

enum { CHOICES = 3, NO_CHOICE = CHOICES };

static int choice(const struct warm_runtime *rt)
{
    if (warm_runtime_retired(rt))
        return NO_CHOICE; /* who is in it goes out, and then it ends */
    if (rt->expired)
        return 1;
    return warm_runtime_ripe(rt) ? 0 : 2;
}

/* The oldest, and one that is past its time only where there is none else that is ready. */
struct warm_runtime *warm_pool_take(struct warm_pool *pool, bool proof)
{
    for (int which = 0; which < CHOICES; which++) {
        struct warm_runtime *rt, *next;

        for (rt = TAILQ_FIRST(&pool->runtimes); rt != NULL; rt = next) {
            next = TAILQ_NEXT(rt, link);
            if (rt->state != WARM_IDLE || choice(rt) != which || !warm_runtime_take(rt))
                continue;
            rt->proof = proof;
            rt->given_ms = loop_now_ms(pool->warm->o.loop);
            return rt;
        }
    }
    return NULL;
}

/* Is one on its way that nobody waits for yet?  Of a service that compiles for somebody it is known that it
 * will be free, and waiting in line costs less than a cold compiler. */
static bool worth_waiting(const struct warm_pool *pool)
{
    const struct warm_runtime *rt;
    const struct warm_ask *a;
    unsigned coming = 0, waiting = 0;

    TAILQ_FOREACH (a, &pool->asks, link)
        waiting++;
    TAILQ_FOREACH (rt, &pool->runtimes, link) {
        if (rt->state == WARM_BOOTING && pool->way == WARM_WAY_PREBOOT)
            coming += !warm_is_crowded(pool->warm);
        if (rt->state == WARM_BUSY && pool->way == WARM_WAY_SERVICE)
            coming += pool->warm->o.slots;
    }
    return waiting < coming;
}

/* Somebody found none: one more is wanted, at most one for each slot. */
static void raise_target(struct warm_pool *pool)
{
    if (pool->way != WARM_WAY_ZYGOTE) /* one serves all */
        pool->target = MIN(pool->target + 1, pool->warm->o.slots);
    pool->raised_ms = loop_now_ms(pool->warm->o.loop);
}

static struct warm_ask *miss(const struct warm_pool *pool, enum warm_miss why)
{
    warm_count_miss(pool, why);
    return NULL;
}

static struct warm_ask *ask_pool(struct warm_pool *pool, const struct warm_wish *wish, warm_given_fn given,
                                 void *arg, struct warm_runtime **ret)
{
    const bool proof = wish->proof == pool, kept = pool->target > 0;

    pool->times_asked += pool->times_asked < UINT32_MAX;
    pool->asked_ms = loop_now_ms(pool->warm->o.loop);
    warm_turn_soon(pool->warm);
    if (!fits(pool, wish->limits))
        return miss(pool, WARM_MISS_LIMITS);
    if (pool->proof == POOL_REFUSED)
        return miss(pool, WARM_MISS_REFUSED);
    if (!warm_pool_activate(pool))
        return miss(pool, WARM_MISS_VARIANT);
    if (!kept)
        pool->target = 1;
    if (pool->proof != POOL_PROVEN && !proof)
        return miss(pool, WARM_MISS_UNPROVEN);
    if ((*ret = warm_pool_take(pool, wish->proof != NULL)) != NULL || proof)
        return NULL;
    if (kept)
        raise_target(pool);
    return worth_waiting(pool) ? wait_in(pool, wish, given, arg) : miss(pool, WARM_MISS_NONE_READY);
}

struct warm_ask *warm_ask(struct warm *w, const struct warm_wish *wish, warm_given_fn given, void *arg,
                          struct warm_runtime **ret)
{
    const struct plugin_step *step = wish->step;
    struct warm_pool *pool;

    *ret = NULL;
    if (w == NULL || w->stopping || step->warm == EXECD_WARM_NONE || w->bounds.runtimes == 0)
        return NULL;
    pool = warm_pool_find(w, wish->lang, (enum warm_way)step->warm, step->warm_variant);
    if (pool == NULL)
        pool = warm_pool_add(w, wish->lang, step, wish->limits);
    if (pool == NULL || (wish->proof != NULL && wish->proof != pool && pool->proof != POOL_PROVEN))
        return NULL;
    return ask_pool(pool, wish, given, arg, ret);
}

enum warm_way warm_way_of(const struct warm_runtime *rt)
{
    return rt->pool->way;
}

const struct warm_pool *warm_pool_of(const struct warm_runtime *rt)
{
    return rt->pool;
}
