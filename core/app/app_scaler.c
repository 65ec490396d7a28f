/* app_scaler.c - the role scaler: who asks the plugin, and what starts workers for it. */
#include "app.h"

#include <limits.h>
#include <unistd.h>

#include "plugin/plugin.h"
#include "scale/keeper.h"
#include "scale/scale.h"

#define END_PATIENCE_MS 30000 /* for a worker, beyond what its jobs get */

struct app_scaler {
    const struct conf *conf;
    struct plugin_set *plugins;
    struct keeper *keeper;
    struct scale *scale;
};

/* ---- before privileges are dropped ----------------------------------------------------------- */

static int spawn_keeper(struct app_scaler *s, const struct app_options *o, bool embedded, struct err *reterr)
{
    char program[PATH_MAX] = "", config[PATH_MAX] = "", state[PATH_MAX] = "";
    CLEAN_FREE char *url = NULL;
    struct keeper_options ko = {.program = program,
                                .config_path = o->config_path == NULL ? NULL : config,
                                .state_dir = state,
                                .uid_base = s->conf->uid_base};
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

    /* Workers find the same files from wherever they are. */
    if (n < 0 || (o->config_path != NULL && realpath(o->config_path, config) == NULL))
        return err_sys(reterr, "find execd and its configuration for workers");
    if (s->conf->state_dir[0] == '/')
        snprintf(state, sizeof(state), "%s", s->conf->state_dir);
    else if (getcwd(state, sizeof(state)) == NULL ||
             strlen(state) + strlen(s->conf->state_dir) + 2 > sizeof(state))
        return err_sys(reterr, "find process.state_dir for workers");
    else
        snprintf(state + strlen(state), sizeof(state) - strlen(state), "/%s", s->conf->state_dir);
    if (embedded)
        ko.queue_url = url = mem_printf("unix:%s/redis.sock", state);
    return keeper_spawn(&ko, &s->keeper, reterr);
}

int app_scaler_prepare(const struct app_options *o, const struct conf *conf, struct plugin_set *plugins,
                       bool embedded, struct app_scaler **ret, struct err *reterr)
{
    struct execd_ctx *plugin = plugin_set_scaler(plugins);
    struct app_scaler *s;
    int rc;

    if ((o->roles & APP_ROLE_SCALER) == 0)
        return 0;
    if (plugin == NULL)
        return o->roles == APP_ROLE_ALL
                   ? 0
                   : err_set(reterr, ERR_CONFIG,
                             "--role scaler: none of the plugins is a scaler; add one, as { file = "
                             "\"scaler-local.so\"; }");
    if (conf->queue_shards > 1) /* its step is one script, which sees the jobs of one shard */
        return err_set(
            reterr, ERR_CONFIG,
            "a scaler plugin needs queue.shards = 1, which is %llu: it does not see the jobs of other shards",
            (unsigned long long)conf->queue_shards);
    if (plugin_scaler_wants_workers(plugin) && (rc = app_worker_ids_check(conf, reterr)) != 0)
        return rc;
    s = NEW(struct app_scaler);
    s->conf = conf;
    s->plugins = plugins;
    if (plugin_scaler_wants_workers(plugin) && (rc = spawn_keeper(s, o, embedded, reterr)) != 0) {
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

/* ---- in the loop --------------------------------------------------------------------------------- */

static int start_worker(void *arg, uint32_t number, loop_fn ended, void *ended_arg, struct err *reterr)
{
    return keeper_start(arg, number, ended, ended_arg, reterr);
}

static void end_worker(void *arg, uint32_t number)
{
    keeper_end(arg, number);
}

static int64_t worker_pid(void *arg, uint32_t number)
{
    return keeper_pid(arg, number);
}

void app_scaler_start(struct app_scaler *s, struct loop *loop, struct store *store, loop_fn lost, void *arg)
{
    static const struct plugin_workers workers = {start_worker, end_worker, worker_pid};
    const struct scale_options so = {
        .loop = loop, .store = store, .conf = s->conf, .scaler = plugin_set_scaler(s->plugins)};

    if (s->keeper != NULL) {
        keeper_open(s->keeper, loop, lost, arg);
        plugin_set_workers(s->plugins, &workers, s->keeper);
    }
    s->scale = scale_start(&so);
}

void app_scaler_stop(struct app_scaler *s, loop_fn fn, void *arg)
{
    if (s != NULL)
        scale_stop(s->scale);
    if (s == NULL || s->scale == NULL || s->keeper == NULL)
        fn(arg);
    else
        keeper_stop(s->keeper, s->conf->drain_ms + END_PATIENCE_MS, fn, arg);
}

void app_scaler_hurry(struct app_scaler *s)
{
    for (uint32_t i = 1; s != NULL && s->keeper != NULL && i <= KEEPER_NUMBER_MAX; i++)
        keeper_end(s->keeper, i);
}

void app_scaler_free(struct app_scaler *s)
{
    if (s == NULL)
        return;
    scale_free(s->scale);
    if (s->keeper != NULL)
        plugin_set_workers(s->plugins, NULL, NULL);
    keeper_free(s->keeper);
    free(s);
}
