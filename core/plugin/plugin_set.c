/* plugin_set.c - the plugins that the configuration names, from file to start (theory of operation:
 * plugin.h). */
#include "plugin_internal.h"

#include <unistd.h>

/* ---- one plugin --------------------------------------------------------------------------- */

static struct execd_ctx *ctx_new(struct plugin_set *set, const struct conf_plugin *conf)
{
    struct execd_ctx *ctx = NEW(struct execd_ctx);

    ctx->set = set;
    ctx->file = mem_dup(conf->file);
    ctx->optional = conf->optional;
    ctx->cold = conf->cold;
    ctx->fd = -1;
    pthread_mutex_init(&ctx->mutex, NULL);
    TAILQ_INIT(&ctx->posts);
    TAILQ_INIT(&ctx->timers);
    TAILQ_INIT(&ctx->https);
    return ctx;
}

void plugin_ctx_free(struct execd_ctx *ctx)
{
    if (ctx == NULL)
        return;
    if (ctx->created)
        ctx->desc.destroy(ctx->self);
    for (size_t i = 0; ctx->strings != NULL && i < ctx->desc.option_count; i++)
        free(ctx->strings[i]);
    free(ctx->strings);
    free(ctx->values);
    free(ctx->options);
    free(ctx->scaler_call);
    free(ctx->file);
    closep(&ctx->fd);
    pthread_mutex_destroy(&ctx->mutex);
    free(ctx);
}

static int ctx_create(struct execd_ctx *ctx, struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    int32_t rc = ctx->desc.create(&plugin_host, ctx, ctx->values, &ctx->self, &error);
    char text[sizeof(error.text)];

    if (rc == EXECD_OK && ctx->self == NULL)
        return err_set(reterr, ERR_CONFIG, "create() succeeded without an instance; set *ret_self");
    if (rc == EXECD_OK) {
        ctx->created = true;
        return 0;
    }
    if (rc > 0 || rc < EXECD_E_INTERNAL)
        return err_set(reterr, ERR_CONFIG,
                       "create() returned %d, which is no EXECD_E_*; report it to the plugin's author", rc);
    plugin_text(error.text, sizeof(error.text), text, sizeof(text));
    return err_set(reterr, ERR_CONFIG, "create() failed: %.200s; %s",
                   text[0] != '\0' ? text : "it gave no reason",
                   rc == EXECD_E_CONFIG  ? "correct its settings or what they name"
                   : rc == EXECD_E_AGAIN ? "start execd again"
                                         : "report it to the plugin's author");
}

static int check_name_free(const struct plugin_set *set, const struct execd_ctx *ctx, struct err *reterr)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i]->desc.name, ctx->desc.name) == 0)
            return err_set(reterr, ERR_CONFIG, "its name `%s` is taken by `%s`; leave one of them out",
                           ctx->desc.name, set->items[i]->file);
    return 0;
}

/* File to descriptor and options; nothing of the plugin has run but its entry. */
static int ctx_load(struct execd_ctx *ctx, const char *path, struct err *reterr)
{
    const struct execd_plugin *desc;
    int rc;

    if ((rc = plugin_file_open(path, &ctx->fd, reterr)) != 0 ||
        (rc = plugin_file_load(ctx->fd, &desc, reterr)) != 0 ||
        (rc = plugin_desc_take(desc, ctx, reterr)) != 0)
        return rc;
    return plugin_options_check(ctx, reterr);
}

static int ctx_open(struct execd_ctx *ctx, const char *path, const struct conf_plugin *conf,
                    struct err *reterr)
{
    int rc;

    if ((rc = ctx_load(ctx, path, reterr)) != 0 || (rc = check_name_free(ctx->set, ctx, reterr)) != 0 ||
        (ctx->desc.kind == EXECD_KIND_SCALER && (rc = plugin_scaler_check(ctx, reterr)) != 0) ||
        (rc = plugin_options_take(ctx, conf, reterr)) != 0 || (rc = ctx_create(ctx, reterr)) != 0)
        return rc;
    return ctx->desc.kind == EXECD_KIND_LANG ? plugin_langs_add(ctx, reterr) : 0;
}

/* ---- the set --------------------------------------------------------------------------------- */

static int plugin_path(const struct conf_plugin *conf, const char *dir, char **ret, struct err *reterr)
{
    if (conf->file == NULL || conf->file[0] == '\0')
        return err_set(reterr, ERR_CONFIG, "it has no file; name one");
    if (conf->file[0] != '/' && (strchr(conf->file, '/') != NULL || strcmp(conf->file, "..") == 0))
        return err_set(reterr, ERR_CONFIG,
                       "it is neither a bare name nor an absolute path; write one of these");
    *ret = conf->file[0] == '/' ? mem_dup(conf->file) : mem_printf("%s/%s", dir, conf->file);
    return 0;
}

static int set_add(struct plugin_set *set, const struct conf_plugin *conf, const char *dir,
                   struct err *reterr)
{
    CLEAN_FREE char *path = NULL;
    struct execd_ctx *ctx;
    int rc = plugin_path(conf, dir, &path, reterr);

    if (rc != 0)
        return rc;
    ctx = ctx_new(set, conf);
    rc = ctx_open(ctx, path, conf, reterr);
    if (rc != 0)
        plugin_ctx_free(ctx);
    else
        set->items[set->count++] = ctx;
    return rc;
}

static struct plugin_set *set_new(const struct conf *conf, size_t room)
{
    struct plugin_set *set = NEW(struct plugin_set);

    set->items = mem_zero(MAX(room, (size_t)1), sizeof(struct execd_ctx *));
    set->rootfs = mem_dup(conf != NULL && conf->rootfs != NULL ? conf->rootfs : "");
    if (conf != NULL) {
        set->limits_default = conf->limits_default;
        set->limits_compile = conf->limits_compile;
    }
    return set;
}

/* Each path once; one that some language must have is asked for with "!". */
static void mounts_add(struct plugin_set *set, const char *m)
{
    const char *plain = m[0] == '!' ? m + 1 : m;

    for (size_t i = 0; i < set->mount_count; i++) {
        char *there = set->mounts[i];

        if (strcmp(there[0] == '!' ? there + 1 : there, plain) != 0)
            continue;
        if (m[0] == '!') {
            free(there);
            set->mounts[i] = mem_dup(m);
        }
        return;
    }
    set->mounts[set->mount_count++] = mem_dup(m);
}

static void mounts_collect(struct plugin_set *set)
{
    size_t total = 0;

    for (size_t i = 0; i < set->lang_count; i++)
        for (char **m = set->langs[i]->mounts; *m != NULL; m++)
            total++;
    set->mounts = mem_zero(total + 1, sizeof(char *));
    for (size_t i = 0; i < set->lang_count; i++)
        for (char **m = set->langs[i]->mounts; *m != NULL; m++)
            mounts_add(set, *m);
}

/* The end of a long path says more than its beginning. */
static const char *path_tail(const char *path)
{
    size_t len = path == NULL ? 0 : strlen(path);

    return len == 0 ? "" : path + (len > 60 ? len - 60 : 0);
}

int plugin_set_open(const struct conf *conf, const char *plugin_dir, struct plugin_set **ret,
                    struct err *reterr)
{
    struct plugin_set *set = set_new(conf, conf->plugin_count);

    for (size_t i = 0; i < conf->plugin_count; i++) {
        const struct conf_plugin *p = &conf->plugins[i];
        struct err e = {0};
        int rc = set_add(set, p, plugin_dir, &e);

        if (rc == 0)
            continue;
        err_add(&e, "plugin `%.80s` (%s:%d)", p->file != NULL ? p->file : "", path_tail(conf->path), p->line);
        if (p->optional) {
            LOG_WARN("plugin_left_out", F_STR("reason", e.text));
            continue;
        }
        plugin_set_free(set);
        if (reterr != NULL)
            *reterr = e;
        return rc;
    }
    mounts_collect(set);
    *ret = set;
    return 0;
}

int plugin_set_start(struct plugin_set *set, struct loop *loop, struct err *reterr)
{
    set->loop = loop;
    for (size_t i = 0; i < set->count; i++) {
        struct execd_ctx *ctx = set->items[i];
        struct execd_error error = {.size = sizeof(error)};
        int32_t rc;

        plugin_ledger_open(ctx, loop);
        rc = ctx->desc.start == NULL ? EXECD_OK : ctx->desc.start(ctx->self, &error);
        if (rc != EXECD_OK) {
            plugin_ledger_close(ctx);
            plugin_answer("start", rc, &error, reterr);
            return err_add(reterr, "plugin `%.80s`", ctx->file);
        }
        ctx->started = true;
    }
    return 0;
}

const char *const *plugin_set_mounts(const struct plugin_set *set)
{
    return (const char *const *)set->mounts;
}

/* ---- a single file, for its author -------------------------------------------------------------- */

static void describe_options(const struct execd_ctx *ctx, struct buf *out)
{
    for (size_t i = 0; i < ctx->desc.option_count; i++) {
        const struct execd_option *o = &ctx->options[i];

        buf_addf(out, "  setting %s: %s", o->key, plugin_option_type(o->type));
        if ((o->flags & EXECD_OPT_REQUIRED) != 0)
            buf_adds(out, ", required");
        else if (o->fallback != NULL)
            buf_addf(out, ", default %s", o->fallback);
        if ((o->flags & EXECD_OPT_SECRET) != 0)
            buf_adds(out, ", secret");
        buf_addf(out, "%s%s\n", o->help != NULL ? ": " : "", o->help != NULL ? o->help : "");
    }
}

static void describe_languages(const struct plugin_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->lang_count; i++) {
        const struct plugin_lang *l = set->langs[i];

        buf_addf(out, "  language %d: %s (%s)", l->id, l->name, l->file_name);
        for (char **m = l->mounts; *m != NULL; m++)
            buf_addf(out, "%s %s", m == l->mounts ? ", mounts" : "", *m);
        buf_adds(out, "\n");
    }
}

static bool needs_settings(const struct execd_ctx *ctx)
{
    for (size_t i = 0; i < ctx->desc.option_count; i++)
        if ((ctx->options[i].flags & EXECD_OPT_REQUIRED) != 0)
            return true;
    return false;
}

static int check_ctx(struct execd_ctx *ctx, const char *path, const struct conf_plugin *conf, struct buf *out,
                     struct err *reterr)
{
    int rc = ctx_load(ctx, path, reterr);

    if (rc != 0)
        return rc;
    buf_addf(out, "plugin %s %s: %s, ABI %u.%u\n", ctx->desc.name, ctx->desc.version,
             plugin_kind_name(ctx->desc.kind), ctx->desc.abi_major, ctx->desc.abi_minor);
    describe_options(ctx, out);
    if (needs_settings(ctx)) {
        buf_adds(out, "  not created: it needs settings\n");
        return 0;
    }
    if ((rc = plugin_options_take(ctx, conf, reterr)) != 0 || (rc = ctx_create(ctx, reterr)) != 0)
        return rc;
    if (ctx->desc.kind == EXECD_KIND_LANG && (rc = plugin_langs_add(ctx, reterr)) != 0)
        return rc;
    describe_languages(ctx->set, out);
    return 0;
}

int plugin_check_file(const char *path, struct buf *out, struct err *reterr)
{
    struct conf_plugin conf = {.file = (char *)(uintptr_t)path};
    struct plugin_set *set = set_new(NULL, 1);
    int rc;

    set->limits_default.memory_bytes = set->limits_compile.memory_bytes = UINT64_C(512) << 20;
    set->items[set->count++] = ctx_new(set, &conf);
    rc = check_ctx(set->items[0], path, &conf, out, reterr);
    if (rc != 0)
        err_add(reterr, "plugin `%.80s`", path);
    plugin_set_free(set);
    return rc;
}
