/* warm.c - the worker's warm runtimes: life, bounds, what is counted. */
#include "warm_internal.h"

const char *warm_miss_name(enum warm_miss m)
{
    static const char *const names[] = {
        [WARM_MISS_NONE_READY] = "none_ready",
        [WARM_MISS_BUSY] = "busy",
        [WARM_MISS_VARIANT] = "variant",
        [WARM_MISS_UNPROVEN] = "unproven",
        [WARM_MISS_REFUSED] = "refused",
        [WARM_MISS_LIMITS] = "limits",
        [WARM_MISS_DIED] = "died",
        [WARM_MISS_FAULT] = "fault",
        [WARM_MISS_TIMEOUT] = "timeout",
    };

    return (unsigned)m < COUNT_OF(names) ? names[m] : "?";
}

/* ---- bounds ------------------------------------------------------------------------- */

struct warm_bounds warm_bounds(const struct conf *conf, unsigned slots)
{
    /* The jailer's cells: half of them run, and of those `slots` are built ahead and one is for self-tests.
     */
    const unsigned possible = JAIL_CELLS_MAX / 2, taken = 2 * slots + 1;
    const uint64_t wanted = conf->warm_runtimes_max != 0 ? conf->warm_runtimes_max : 4 * (uint64_t)slots + 2;

    if (!conf->warm_enabled || taken >= possible)
        return (struct warm_bounds){0, 0};
    return (struct warm_bounds){.runtimes = (unsigned)MIN(wanted, (uint64_t)(possible - taken)),
                                .memory_bytes = conf->warm_memory_max};
}

unsigned warm_places(const struct conf *conf, unsigned slots)
{
    unsigned n = warm_bounds(conf, slots).runtimes;

    return n == 0 ? 0 : n + 1; /* a self-test's cold step needs a place as well */
}

int warm_bundle(const struct plugin_plan *plan, uint32_t phase, int *ret_fd, struct err *reterr)
{
    struct jail_bundle *b = jail_bundle_new("files");

    for (size_t i = 0; i < plan->file_count; i++) {
        const struct plugin_file *f = &plan->files[i];
        struct bytes body = {f->body.data, f->body.len};
        int rc;

        if ((f->phases & phase) == 0)
            continue;
        if ((rc = jail_bundle_file(b, f->path, body, f->mode, reterr)) != 0) {
            jail_bundle_free(b);
            return rc;
        }
    }
    return jail_bundle_seal(b, ret_fd, reterr);
}

/* ---- life ----------------------------------------------------------------------------- */

struct warm *warm_new(const struct warm_options *o)
{
    struct warm *w = NEW(struct warm);

    w->o = *o;
    w->bounds = warm_bounds(o->conf, o->slots);
    TAILQ_INIT(&w->pools);
    w->turn = loop_timer_new(o->loop, warm_turn, w);
    return w;
}

void warm_stop(struct warm *w, loop_fn fn, void *arg)
{
    w->stopping = true;
    w->on_stopped = fn;
    w->stopped_arg = arg;
    warm_turn_soon(w);
}

void warm_free(struct warm *w)
{
    struct warm_pool *pool;

    if (w == NULL)
        return;
    while ((pool = TAILQ_FIRST(&w->pools)) != NULL)
        warm_pool_free(pool);
    loop_timer_free(w->turn);
    free(w);
}

void warm_expect(struct warm *w, struct plugin_lang *lang, const struct plugin_step *step,
                 const struct job_limits *limits)
{
    struct warm_pool *pool;

    if (!step->present || step->warm == EXECD_WARM_NONE || w->bounds.runtimes == 0 ||
        warm_pool_find(w, lang, (enum warm_way)step->warm, step->warm_variant) != NULL ||
        (pool = warm_pool_add(w, lang, step, limits)) == NULL)
        return;
    pool->expected = pool->active = true;
    pool->target = 1;
    warm_turn_soon(w);
}

void warm_renew(void *warm)
{
    struct warm *w = warm;
    struct warm_pool *pool;
    struct warm_runtime *rt;

    TAILQ_FOREACH (pool, &w->pools, link)
        TAILQ_FOREACH (rt, &pool->runtimes, link)
            if (!rt->job)
                rt->expired = rt->stale = true;
    warm_turn_soon(w);
}

void warm_on_settled(struct warm *w, loop_fn fn, void *arg)
{
    w->on_settled = fn;
    w->settled_arg = arg;
    warm_turn_soon(w);
}

void warm_proved(struct warm_pool *pool, enum warm_proof proof, const char *why)
{
    const struct log_field fields[] = {
        F_INT("language_id", plugin_lang_id(pool->lang)), F_STR("way", plugin_warm_way(pool->way)),
        F_UINT("variant", pool->variant), F_STR("reason", why == NULL ? "" : why)};

    if (pool->proof != POOL_PROVING)
        return;
    pool->proof = proof == WARM_PROOF_GOOD  ? POOL_PROVEN
                  : proof == WARM_PROOF_BAD ? POOL_REFUSED
                                            : POOL_UNPROVEN;
    if (proof == WARM_PROOF_GOOD)
        log_write(LOG_LEVEL_INFO, "warm_ready", fields, COUNT_OF(fields) - 1);
    if (proof == WARM_PROOF_NOT_RUN)
        warm_pool_failed(pool, why);
    if (proof == WARM_PROOF_BAD) {
        log_write(LOG_LEVEL_WARN, "warm_refused", fields, COUNT_OF(fields));
        snprintf(pool->refusal, sizeof(pool->refusal), "%s", why);
    }
    warm_turn_soon(pool->warm);
}

/* ---- numbers ---------------------------------------------------------------------------- */

void warm_count_miss(const struct warm_pool *pool, enum warm_miss why)
{
    pool->counts->misses[why]++;
}

static void add_pool(struct warm_stats *s, const struct warm_pool *pool)
{
    const struct warm_runtime *rt;

    TAILQ_FOREACH (rt, &pool->runtimes, link) {
        if (rt->job)
            continue;
        s->memory_bytes += warm_pool_memory(pool);
        s->booting += rt->state == WARM_BOOTING;
        s->idle += rt->state == WARM_IDLE && rt->users == 0;
        s->busy += rt->state == WARM_BUSY || (rt->state == WARM_IDLE && rt->users > 0);
    }
}

size_t warm_stats(const struct warm *w, struct warm_stats *out, size_t max)
{
    const struct warm_pool *pool;
    size_t n = MIN(w->language_count, max);

    for (size_t i = 0; i < n; i++) {
        const struct warm_language *l = &w->languages[i];

        out[i] = (struct warm_stats){.language_id = l->id};
        memcpy(out[i].steps, l->steps, sizeof(l->steps));
        memcpy(out[i].misses, l->misses, sizeof(l->misses));
        TAILQ_FOREACH (pool, &w->pools, link)
            if (pool->counts == l)
                add_pool(&out[i], pool);
    }
    return n;
}

void warm_describe(const struct warm *w, int32_t language_id, char *out, size_t size)
{
    static const char *const proofs[] = {[POOL_UNPROVEN] = "does not start",
                                         [POOL_PROVING] = "being proven",
                                         [POOL_PROVEN] = "gives the cold bytes",
                                         [POOL_REFUSED] = "refused"};
    const struct warm_pool *pool;
    size_t n = 0;

    out[0] = '\0';
    TAILQ_FOREACH (pool, &w->pools, link) {
        if (plugin_lang_id(pool->lang) != language_id || !pool->expected || n >= size)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s %s%s%s", n > 0 ? ", " : "", plugin_warm_way(pool->way),
                              proofs[pool->proof], pool->refusal[0] != '\0' ? ": " : "", pool->refusal);
    }
}
