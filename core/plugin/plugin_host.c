/* plugin_host.c - what execd lends to a plugin, and the ledger of what it holds.
 *
 * Every timer, post and HTTP exchange is in the ledger of its plugin.  It is open from start() until
 * stop() is done; closing cancels what is left, and each `drop` runs exactly once whatever
 * happens.  Posts of any thread go through one inbox per plugin. */
#include "plugin_internal.h"

#include <fcntl.h>

enum { TIMERS_MAX = 1024, POSTS_MAX = 65536 };

static void drop_arg(execd_drop_fn drop, void *arg)
{
    if (drop != NULL)
        drop(arg);
}

void plugin_slow_check(const struct execd_ctx *ctx, const char *what, uint64_t begun_ns)
{
    uint64_t ms = (clock_mono_ns() - begun_ns) / 1000000u;

    if (ms > SLOW_MS)
        LOG_WARN("plugin_slow", F_STR("plugin", ctx->desc.name), F_STR("call", what), F_UINT("ms", ms));
}

/* ---- words ------------------------------------------------------------------------------ */

static void host_log(struct execd_ctx *ctx, int32_t level, const char *fmt, ...)
{
    static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR};
    enum log_level at = level >= 0 && (size_t)level < COUNT_OF(levels) ? levels[level] : LOG_LEVEL_ERROR;
    char text[LOG_VALUE_MAX];
    va_list ap;

    if (!log_enabled(at))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    LOG_AT(at, "plugin", F_STR("plugin", ctx->desc.name), F_STR("text", text));
}

static int32_t host_fail(struct execd_error *err, int32_t code, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return code;
}

static uint64_t host_now_ms(struct execd_ctx *ctx)
{
    return ctx->loop != NULL ? loop_now_ms(ctx->loop) : clock_mono_ns() / 1000000u;
}

/* ---- posts --------------------------------------------------------------------------------- */

static void inbox_drain(void *arg)
{
    struct execd_ctx *ctx = arg;
    struct plugin_posts mine = TAILQ_HEAD_INITIALIZER(mine);
    struct plugin_post *p;

    pthread_mutex_lock(&ctx->mutex);
    ctx->inbox_posted = false;
    ctx->post_count = 0;
    TAILQ_CONCAT(&mine, &ctx->posts, link);
    pthread_mutex_unlock(&ctx->mutex);
    while ((p = TAILQ_FIRST(&mine)) != NULL) {
        uint64_t begun = clock_mono_ns();

        TAILQ_REMOVE(&mine, p, link);
        if (ctx->open) /* stop() may have ended within this very turn */
            p->fire(p->arg);
        drop_arg(p->drop, p->arg);
        free(p);
        plugin_slow_check(ctx, "post", begun);
    }
}

static int32_t host_post(struct execd_ctx *ctx, execd_fire_fn fire, void *arg, execd_drop_fn drop)
{
    struct plugin_post *p = NULL;

    pthread_mutex_lock(&ctx->mutex);
    if (ctx->open && fire != NULL && ctx->post_count < POSTS_MAX) {
        p = NEW(struct plugin_post);
        p->fire = fire;
        p->arg = arg;
        p->drop = drop;
        TAILQ_INSERT_TAIL(&ctx->posts, p, link);
        ctx->post_count++;
        if (!ctx->inbox_posted)
            loop_post(ctx->loop, inbox_drain, ctx);
        ctx->inbox_posted = true;
    }
    pthread_mutex_unlock(&ctx->mutex);
    if (p != NULL)
        return EXECD_OK;
    drop_arg(drop, arg);
    return EXECD_E_AGAIN;
}

/* ---- timers --------------------------------------------------------------------------------- */

static void timer_remove(struct plugin_timer *t)
{
    TAILQ_REMOVE(&t->ctx->timers, t, link);
    t->ctx->timer_count--;
    loop_timer_free(t->timer);
}

static void on_timer(void *arg)
{
    struct plugin_timer *t = arg;
    uint64_t begun = clock_mono_ns();

    timer_remove(t);
    t->fire(t->arg);
    drop_arg(t->drop, t->arg);
    plugin_slow_check(t->ctx, "timer", begun);
    free(t);
}

static uint64_t host_timer(struct execd_ctx *ctx, uint64_t delay_ms, execd_fire_fn fire, void *arg,
                           execd_drop_fn drop)
{
    struct plugin_timer *t;

    if (!ctx->open || fire == NULL || ctx->timer_count >= TIMERS_MAX) {
        drop_arg(drop, arg);
        return 0;
    }
    t = NEW(struct plugin_timer);
    t->ctx = ctx;
    t->id = ++ctx->timer_last_id;
    t->fire = fire;
    t->arg = arg;
    t->drop = drop;
    t->timer = loop_timer_new(ctx->loop, on_timer, t);
    TAILQ_INSERT_TAIL(&ctx->timers, t, link);
    ctx->timer_count++;
    loop_timer_arm(t->timer, delay_ms);
    return t->id;
}

static void host_timer_cancel(struct execd_ctx *ctx, uint64_t id)
{
    struct plugin_timer *t;

    TAILQ_FOREACH (t, &ctx->timers, link) {
        if (t->id != id)
            continue;
        timer_remove(t);
        drop_arg(t->drop, t->arg);
        free(t);
        return;
    }
}

/* ---- what cells see ------------------------------------------------------------------------ */

static const char *host_cell_root(struct execd_ctx *ctx)
{
    return ctx->set->rootfs;
}

static int32_t host_path_real(struct execd_ctx *ctx, const char *path, char *out, uint32_t size)
{
    const char *root = ctx->set->rootfs[0] == '\0' ? "/" : ctx->set->rootfs;
    CLEAN_FD int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && path_real_in(fd, path, out, size) == 0 ? EXECD_OK : EXECD_E_CONFIG;
}

/* ---- the ledger ------------------------------------------------------------------------------ */

void plugin_ledger_open(struct execd_ctx *ctx, struct loop *loop)
{
    pthread_mutex_lock(&ctx->mutex);
    ctx->loop = loop;
    ctx->open = true;
    pthread_mutex_unlock(&ctx->mutex);
}

void plugin_ledger_close(struct execd_ctx *ctx)
{
    struct plugin_posts left = TAILQ_HEAD_INITIALIZER(left);
    struct plugin_post *p;
    struct plugin_timer *t;

    pthread_mutex_lock(&ctx->mutex);
    ctx->open = false;
    TAILQ_CONCAT(&left, &ctx->posts, link);
    pthread_mutex_unlock(&ctx->mutex);
    while ((p = TAILQ_FIRST(&left)) != NULL) {
        TAILQ_REMOVE(&left, p, link);
        drop_arg(p->drop, p->arg);
        free(p);
    }
    while ((t = TAILQ_FIRST(&ctx->timers)) != NULL) {
        timer_remove(t);
        drop_arg(t->drop, t->arg);
        free(t);
    }
    plugin_http_close(ctx);
}

const struct execd_host plugin_host = {
    .size = sizeof(struct execd_host),
    .abi_minor = EXECD_ABI_MINOR,
    .log = host_log,
    .post = host_post,
    .fail = host_fail,
    .now_ms = host_now_ms,
    .timer = host_timer,
    .timer_cancel = host_timer_cancel,
    .plan_file = plugin_plan_file,
    .plan_step = plugin_plan_step,
    .http_start = plugin_http_start,
    .http_cancel = plugin_http_cancel,
    .cell_root = host_cell_root,
    .path_real = host_path_real,
    .worker_start = plugin_worker_start,
    .worker_end = plugin_worker_end,
    .worker_pid = plugin_worker_pid,
    .http_retry_after_s = plugin_http_retry_after,
};
