/* api_fleet.c - queue and workers as the store sees them: asked once a second at most, waited for briefly. */
#include "api_internal.h"

static void stats_done(struct store_stats *s)
{
    free(s->workers);
    free(s->languages);
    *s = (struct store_stats){0};
}

static void stats_copy(struct store_stats *to, const struct store_stats *from)
{
    stats_done(to);
    *to = *from;
    to->workers = mem_zero(MAX(from->worker_count, (size_t)1), sizeof(*to->workers));
    to->languages = mem_zero(MAX(from->language_count, (size_t)1), sizeof(*to->languages));
    if (from->worker_count > 0)
        memcpy(to->workers, from->workers, from->worker_count * sizeof(*to->workers));
    if (from->language_count > 0)
        memcpy(to->languages, from->languages, from->language_count * sizeof(*to->languages));
}

static void answer_all(struct api *api, const struct store_stats *stats)
{
    struct api_fleet_waiter *w;

    while ((w = STAILQ_FIRST(&api->fleet.waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&api->fleet.waiters, link);
        if (api_call_open(w->call))
            w->fn(w->call, stats);
        api_call_unref(w->call);
        free(w);
    }
}

static void on_stats(void *arg, const struct err *err, const struct store_stats *stats)
{
    struct api *api = arg;
    struct api_fleet *f = &api->fleet;

    f->asking = false;
    if (!api->closed) {
        loop_timer_cancel(f->patience);
        if (err == NULL) {
            stats_copy(&f->stats, stats);
            f->known = true;
            f->read_ms = loop_now_ms(api->o.loop);
        } else if (err->code != ERR_AGAIN) {
            LOG_ERROR("stats_failed", F_STR("error", err->text));
        }
        answer_all(api, err == NULL ? &f->stats : NULL);
    }
    api_unref(api);
}

static void on_patience(void *arg)
{
    answer_all(arg, NULL);
}

void api_fleet_start(struct api *api)
{
    STAILQ_INIT(&api->fleet.waiters);
    api->fleet.patience = loop_timer_new(api->o.loop, on_patience, api);
}

void api_fleet_done(struct api *api)
{
    answer_all(api, NULL); /* nobody is open any more: this lets go of them */
    loop_timer_free(api->fleet.patience);
    api->fleet.patience = NULL;
    stats_done(&api->fleet.stats);
}

void api_fleet_ask(struct api_call *call, api_fleet_fn fn)
{
    struct api *api = call->api;
    struct api_fleet *f = &api->fleet;
    struct api_fleet_waiter *w;

    if (!store_connected(api->o.store)) {
        fn(call, NULL);
        return;
    }
    if (f->known && loop_now_ms(api->o.loop) - f->read_ms < API_FLEET_FRESH_MS) {
        fn(call, &f->stats);
        return;
    }
    w = NEW(struct api_fleet_waiter);
    w->call = api_call_ref(call);
    w->fn = fn;
    STAILQ_INSERT_TAIL(&f->waiters, w, link);
    if (!loop_timer_armed(f->patience))
        loop_timer_arm(f->patience, API_FLEET_PATIENCE_MS);
    if (!f->asking) {
        f->asking = true;
        store_stats(api->o.store, on_stats, api_ref(api));
    }
}
