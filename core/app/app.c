/* app.c - wiring in order, shutdown in reverse (theory of operation: app.h).
 *
 * Everything before privileges are dropped is synchronous; after that the start goes on in
 * turns of the loop: Redis answers -> languages proved themselves -> worker, hook, API. */
#include "app.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "hook/hook.h"
#include "jail/jail.h"
#include "plugin/plugin.h"
#include "run/run.h"
#include "store/store.h"

#define STORE_PATIENCE_MS 30000 /* for Redis to answer at the start: it may load a large AOF */

struct app {
    const struct app_options *o;
    struct conf *conf;
    unsigned slots;
    int jail_fd, state_fd;
    pid_t jail_pid;

    struct loop *loop;
    struct loop_signal *signals[3];
    struct loop_timer *patience;
    struct jail *jail;
    struct plugin_set *plugins;
    struct store_embedded *embedded;
    struct store *store;
    struct run *run;
    struct hook *hook;
    struct api *api;

    bool checking; /* self-tests are under way: they must end before anything is freed */
    bool serving;  /* the start went through */
    bool stopping;
    int status;
};

/* ---- stop ------------------------------------------------------------------- */

static void on_plugins_stopped(void *arg)
{
    struct app *app = arg;

    loop_stop(app->loop);
}

static void on_drained(void *arg)
{
    struct app *app = arg;

    hook_stop(app->hook);
    app->hook = NULL;
    api_free(app->api);
    app->api = NULL;
    if (app->plugins != NULL)
        plugin_set_stop(app->plugins, on_plugins_stopped, app);
    else
        loop_stop(app->loop);
}

static void stop(struct app *app)
{
    if (app->stopping) { /* asked twice: running jobs get no more time, they are handed back */
        if (app->run != NULL && !app->checking)
            run_drain_now(app->run);
        return;
    }
    app->stopping = true;
    if (app->api != NULL)
        api_pause(app->api);
    if (app->checking)
        return; /* on_languages() goes on from here */
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
                             .roles = app->o->roles};
    int rc;

    if (app->run != NULL)
        run_start(app->run);
    if ((app->o->roles & APP_ROLE_HOOK) != 0 && app->conf->hook_enabled &&
        (rc = hook_start(app->loop, app->store, app->conf, &app->hook, reterr)) != 0)
        return rc;
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
                             .slots = app->slots};

    if (app->serving || app->stopping || app->checking) {
        LOG_WARN("redis", F_STR("state", store_connected(app->store) ? "connected" : "lost"));
        return;
    }
    if (!store_connected(app->store))
        return;
    loop_timer_cancel(app->patience);
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

    err_set(&e, ERR_AGAIN, "Redis (queue.url) did not answer within %d s", STORE_PATIENCE_MS / 1000);
    fail(app, &e);
}

static int open_store(struct app *app, struct err *reterr)
{
    const struct conf *c = app->conf;
    char url[128];
    struct store_options so = {.url = c->queue_url,
                               .password = c->queue_password,
                               .prefix = c->queue_prefix,
                               .lease_ms = c->lease_ms,
                               .max_attempts = (uint32_t)c->max_attempts,
                               .result_ttl_ms = c->result_ttl_ms,
                               .queue_max_jobs = c->queue_max_jobs,
                               .queue_max_bytes = c->queue_max_bytes};
    int rc;

    if (app->state_fd >= 0) {
        if ((rc = store_embedded_start(app->loop, c->redis_server, app->state_fd, url, sizeof(url),
                                       &app->embedded, reterr)) != 0)
            return rc;
        so.url = url;
    }
    if ((rc = store_open(app->loop, &so, &app->store, reterr)) != 0)
        return rc;
    store_on_change(app->store, on_store_change, app);
    app->patience = loop_timer_new(app->loop, on_patience, app);
    loop_timer_arm(app->patience, STORE_PATIENCE_MS);
    return 0;
}

static int open_jail(struct app *app, struct err *reterr)
{
    struct jail_options jo = {.jailer_path = app->o->jailer_path,
                              .cells = app->slots,
                              .spare = app->slots,
                              .mounts = plugin_set_mounts(app->plugins),
                              .cgroup_root =
                                  app->conf->cgroup_root[0] == '\0' ? NULL : app->conf->cgroup_root,
                              .uid_base = (uint32_t)app->conf->uid_base};
    int rc;

    if ((rc = app_accept_missing(app->conf, &jo.accept_missing, reterr)) != 0)
        return rc;
    rc = jail_open(app->loop, app->jail_fd, app->jail_pid, &jo, &app->jail, reterr);
    app->jail_fd = -1; /* taken in any case */
    if (rc != 0)
        return rc;
    jail_on_lost(app->jail, on_jail_lost, app);
    if (jail_facts(app->jail)->missing != 0)
        LOG_WARN("protection_missing", F_STR("detail", jail_facts(app->jail)->detail));
    return 0;
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
    return open_store(app, reterr);
}

/* ---- start, as we were started -------------------------------------------------- */

/* Each client and each running job holds descriptors; the hard limit is the operator's word. */
static void raise_nofile(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int start_privileged(struct app *app, struct err *reterr)
{
    struct app_user user;
    int rc;

    raise_nofile();
    if ((rc = app_user_find(app->conf, &user, reterr)) != 0)
        return rc;
    if ((app->o->roles & APP_ROLE_WORKER) != 0 &&
        (rc = jail_spawn(app->o->jailer_path, &app->jail_fd, &app->jail_pid, reterr)) != 0)
        return rc;
    if ((rc = plugin_set_open(app->conf, app->o->plugin_dir, &app->plugins, reterr)) != 0)
        return rc;
    if (strcmp(app->conf->queue_url, "embedded") == 0 &&
        (rc = app_state_open(app->conf->state_dir, &user, &app->state_fd, reterr)) != 0)
        return rc;
    return app_privilege_drop(&user, reterr);
}

/* In reverse; each part may be missing if the start did not come that far. */
static void release(struct app *app)
{
    hook_stop(app->hook);
    api_free(app->api);
    loop_timer_free(app->patience);
    if (app->store != NULL)
        store_free(app->store);
    run_free(app->run);
    if (app->embedded != NULL)
        store_embedded_free(app->embedded);
    if (app->jail != NULL)
        jail_free(app->jail);
    closep(&app->jail_fd); /* a jailer that was not taken over ends at this */
    if (app->plugins != NULL)
        plugin_set_free(app->plugins);
    for (size_t i = 0; i < COUNT_OF(app->signals); i++)
        loop_signal_free(app->signals[i]);
    if (app->loop != NULL)
        loop_free(app->loop);
    closep(&app->state_fd);
}

int app_serve(const struct app_options *o, struct conf *conf)
{
    struct app app = {.o = o, .conf = conf, .jail_fd = -1, .state_fd = -1, .slots = app_slots(conf)};
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
    LOG_INFO("stopped", F_INT("status", app.status));
    return app.status;
}
