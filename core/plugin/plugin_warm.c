/* plugin_warm.c - warm runtimes: the programs that a language's plugin describes for the host to keep. */
#include "plugin_internal.h"

#define TELL "report it to the plugin's author"

typedef int32_t (*warm_fn)(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                           struct execd_error *err);

const char *plugin_warm_way(uint32_t way)
{
    static const char *const names[] = {
        [EXECD_WARM_NONE] = "none",
        [EXECD_WARM_ZYGOTE] = "zygote",
        [EXECD_WARM_PREBOOT] = "preboot",
        [EXECD_WARM_SERVICE] = "service",
    };

    return way < COUNT_OF(names) ? names[way] : "?";
}

static warm_fn op_of(const struct execd_ctx *ctx, uint32_t way)
{
    switch (way) {
    case EXECD_WARM_ZYGOTE:
        return ctx->warm.zygote;
    case EXECD_WARM_PREBOOT:
        return ctx->warm.preboot;
    case EXECD_WARM_SERVICE:
        return ctx->warm.service;
    default:
        return NULL;
    }
}

static int warm_plan(struct plugin_lang *l, uint32_t way, uint32_t variant, struct plugin_plan **ret,
                     struct err *reterr)
{
    CLEAN(plugin_plan_freep) struct plugin_plan *made = NULL;
    struct execd_error error = {.size = sizeof(error)};
    warm_fn op = op_of(l->ctx, way);
    struct execd_plan *plan;
    int32_t answer;
    int rc;

    if (op == NULL)
        return err_set(reterr, ERR_INTERNAL, "it offers no such runtime");
    plan = plugin_plan_begin(NULL, 0);
    answer = op(l->ctx->self, l->id, variant, plan, &error);
    rc = plugin_plan_end(plan, plugin_warm_way(way), answer, &error, &made, reterr);
    if (rc != 0)
        return rc;
    if (made->build.present)
        return err_set(reterr, ERR_INTERNAL, "%s() planned a build step", plugin_warm_way(way));
    if (made->run.warm != EXECD_WARM_NONE)
        return err_set(reterr, ERR_INTERNAL, "%s() planned a step that asks for a warm runtime itself",
                       plugin_warm_way(way));
    *ret = steal(&made);
    return 0;
}

int plugin_lang_warm_plan(struct plugin_lang *l, uint32_t way, uint32_t variant, struct plugin_plan **ret,
                          struct err *reterr)
{
    int rc = warm_plan(l, way, variant, ret, reterr);

    if (rc == ERR_REQUEST) /* nobody submitted anything */
        reterr->code = ERR_INTERNAL;
    return rc == 0 ? 0 : err_add(reterr, "plugin `%s`, language %d", l->ctx->desc.name, l->id);
}

void plugin_lang_warm_bounds(const struct plugin_lang *l, uint64_t *ret_uses_max, uint64_t *ret_age_max_ms)
{
    *ret_uses_max = l->ctx->warm.uses_max;
    *ret_age_max_ms = l->ctx->warm.age_max_ms;
}

static int try_step(struct plugin_lang *l, const struct plugin_step *step, struct err *reterr)
{
    CLEAN(plugin_plan_freep) struct plugin_plan *first = NULL;
    CLEAN(plugin_plan_freep) struct plugin_plan *second = NULL;
    const char *way = plugin_warm_way(step->warm);
    struct err e = {0};

    if (!step->present || step->warm == EXECD_WARM_NONE)
        return 0;
    if (warm_plan(l, step->warm, step->warm_variant, &first, &e) != 0 ||
        warm_plan(l, step->warm, step->warm_variant, &second, &e) != 0)
        return err_set(reterr, ERR_CONFIG,
                       "language %d: the plan of its warm runtime (%s) is refused: %s; " TELL, l->id, way,
                       e.text);
    if (!plugin_plan_same(first, second))
        return err_set(reterr, ERR_CONFIG,
                       "language %d: %s() answers the same question in two ways, it must be pure; " TELL,
                       l->id, way);
    return 0;
}

int plugin_warm_try(struct plugin_lang *l, const struct plugin_plan *plan, struct err *reterr)
{
    int rc = try_step(l, &plan->build, reterr);

    return rc != 0 ? rc : try_step(l, &plan->run, reterr);
}
