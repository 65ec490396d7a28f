/* plugin_stop.c - the end of plugins: in reverse order, with patience, then without.
 *
 * Each is asked after the one behind it was done.  When the time is up, the one that is waited for
 * is named, those not yet asked are told to stop, and what the ledgers still hold is cancelled.
 * The end is announced through the loop's door, behind whatever a plugin posted before. */
#include "plugin_internal.h"

static void ignore_stopped(void *arg)
{
    (void)arg;
}

static void finish(void *arg)
{
    struct plugin_set *set = arg;

    loop_timer_free(set->stop_timer);
    set->stop_timer = NULL;
    set->stop_fn(set->stop_arg);
}

static void stop_next(struct plugin_set *set);

static void stop_continue(void *arg)
{
    struct plugin_set *set = arg;

    plugin_ledger_close(set->stop_waiting);
    set->stop_waiting = NULL;
    stop_next(set);
}

/* Any turn, even from inside stop(); a second call means nothing. */
static void on_stopped(void *arg)
{
    struct execd_ctx *ctx = arg;
    struct plugin_set *set = ctx->set;

    if (set->stop_waiting != ctx || ctx->stopped || set->stop_late)
        return;
    ctx->stopped = true;
    loop_post(set->loop, stop_continue, set);
}

static void stop_next(struct plugin_set *set)
{
    while (set->stop_at > 0) {
        struct execd_ctx *ctx = set->items[--set->stop_at];

        if (!ctx->started)
            continue;
        ctx->started = false;
        if (ctx->desc.stop == NULL) {
            plugin_ledger_close(ctx);
        } else if (set->stop_late) {
            ctx->desc.stop(ctx->self, ignore_stopped, NULL);
            plugin_ledger_close(ctx);
        } else {
            set->stop_waiting = ctx;
            ctx->desc.stop(ctx->self, on_stopped, ctx);
            return;
        }
    }
    loop_post(set->loop, finish, set);
}

static void on_late(void *arg)
{
    struct plugin_set *set = arg;

    if (set->stop_waiting == NULL) /* finish() is on its way */
        return;
    set->stop_late = true;
    if (set->stop_waiting->stopped) /* so is stop_continue() */
        return;
    LOG_WARN("plugin_stop_late", F_STR("plugin", set->stop_waiting->desc.name), F_INT("waited_ms", STOP_MS));
    stop_continue(set);
}

static void stop_begin(void *arg)
{
    struct plugin_set *set = arg;

    loop_timer_arm(set->stop_timer, STOP_MS);
    stop_next(set);
}

void plugin_set_stop(struct plugin_set *set, loop_fn fn, void *arg)
{
    if (set->loop == NULL) { /* never started: there is no later turn either */
        fn(arg);
        return;
    }
    set->stop_fn = fn;
    set->stop_arg = arg;
    set->stop_at = set->count;
    set->stop_timer = loop_timer_new(set->loop, on_late, set);
    loop_post(set->loop, stop_begin, set);
}

/* Without plugin_set_stop() before, as when a start is given up: the loop will not turn again, so
 * nobody is waited for. */
void plugin_set_free(struct plugin_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = set->count; i-- > 0;) {
        struct execd_ctx *ctx = set->items[i];

        if (ctx->started && ctx->desc.stop != NULL)
            ctx->desc.stop(ctx->self, ignore_stopped, NULL);
        plugin_ledger_close(ctx);
    }
    loop_timer_free(set->stop_timer);
    plugin_langs_free(set);
    for (size_t i = set->count; i-- > 0;)
        plugin_ctx_free(set->items[i]);
    free(set->rootfs);
    free(set->items);
    free(set);
}
