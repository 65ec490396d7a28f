/* app_doctor.c - `execd doctor`: what this machine can enforce, what it cannot, what to do.
 *
 * It asks the real jailer, with everything accepted, so that each protection is tried and
 * none is guessed; then it runs every language's self-test in a real cell. */
#include "app.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "jail/jail.h"
#include "plugin/plugin.h"
#include "run/run.h"
#include "warm/warm.h"

#define REDIS_PATIENCE_MS 5000

struct doctor {
    struct conf *conf;
    const struct app_options *o;
    struct loop *loop;
    struct jail_process *jailer; /* until it is taken over */
    struct jail *jail;
    struct plugin_set *plugins;
    struct store *store; /* while it is being looked at */
    uint32_t accepted;
    bool healthy;
};

static void say(struct doctor *d, bool ok, const char *what, const char *fmt, ...) PRINTF(4, 5);
static void say(struct doctor *d, bool ok, const char *what, const char *fmt, ...)
{
    va_list ap;

    printf("  %-8s %-16s ", ok ? "ok" : "MISSING", what);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (!ok)
        d->healthy = false;
}

static void check_protections(struct doctor *d)
{
    const struct jail_facts *f = jail_facts(d->jail);

    printf("Protections (jailer runs as %s, ", f->as_root ? "root" : "an ordinary user");
    if (f->cgroup_version == 0)
        puts("without a cgroup)");
    else
        printf("cgroup version %d below %s)\n", f->cgroup_version, f->cgroup_root);
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++) {
        uint32_t bit = UINT32_C(1) << i;
        bool in_force = (f->enforced & bit) != 0;

        if (in_force)
            say(d, true, jail_protect_name(i), "in force");
        else if ((f->missing & bit) == 0)
            say(d, true, jail_protect_name(i), "not needed here");
        else if ((d->accepted & bit) != 0)
            say(d, true, jail_protect_name(i), "missing, accepted by worker.accept_missing");
        else
            say(d, false, jail_protect_name(i), "a worker will not start without it");
    }
    if (f->missing != 0)
        printf("  What to do: %s\n", f->detail);
}

/* The first of PATH, as the embedded server is found. */
static bool in_path(const char *name)
{
    CLEAN_FREE char *copy = NULL;
    const char *path = getenv("PATH");
    char *rest, *dir;

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0;
    rest = copy = mem_dup(path != NULL ? path : "/usr/bin:/bin");
    while ((dir = strsep(&rest, ":")) != NULL) {
        CLEAN_FREE char *full = mem_printf("%s/%s", dir, name);

        if (access(full, X_OK) == 0)
            return true;
    }
    return false;
}

static void check_machine(struct doctor *d)
{
    struct utsname u;

    puts("Machine");
    if (uname(&u) == 0)
        say(d, true, "kernel", "%s %s %s", u.sysname, u.release, u.machine);
    say(d, true, "slots", "%u jobs at once", app_slots(d->conf));
    if (strcmp(d->conf->queue_url, "embedded") == 0) {
        bool found = in_path(d->conf->redis_server);

        say(d, found, "redis-server", found ? "found as %s" : "%s is not in PATH: apt install redis-server",
            d->conf->redis_server);
    }
}

/* ---- a Redis of the operator's ---- */

static void stop_loop(void *arg)
{
    struct doctor *d = arg;

    loop_stop(d->loop);
}

/* The first of several shards says nothing of the others. */
static void on_store_change(void *arg)
{
    struct doctor *d = arg;

    if (store_connected(d->store))
        loop_stop(d->loop);
}

static void say_facts(struct doctor *d, const struct store_facts *f)
{
    for (unsigned i = 0; i < STORE_CHECK_COUNT; i++) {
        const struct store_finding *x = &f->findings[i];

        say(d, x->grade != STORE_BROKEN || x->accepted, x->name, "%s%s", x->text,
            x->grade == STORE_BROKEN && x->accepted ? " (accepted by queue.accept_missing)" : "");
    }
}

static void check_redis(struct doctor *d)
{
    struct loop_timer *patience;
    struct err err = {0};

    if (strcmp(d->conf->queue_url, "embedded") == 0)
        return;
    puts("Redis (queue.url)");
    if (app_store_open(d->loop, d->conf, d->conf->queue_url, &d->store, &err) != 0) {
        say(d, false, "connection", "%s", err.text);
        return;
    }
    patience = loop_timer_new(d->loop, stop_loop, d);
    loop_timer_arm(patience, REDIS_PATIENCE_MS);
    store_on_change(d->store, on_store_change, d);
    loop_run(d->loop);
    if (store_connected(d->store))
        say_facts(d, store_facts(d->store));
    else
        say(d, false, "connection", "none after %d s: %s", REDIS_PATIENCE_MS / 1000, store_trouble(d->store));
    loop_timer_free(patience);
    store_free(steal(&d->store));
}

static void on_languages(void *arg, const struct err *err)
{
    struct doctor *d = arg;

    if (err != NULL)
        say(d, false, "languages", "%s", err->text);
    loop_stop(d->loop);
}

static void on_warm(void *arg)
{
    struct doctor *d = arg;

    loop_stop(d->loop);
}

/* None of it is needed: what does not hold here runs cold. */
static void check_warm(struct doctor *d, struct run *run)
{
    const struct warm_bounds b = warm_bounds(d->conf, app_slots(d->conf));

    puts("Warm runtimes (each language proves itself through them once more)");
    if (b.runtimes == 0) {
        say(d, true, "bounds", "%s", d->conf->warm_enabled ? "no places beside those of the slots" : "off");
        return;
    }
    say(d, true, "bounds", "%u runtimes, %llu MiB", b.runtimes, (unsigned long long)(b.memory_bytes >> 20));
    fflush(stdout);
    run_try_warm(run, on_warm, d);
    loop_run(d->loop);
    for (size_t i = 0; i < plugin_lang_count(d->plugins); i++) {
        const struct plugin_lang *l = plugin_lang_at(d->plugins, i);
        char name[64], text[320];

        run_describe_warm(run, plugin_lang_id(l), text, sizeof(text));
        snprintf(name, sizeof(name), "%s (%d)", plugin_lang_name(l), (int)plugin_lang_id(l));
        if (text[0] != '\0')
            say(d, true, name, "%s", text);
    }
}

static void check_languages(struct doctor *d)
{
    struct run_options ro = {.loop = d->loop,
                             .jail = d->jail,
                             .plugins = d->plugins,
                             .conf = d->conf,
                             .slots = app_slots(d->conf)};
    struct run *run;

    puts("Languages (each proves itself in a real cell)");
    fflush(stdout);
    run = run_new(&ro, on_languages, d);
    loop_run(d->loop);
    for (size_t i = 0; i < plugin_lang_count(d->plugins); i++) {
        const struct plugin_lang *l = plugin_lang_at(d->plugins, i);
        const char *version = plugin_lang_version(l);
        char name[64];

        snprintf(name, sizeof(name), "%s (%d)", plugin_lang_name(l), (int)plugin_lang_id(l));
        if (run_serves(run, plugin_lang_id(l)))
            say(d, true, name, "%s", version);
        else if (plugin_lang_optional(l))
            say(d, true, name, "left out: its plugin is optional, the reason is logged above");
        else
            say(d, false, name, "does not work here");
    }
    check_warm(d, run);
    run_free(run);
}

static int examine(struct doctor *d, struct err *reterr)
{
    struct jail_options jo = {.cells = app_slots(d->conf) + warm_places(d->conf, app_slots(d->conf)),
                              .spare = 1,
                              .uid_base = (uint32_t)d->conf->uid_base,
                              .accept_missing = JAIL_PROTECT_ALL};
    const struct shield_options shield = {.listens = false};
    struct jail_root root = {.rootfs = d->conf->rootfs};
    struct app_user user;
    CLEAN_FD int root_fd = -1;
    int rc;

    if ((rc = app_descriptors_tidy(reterr)) != 0 ||
        (rc = app_accept_missing(d->conf, &d->accepted, reterr)) != 0 ||
        (rc = app_user_find(d->conf, &user, reterr)) != 0 ||
        (rc = app_cell_ids_check(d->conf, reterr)) != 0 ||
        (rc = jail_spawn(d->o->jailer_path, d->conf->cgroup_root[0] == '\0' ? NULL : d->conf->cgroup_root,
                         &d->jailer, reterr)) != 0 ||
        (rc = plugin_set_open(d->conf, d->o->plugin_dir, &d->plugins, reterr)) != 0 ||
        (rc = app_privilege_drop(&user, reterr)) != 0 ||
        (root.mounts = plugin_set_mounts(d->plugins), rc = jail_root_describe(&root, &root_fd, reterr)) !=
            0 ||
        (rc = shield_raise(&shield, reterr)) != 0 || (rc = loop_new(&d->loop, reterr)) != 0)
        return rc;
    check_machine(d);
    check_redis(d);
    jo.root_fd = root_fd;
    if ((rc = jail_open(d->loop, steal(&d->jailer), &jo, &d->jail, reterr)) != 0 ||
        (rc = plugin_set_start(d->plugins, d->loop, reterr)) != 0)
        return rc;
    check_protections(d);
    check_languages(d);
    return 0;
}

int app_doctor(const struct app_options *o, struct conf *conf)
{
    struct doctor d = {.conf = conf, .o = o, .healthy = true};
    struct err err = {0};

    log_setup(conf->log_format, LOG_LEVEL_WARN, STDERR_FILENO);
    if (examine(&d, &err) != 0)
        say(&d, false, "execd", "%s", err.text);
    puts(d.healthy
             ? "Everything that the configuration asks for holds here."
             : "Something that the configuration asks for does not hold here; execd would refuse to start.");
    jail_process_free(d.jailer);
    if (d.jail != NULL)
        jail_free(d.jail);
    if (d.plugins != NULL)
        plugin_set_free(d.plugins);
    if (d.loop != NULL)
        loop_free(d.loop);
    return d.healthy ? 0 : 1;
}
