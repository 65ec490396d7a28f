/* app.c - wiring in order, shutdown in reverse (theory of operation: app.h).
 *
 * Everything before privileges are dropped is synchronous; after that the start goes on in
 * turns of the loop: Redis answers -> languages proved themselves -> worker, hook, API. */
#include "app.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "cache/cache.h"
#include "hook/hook.h"
#include "jail/jail.h"
#include "log/trace.h"
#include "plugin/plugin.h"
#include "run/run.h"
#include "store/store.h"
#include "warm/warm.h"

#define STORE_PATIENCE_MS 30000 /* for Redis to answer at the start: it may load a large AOF */
#define REAP_MS 500             /* so that a dead worker's job is back within lease + 1 s */

struct app {
    const struct app_options *o;
    struct conf *conf;
    unsigned slots;
    int root_fd, state_fd, cache_fd, spool_fd;
    int redis_fd;                /* the folder of its socket; -1 */
    struct jail_process *jailer; /* until it is taken over */

    struct loop *loop;
    struct loop_signal *signals[3];
    struct loop_timer *patience, *reap_timer;
    struct jail *jail;
    struct plugin_set *plugins;
    struct store_embedded *embedded;
    struct store *store;
    struct store_spool *spool;
    struct run_cache *cache;
    struct run *run;
    struct hook *hook;
    struct app_scaler *scaler;
    struct api *api;

    bool checking; /* self-tests are under way: they must end before anything is freed */
    bool serving;  /* the start went through */
    bool stopping;
    unsigned draining; /* workers and those of the scaler: what has not ended */
    int status;
};

/* ---- stop ------------------------------------------------------------------- */

static void on_flushed(void *arg, const struct err *err)
{
    struct app *app = arg;

    (void)err;
    loop_stop(app->loop);
}

/* What was told to Redis last is behind this question. */
static void on_plugins_stopped(void *arg)
{
    struct app *app = arg;

    if (app->store != NULL)
        store_ping(app->store, on_flushed, app);
    else
        loop_stop(app->loop);
}

static void on_api_drained(void *arg)
{
    struct app *app = arg;

    hook_stop(app->hook);
    app->hook = NULL;
    api_free(app->api);
    app->api = NULL;
    if (app->plugins != NULL)
        plugin_set_stop(app->plugins, on_plugins_stopped, app);
    else
        on_plugins_stopped(app);
}

/* Our worker, and those that were started here: they need the store for their last words as ours does. */
static void on_drained(void *arg)
{
    struct app *app = arg;

    if (--app->draining > 0)
        return;
    if (app->api != NULL)
        api_drain(app->api, on_api_drained, app);
    else
        on_api_drained(app);
}

static void stop(struct app *app)
{
    if (app->stopping) { /* asked twice: running jobs get no more time, they are handed back */
        app_scaler_hurry(app->scaler);
        if (app->run != NULL && !app->checking)
            run_drain_now(app->run);
        return;
    }
    app->stopping = true;
    if (app->api != NULL)
        api_pause(app->api);
    if (app->checking)
        return; /* on_languages() goes on from here */
    app->draining = 2;
    app_scaler_stop(app->scaler, on_drained, app);
    if (app->run != NULL)
        run_drain(app->run, on_drained, app);
    else
        on_drained(app);
}

static void on_signal(void *arg)
{
    struct app *app = arg;

    LOG_INFO("stopping", F_STR("reason", app->stopping ? "signal again" : "signal"));
    stop(app);
}

static void fail(struct app *app, const struct err *err)
{
    LOG_ERROR(app->serving ? "failed" : "start_refused", F_STR("error", err->text));
    app->status = 1;
    stop(app);
}

/* Our privileges are gone, so a new jailer cannot be had: let a supervisor start us anew. */
static void on_jail_lost(void *arg)
{
    struct err err = {0};

    err_set(&err, ERR_INTERNAL, "the jailer ended unasked; leases return its jobs to the queue");
    fail(arg, &err);
}

/* It was forked with privileges that are gone, as the jailer. */
static void on_keeper_lost(void *arg)
{
    struct err err = {0};

    err_set(&err, ERR_INTERNAL, "what starts workers (execd-keeper) ended unasked; they were told to finish");
    fail(arg, &err);
}

/* ---- what workers left behind ------------------------------------------------------ */

static void on_reaped(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    (void)arg;
    if (err == NULL && recovered > 0)
        LOG_WARN("jobs_recovered", F_UINT("count", recovered));
    if (err == NULL && overdue > 0)
        LOG_WARN("jobs_overdue", F_UINT("count", overdue), F_STR("hint", "no worker took them in time"));
}

/* In every role: where all workers are gone somebody else must conclude what they held. */
static void on_reap_timer(void *arg)
{
    struct app *app = arg;

    loop_timer_arm(app->reap_timer, REAP_MS);
    store_reap(app->store, on_reaped, app);
}

/* ---- start, after privileges were dropped ------------------------------------- */

static void print_ready(const struct app *app)
{
    bool ipv6 = strchr(app->conf->address, ':') != NULL;

    if (app->api != NULL)
        printf("execd ready on http://%s%s%s:%u\n", ipv6 ? "[" : "", app->conf->address, ipv6 ? "]" : "",
               (unsigned)api_port(app->api));
    else
        puts("execd ready without api");
    fflush(stdout);
}

static int start_serving(struct app *app, struct err *reterr)
{
    struct api_options ao = {.loop = app->loop,
                             .store = app->store,
                             .conf = app->conf,
                             .plugins = app->plugins,
                             .jail_facts = app->jail == NULL ? NULL : jail_facts(app->jail),
                             .roles = app->scaler != NULL ? app->o->roles : app->o->roles & ~APP_ROLE_SCALER};
    int rc;

    on_reap_timer(app);
    if (app->run != NULL)
        run_start(app->run);
    if ((app->o->roles & APP_ROLE_HOOK) != 0 && app->conf->hook_enabled &&
        (rc = hook_start(app->loop, app->store, app->conf, &app->hook, reterr)) != 0)
        return rc;
    if (app->scaler != NULL)
        app_scaler_start(app->scaler, app->loop, app->store, on_keeper_lost, app);
    if ((app->o->roles & APP_ROLE_API) != 0 && (rc = api_start(&ao, &app->api, reterr)) != 0)
        return rc;
    app->serving = true;
    print_ready(app);
    return 0;
}

static void on_languages(void *arg, const struct err *err)
{
    struct app *app = arg;
    struct err e = {0};

    app->checking = false;
    if (app->stopping) { /* a signal came first */
        app->stopping = false;
        stop(app);
    } else if (err != NULL) {
        fail(app, err);
    } else if (start_serving(app, &e) != 0) {
        fail(app, &e);
    }
}

static void on_store_change(void *arg)
{
    struct app *app = arg;
    struct err e = {0};
    struct run_options ro = {.loop = app->loop,
                             .store = app->store,
                             .jail = app->jail,
                             .plugins = app->plugins,
                             .conf = app->conf,
                             .cache = app->cache,
                             .spool = app->spool,
                             .slots = app->slots};

    if (app->serving || app->stopping || app->checking) {
        LOG_WARN("redis", F_STR("state", store_connected(app->store) ? "connected" : "lost"),
                 F_UINT("shards_away", store_away(app->store)));
        if (store_connected(app->store) && app_store_judge(app->store, &e) != 0)
            LOG_ERROR("redis_promises_too_little", F_STR("error", e.text)); /* /health says so, too */
        if (store_connected(app->store) && app->run != NULL && !app->checking)
            run_offer(app->run);
        if (store_connected(app->store))
            store_spool_offer(app->spool);
        return;
    }
    if (!store_connected(app->store))
        return;
    loop_timer_cancel(app->patience);
    store_spool_offer(app->spool);
    if (app_store_judge(app->store, &e) != 0) {
        fail(app, &e);
        return;
    }
    if ((app->o->roles & APP_ROLE_WORKER) != 0) {
        app->checking = true;
        app->run = run_new(&ro, on_languages, app);
    } else if (start_serving(app, &e) != 0) {
        fail(app, &e);
    }
}

static void on_patience(void *arg)
{
    struct app *app = arg;
    struct err e = {0};

    err_set(&e, ERR_AGAIN, "Redis (queue.url) cannot be used after %d s: %s", STORE_PATIENCE_MS / 1000,
            store_trouble(app->store));
    fail(app, &e);
}

/* Without it they wait in memory, as long as this worker lives. */
static void spool_off(struct app *app, const struct err *err)
{
    LOG_WARN("results_wait_in_memory", F_STR("reason", err->text),
             F_STR("hint", "worker.spool_bytes = 0 says that it is not wanted"));
    closep(&app->spool_fd);
}

static void open_spool(struct app *app)
{
    const struct store_spool_options o = {.loop = app->loop,
                                          .store = app->store,
                                          .folder_fd = app->spool_fd,
                                          .bytes_max = app->conf->spool_bytes};
    struct err err = {0};

    if (app->spool_fd >= 0 && store_spool_open(&o, &app->spool, &err) != 0)
        spool_off(app, &err);
}

static int open_store(struct app *app, struct err *reterr)
{
    const struct conf *c = app->conf;
    CLEAN_FREE char *reached = app_store_url(c->queue_url, app->redis_fd);
    char url[128];
    const char *where = reached;
    int rc;

    if (app->state_fd >= 0) {
        if ((rc = store_embedded_start(app->loop, c->redis_server, app->state_fd, url, sizeof(url),
                                       &app->embedded, reterr)) != 0)
            return rc;
        where = url;
    }
    if ((rc = app_store_open(app->loop, c, where, &app->store, reterr)) != 0)
        return rc;
    open_spool(app);
    store_on_change(app->store, on_store_change, app);
    app->patience = loop_timer_new(app->loop, on_patience, app);
    loop_timer_arm(app->patience, STORE_PATIENCE_MS);
    app->reap_timer = loop_timer_new(app->loop, on_reap_timer, app);
    return 0;
}

static int open_jail(struct app *app, struct err *reterr)
{
    struct jail_options jo = {.cells = app->slots + warm_places(app->conf, app->slots),
                              .spare = app->slots,
                              .root_fd = app->root_fd,
                              .uid_base = (uint32_t)app->conf->uid_base};
    int rc;

    if ((rc = app_accept_missing(app->conf, &jo.accept_missing, reterr)) != 0 ||
        (rc = jail_open(app->loop, steal(&app->jailer), &jo, &app->jail, reterr)) != 0)
        return rc;
    jail_on_lost(app->jail, on_jail_lost, app);
    if (jail_facts(app->jail)->missing != 0)
        LOG_WARN("protection_missing", F_STR("detail", jail_facts(app->jail)->detail));
    return 0;
}

/* Without it programs are compiled, and all is as it should be. */
static void cache_off(struct app *app, const struct err *err)
{
    LOG_WARN("compile_cache_off", F_STR("reason", err->text),
             F_STR("hint", "compile.cache = \"off\" says that it is not wanted"));
    closep(&app->cache_fd);
}

static void open_cache(struct app *app)
{
    const struct run_cache_options o = {.loop = app->loop,
                                        .folder_fd = app->cache_fd,
                                        .root_fd = app->root_fd,
                                        .bytes_max = app->conf->compile_cache_bytes,
                                        .by_tenant = app->conf->compile_cache == CONF_CACHE_TENANT};
    struct err err = {0};

    if (app->cache_fd >= 0 && run_cache_new(&o, &app->cache, &err) != 0)
        cache_off(app, &err);
}

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

/* Held back until the loop can take them, so that an early one ends us in order too. */
static void hold_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNT_OF(stop_signals); i++)
        sigaddset(&set, stop_signals[i]);
    sigprocmask(how, &set, NULL);
}

static int start_unprivileged(struct app *app, struct err *reterr)
{
    int rc;

    if ((rc = loop_new(&app->loop, reterr)) != 0)
        return rc;
    for (size_t i = 0; i < COUNT_OF(stop_signals); i++)
        app->signals[i] = loop_signal_new(app->loop, stop_signals[i], on_signal, app);
    hold_signals(SIG_UNBLOCK);
    if ((app->o->roles & APP_ROLE_WORKER) != 0 && (rc = open_jail(app, reterr)) != 0)
        return rc;
    if ((rc = plugin_set_start(app->plugins, app->loop, reterr)) != 0)
        return rc;
    open_cache(app);
    return open_store(app, reterr);
}

/* ---- start, as we were started -------------------------------------------------- */

static bool caches(const struct app *app)
{
    return (app->o->roles & APP_ROLE_WORKER) != 0 && app->conf->compile_cache != CONF_CACHE_OFF;
}

static bool spools(const struct app *app)
{
    return (app->o->roles & APP_ROLE_WORKER) != 0 && app->conf->spool_bytes > 0;
}

/* Each client and each running job holds descriptors; the hard limit is the operator's word. */
static void raise_nofile(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* Connections may not take the descriptors that jobs and deliveries need. */
static int fit_connections(struct app *app, struct err *reterr)
{
    const uint64_t others = 64 + (uint64_t)app->slots * 16 + app->conf->hook_concurrency +
                            (uint64_t)warm_places(app->conf, app->slots) * 8 +
                            (caches(app) ? CACHE_HOT_MAX : 0);
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY ||
        r.rlim_cur >= others + app->conf->connections_max)
        return 0;
    if (r.rlim_cur < others + 16)
        return err_set(reterr, ERR_CONFIG,
                       "%llu descriptors (ulimit -Hn, LimitNOFILE=) are too few for worker.slots, "
                       "hook.concurrency, compile.cache and 16 connections, which take %llu",
                       (unsigned long long)r.rlim_cur, (unsigned long long)others + 16);
    LOG_WARN("connections_fewer", F_UINT("connections_max", r.rlim_cur - others),
             F_UINT("configured", app->conf->connections_max), F_UINT("descriptors", r.rlim_cur),
             F_STR("hint", "raise the hard limit of open files (ulimit -Hn, LimitNOFILE=)"));
    app->conf->connections_max = r.rlim_cur - others;
    return 0;
}

static int describe_root(struct app *app, struct err *reterr)
{
    const struct jail_root root = {app->conf->rootfs, plugin_set_mounts(app->plugins)};

    return (app->o->roles & APP_ROLE_WORKER) == 0 ? 0 : jail_root_describe(&root, &app->root_fd, reterr);
}

/* What is kept there is the user's alone; so is the cache's folder in it, made when we are that user. */
static int open_state(struct app *app, bool embedded, const struct app_user *user, struct err *reterr)
{
    struct err err = {0};
    int rc = 0;

    if (embedded || caches(app) || spools(app))
        rc = app_state_open(app->conf->state_dir, user, &app->state_fd, embedded ? reterr : &err);
    if (rc == 0 || embedded)
        return rc;
    if (caches(app))
        cache_off(app, &err);
    if (spools(app))
        spool_off(app, &err);
    return 0;
}

/* A speed, no protection: what cannot be had is told and lived without. */
static void favor_dynmods(const struct conf *conf)
{
    struct err err = {0};

    if (geteuid() == 0 && conf->favor_dynmods && !cgroup_favor_dynmods(&err))
        LOG_INFO("cgroup_moves_wait", F_STR("reason", err.text));
}

static void open_folders(struct app *app, bool embedded)
{
    struct err err = {0};

    if (caches(app) && app->state_fd >= 0 &&
        cache_folder_open(app->state_fd, "compiled", &app->cache_fd, &err) != 0)
        cache_off(app, &err);
    if (spools(app) && app->state_fd >= 0 &&
        cache_folder_open(app->state_fd, "results", &app->spool_fd, &err) != 0)
        spool_off(app, &err);
    if (!embedded)
        closep(&app->state_fd);
}

static int start_privileged(struct app *app, struct err *reterr)
{
    const bool embedded = strcmp(app->conf->queue_url, "embedded") == 0;
    struct shield_options shield = {.listens = (app->o->roles & APP_ROLE_API) != 0, .starts_redis = embedded};
    struct app_user user;
    int rc;

    if ((rc = app_descriptors_tidy(reterr)) != 0 ||
        (app->o->trace_path != NULL && (rc = trace_open(app->o->trace_path, reterr)) != 0))
        return rc;
    raise_nofile();
    if ((rc = fit_connections(app, reterr)) != 0)
        return rc;
    if ((rc = app_user_find(app->conf, &user, reterr)) != 0)
        return rc;
    if ((app->o->roles & APP_ROLE_WORKER) != 0)
        favor_dynmods(app->conf);
    if ((app->o->roles & APP_ROLE_WORKER) != 0 &&
        ((rc = app_cell_ids_check(app->conf, reterr)) != 0 ||
         (rc = jail_spawn(app->o->jailer_path,
                          app->conf->cgroup_root[0] == '\0' ? NULL : app->conf->cgroup_root, &app->jailer,
                          reterr)) != 0))
        return rc;
    if ((rc = plugin_set_open(app->conf, app->o->plugin_dir, &app->plugins, reterr)) != 0 ||
        (rc = app_scaler_prepare(app->o, app->conf, app->plugins, embedded, &app->scaler, reterr)) != 0)
        return rc;
    if ((rc = open_state(app, embedded, &user, reterr)) != 0)
        return rc;
    app->redis_fd = app_store_folder(app->conf->queue_url);
    if ((rc = app_privilege_drop(&user, reterr)) != 0 || (rc = describe_root(app, reterr)) != 0)
        return rc;
    open_folders(app, embedded);
    shield.caches = app->cache_fd >= 0 || app->spool_fd >= 0;
    return shield_raise(&shield, reterr);
}

/* In reverse; each part may be missing if the start did not come that far. */
static void release(struct app *app)
{
    hook_stop(app->hook);
    api_free(app->api);
    loop_timer_free(app->patience);
    loop_timer_free(app->reap_timer);
    if (app->store != NULL)
        store_free(app->store);
    app_scaler_free(app->scaler);
    run_free(app->run);
    store_spool_stop(app->spool);
    run_cache_stop(app->cache);
    if (app->embedded != NULL)
        store_embedded_free(app->embedded);
    if (app->jail != NULL)
        jail_free(app->jail);
    jail_process_free(app->jailer);
    if (app->plugins != NULL)
        plugin_set_free(app->plugins);
    for (size_t i = 0; i < COUNT_OF(app->signals); i++)
        loop_signal_free(app->signals[i]);
    if (app->loop != NULL)
        loop_free(app->loop);
    run_cache_free(app->cache);
    store_spool_free(app->spool);
    closep(&app->redis_fd);
    closep(&app->spool_fd);
    closep(&app->cache_fd);
    closep(&app->root_fd);
    closep(&app->state_fd);
}

int app_serve(const struct app_options *o, struct conf *conf)
{
    struct app app = {.o = o,
                      .conf = conf,
                      .root_fd = -1,
                      .state_fd = -1,
                      .cache_fd = -1,
                      .spool_fd = -1,
                      .redis_fd = -1,
                      .slots = app_slots(conf)};
    struct err err = {0};

    log_setup(conf->log_format, conf->log_level, STDERR_FILENO);
    hold_signals(SIG_BLOCK);
    LOG_INFO("starting", F_STR("version", EXECD_VERSION), F_STR("config", conf->path));
    if (start_privileged(&app, &err) == 0 && start_unprivileged(&app, &err) == 0) {
        loop_run(app.loop);
    } else {
        LOG_ERROR("start_refused", F_STR("error", err.text));
        app.status = 1;
    }
    release(&app);
    trace_close();
    LOG_INFO("stopped", F_INT("status", app.status));
    return app.status;
}
