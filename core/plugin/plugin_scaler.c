/* plugin_scaler.c - the scaler: at most one, asked for advice and told what to do. */
#include "plugin_internal.h"

struct plugin_scaler_call { /* the plugin holds it until it answers */
    struct execd_ctx *ctx;
    const char *what;    /* of its operations */
    plugin_scaler_fn fn; /* NULL: nobody waits any more */
    void *arg;
};

struct execd_ctx *plugin_set_scaler(const struct plugin_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i]->desc.kind == EXECD_KIND_SCALER)
            return set->items[i];
    return NULL;
}

const char *plugin_scaler_name(const struct execd_ctx *ctx)
{
    return ctx->desc.name;
}

bool plugin_scaler_wants_workers(const struct execd_ctx *ctx)
{
    return (ctx->scaler.flags & EXECD_SCALER_WORKERS) != 0;
}

int plugin_scaler_check(const struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_ctx *other = plugin_set_scaler(ctx->set);

    return other == NULL ? 0
                         : err_set(reterr, ERR_CONFIG,
                                   "`%s` is a scaler already, and there is one; leave one out", other->file);
}

int plugin_scaler_decide(struct execd_ctx *ctx, const struct execd_observation *o, struct execd_advice *ret,
                         struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    char text[sizeof(ret->reason)];
    const uint64_t begun = clock_mono_ns();
    int32_t rc;

    *ret = (struct execd_advice){.size = sizeof(*ret), .wanted = UINT32_MAX};
    rc = ctx->scaler.decide(ctx->self, o, ret, &error);
    plugin_slow_check(ctx, "decide", begun);
    if (rc != EXECD_OK)
        return plugin_answer("decide", rc, &error, reterr);
    plugin_text(ret->reason, sizeof(ret->reason), text, sizeof(text));
    memcpy(ret->reason, text, sizeof(text));
    if (ret->wanted == UINT32_MAX) /* one of before 1.2 knows nothing of it */
        ret->wanted = ret->replicas;
    return 0;
}

/* ---- what takes its time ------------------------------------------------------------------------- */

static void on_answer(void *arg, int32_t rc, uint32_t replicas, const char *why)
{
    struct plugin_scaler_call *call = arg;
    struct execd_error error = {.size = sizeof(error)};
    struct err err = {0};

    call->ctx->scaler_call = NULL;
    if (rc != EXECD_OK) {
        snprintf(error.text, sizeof(error.text), "%s", why != NULL ? why : "");
        plugin_answer(call->what, rc, &error, &err);
    }
    if (call->fn != NULL)
        call->fn(call->arg, rc == EXECD_OK ? NULL : &err, replicas);
    free(call);
}

static int call_begin(struct execd_ctx *ctx, const char *what, plugin_scaler_fn fn, void *arg,
                      struct err *reterr)
{
    if (ctx->scaler_call != NULL)
        return err_set(reterr, ERR_AGAIN, "plugin `%.80s` has not answered yet", ctx->file);
    ctx->scaler_call = NEW(struct plugin_scaler_call);
    *ctx->scaler_call = (struct plugin_scaler_call){ctx, what, fn, arg};
    return 0;
}

static int call_end(struct execd_ctx *ctx, const char *what, int32_t rc, const struct execd_error *error,
                    struct err *reterr)
{
    if (rc == EXECD_OK)
        return 0;
    free(ctx->scaler_call); /* it failed at once, so it keeps nothing */
    ctx->scaler_call = NULL;
    return plugin_answer(what, rc, error, reterr);
}

int plugin_scaler_current(struct execd_ctx *ctx, plugin_scaler_fn fn, void *arg, struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    int rc;

    if (ctx->scaler.current == NULL)
        return err_set(reterr, ERR_NOT_FOUND, "plugin `%.80s` does not tell", ctx->file);
    if ((rc = call_begin(ctx, "current", fn, arg, reterr)) != 0)
        return rc;
    return call_end(ctx, "current", ctx->scaler.current(ctx->self, on_answer, ctx->scaler_call, &error),
                    &error, reterr);
}

int plugin_scaler_change(struct execd_ctx *ctx, const struct execd_change *change, plugin_scaler_fn fn,
                         void *arg, struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    int rc = call_begin(ctx, ctx->scaler.change != NULL ? "change" : "apply", fn, arg, reterr);

    if (rc != 0)
        return rc;
    if (ctx->scaler.change != NULL)
        return call_end(ctx, "change",
                        ctx->scaler.change(ctx->self, change, on_answer, ctx->scaler_call, &error), &error,
                        reterr);
    return call_end(ctx, "apply",
                    ctx->scaler.apply(ctx->self, change->replicas, on_answer, ctx->scaler_call, &error),
                    &error, reterr);
}

void plugin_scaler_forget(struct execd_ctx *ctx)
{
    if (ctx->scaler_call != NULL)
        ctx->scaler_call->fn = NULL;
}

bool plugin_scaler_owns(struct execd_ctx *ctx, const char *worker)
{
    return ctx->scaler.owns == NULL || ctx->scaler.owns(ctx->self, worker) != 0;
}

int64_t plugin_scaler_rank(struct execd_ctx *ctx, const char *worker)
{
    return ctx->scaler.rank == NULL ? 0 : ctx->scaler.rank(ctx->self, worker);
}

void plugin_scaler_retire(struct execd_ctx *ctx)
{
    if (ctx->scaler.retire != NULL)
        ctx->scaler.retire(ctx->self);
}

/* ---- workers of this machine, lent by the app ------------------------------------------------------ */

void plugin_set_workers(struct plugin_set *set, const struct plugin_workers *workers, void *arg)
{
    set->workers = workers;
    set->workers_arg = arg;
}

static bool lent(const struct execd_ctx *ctx, uint32_t number)
{
    return ctx->desc.kind == EXECD_KIND_SCALER && ctx->set->workers != NULL && ctx->open && number >= 1 &&
           number <= EXECD_WORKERS_MAX;
}

int32_t plugin_worker_start(struct execd_ctx *ctx, uint32_t number, execd_fire_fn ended, void *arg,
                            struct execd_error *error)
{
    struct err err = {0};

    if (!lent(ctx, number))
        err_set(&err, ERR_AGAIN,
                "worker_start() is for scalers of the role scaler, from start() to stop(), and "
                "numbers from 1 to %u",
                EXECD_WORKERS_MAX);
    else if (ctx->set->workers->start(ctx->set->workers_arg, number, ended, arg, &err) == 0)
        return EXECD_OK;
    return plugin_host.fail(error, EXECD_E_AGAIN, "%s", err.text);
}

void plugin_worker_end(struct execd_ctx *ctx, uint32_t number)
{
    if (lent(ctx, number))
        ctx->set->workers->end(ctx->set->workers_arg, number);
}

int64_t plugin_worker_pid(struct execd_ctx *ctx, uint32_t number)
{
    return lent(ctx, number) ? ctx->set->workers->pid(ctx->set->workers_arg, number) : 0;
}
