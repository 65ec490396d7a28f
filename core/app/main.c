/* main.c - the command line of execd. */
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "app.h"
#include "plugin/plugin.h"
#include "store/store.h"

static const char usage_text[] =
    "usage: execd [--config FILE] [--role ROLES] [--address A] [--port N] [--state DIR] [--trace FILE]\n"
    "       execd doctor [--config FILE] [--state DIR]\n"
    "       execd --check-config FILE | --check-plugin FILE | --print-config | --version | --help\n"
    "\n"
    "Runs untrusted programs for other programs: HTTP API, queue in Redis, one-shot sandbox.\n"
    "\n"
    "  --config FILE        the configuration (libconfig); without it every key has its default\n"
    "  --role ROLES         comma-separated: api, worker, hook, scaler; all of them by default\n"
    "  --address A          listen here instead of api.address\n"
    "  --port N             listen there instead of api.port; 0 picks a free one\n"
    "  --state DIR          keep state (an embedded Redis, compiled output) here, not in process.state_dir\n"
    "  --trace FILE         append when each job reached each step of its way (docs/performance.md)\n"
    "  --check-config FILE  name each mistake as file:line and exit 1 if there is any\n"
    "  --check-plugin FILE  load a plugin in a process of its own and describe it\n"
    "  --print-config       the commented default configuration\n"
    "  doctor               what this machine can enforce, what it cannot, what to do\n"
    "\n"
    "When it accepts requests it prints one line: execd ready on http://ADDRESS:PORT\n"
    "SIGTERM finishes or hands back what runs and ends with status 0.\n";

struct command {
    const char *config, *roles, *address, *port, *state, *trace;
    const char *check_config, *check_plugin;
    bool print_config, doctor;
};

static int fail(const char *fmt, ...) PRINTF(1, 2);
static int fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("execd: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return 1;
}

static int parse_roles(const char *text, unsigned *ret)
{
    CLEAN_FREE char *copy = mem_dup(text);
    char *rest = copy, *word;

    *ret = 0;
    while ((word = strsep(&rest, ",")) != NULL) {
        if (strcmp(word, "api") == 0)
            *ret |= APP_ROLE_API;
        else if (strcmp(word, "worker") == 0)
            *ret |= APP_ROLE_WORKER;
        else if (strcmp(word, "hook") == 0)
            *ret |= APP_ROLE_HOOK;
        else if (strcmp(word, "scaler") == 0)
            *ret |= APP_ROLE_SCALER;
        else
            return fail("--role `%s`: there is no such role; api, worker, hook and scaler are", word);
    }
    return 0;
}

static int parse(int argc, char **argv, struct command *c)
{
    enum {
        CONFIG = 256,
        ROLE,
        ADDRESS,
        PORT,
        STATE,
        TRACE_FILE,
        CHECK_CONFIG,
        CHECK_PLUGIN,
        PRINT_CONFIG,
        VERSION,
        HELP
    };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"role", required_argument, NULL, ROLE},
        {"address", required_argument, NULL, ADDRESS},
        {"port", required_argument, NULL, PORT},
        {"state", required_argument, NULL, STATE},
        {"trace", required_argument, NULL, TRACE_FILE},
        {"check-config", required_argument, NULL, CHECK_CONFIG},
        {"check-plugin", required_argument, NULL, CHECK_PLUGIN},
        {"print-config", no_argument, NULL, PRINT_CONFIG},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case CONFIG:
            c->config = optarg;
            break;
        case ROLE:
            c->roles = optarg;
            break;
        case ADDRESS:
            c->address = optarg;
            break;
        case PORT:
            c->port = optarg;
            break;
        case STATE:
            c->state = optarg;
            break;
        case TRACE_FILE:
            c->trace = optarg;
            break;
        case CHECK_CONFIG:
            c->check_config = optarg;
            break;
        case CHECK_PLUGIN:
            c->check_plugin = optarg;
            break;
        case PRINT_CONFIG:
            c->print_config = true;
            break;
        case VERSION:
            puts("execd " EXECD_VERSION);
            exit(0);
        case HELP:
            fputs(usage_text, stdout);
            exit(0);
        default:
            fputs(usage_text, stderr);
            return 2;
        }
    }
    for (int i = optind; i < argc; i++) {
        if (strcmp(argv[i], "doctor") != 0)
            return fail("`%s`: no such command; see execd --help", argv[i]);
        c->doctor = true;
    }
    return 0;
}

/* Flags override file and environment: they go through the same checks as EXECD_* variables, and their
 * mistakes are told by the flag's name. */
struct override {
    const char *name, *flag, *value;
};

static void say_mistake(const char *line, size_t len, const struct override *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEAN_FREE char *origin = mem_printf("environment %s: ", flags[i].name);
        size_t n = strlen(origin);

        if (flags[i].value == NULL || len < n || memcmp(line, origin, n) != 0)
            continue;
        fprintf(stderr, "%s: ", flags[i].flag);
        line += n;
        len -= n;
        break;
    }
    fwrite(line, 1, len, stderr);
}

static int load(const char *path, const struct override *flags, size_t count, struct conf **ret)
{
    CLEAN_BUF struct buf mistakes = {0};
    const char *line, *end;

    for (size_t i = 0; i < count; i++)
        if (flags[i].value != NULL && setenv(flags[i].name, flags[i].value, 1) != 0)
            return fail("no memory");
    if (conf_load(path, ret, &mistakes) == 0)
        return 0;
    for (line = mistakes.data, end = line + mistakes.len; line < end;) {
        size_t len = strcspn(line, "\n") + 1; /* each has one at its end */

        say_mistake(line, len, flags, count);
        line += len;
    }
    return 1;
}

static int mistake(const struct conf *conf, int line, const struct err *err)
{
    if (line > 0)
        fprintf(stderr, "%s:%d: %s\n", conf->path, line, err->text);
    else /* from the environment, or the text names its line itself */
        fprintf(stderr, "%s\n", err->text);
    return 1;
}

/* What only rooms above conf/ can judge; conf/ has found the file good. */
static int check_config(const char *path, const struct conf *conf, const char *plugin_dir)
{
    struct plugin_set *plugins = NULL;
    struct err err = {0};
    uint32_t bits;
    int rc = 0;

    if (app_accept_missing(conf, &bits, &err) != 0)
        rc = mistake(conf, conf->accept_missing_line, &err);
    if (app_queue_accept(conf, &bits, &err) != 0)
        rc = mistake(conf, conf->queue_accept_line, &err);
    if (strcmp(conf->queue_url, "embedded") != 0 && store_url_check(conf->queue_url, &err) != 0)
        rc = mistake(conf, conf->queue_url_line, &err);
    if (plugin_set_open(conf, plugin_dir, &plugins, &err) != 0)
        rc = mistake(conf, 0, &err);
    else
        plugin_set_free(plugins);
    if (rc == 0)
        printf("%s: no mistakes\n", path);
    return rc;
}

static int check_plugin(const char *path)
{
    CLEAN_BUF struct buf out = {0};
    struct err err = {0};

    if (plugin_check_file(path, &out, &err) != 0)
        return fail("%s", err.text);
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

static int print_config(void)
{
    CLEAN_BUF struct buf out = {0};

    if (conf_print_defaults(&out) != 0)
        return fail("no memory");
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

/* What is configured, else beside this binary, else where an installation puts it.  The caller's. */
static char *find(const char *configured, const char *beside, const char *installed)
{
    char dir[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
    char *path;

    if (configured[0] != '\0')
        return mem_dup(configured);
    dir[MAX(n, (ssize_t)0)] = '\0';
    if (strrchr(dir, '/') != NULL)
        *strrchr(dir, '/') = '\0';
    path = mem_printf("%s/%s", dir, beside);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return mem_printf("%s/%s", dir, installed);
}

int main(int argc, char **argv)
{
    struct command c = {0};
    struct app_options o = {.roles = APP_ROLE_ALL};
    struct conf *conf = NULL;
    CLEAN_FREE char *jailer = NULL;
    CLEAN_FREE char *plugins = NULL;
    int rc = parse(argc, argv, &c);

    if (rc != 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    /* A large request's memory goes back to the system when it is freed.  By default the C library raises
     * this threshold with each one (mallopt(3)) and keeps what a busy hour needed for good. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    if (c.check_plugin != NULL)
        return check_plugin(c.check_plugin);
    if (c.print_config)
        return print_config();
    if (c.roles != NULL && parse_roles(c.roles, &o.roles) != 0)
        return 2;
    o.trace_path = c.trace;
    o.config_path = c.check_config != NULL ? c.check_config : c.config;
    const struct override flags[] = {{"EXECD_API_ADDRESS", "--address", c.address},
                                     {"EXECD_API_PORT", "--port", c.port},
                                     {"EXECD_PROCESS_STATE_DIR", "--state", c.state}};
    if (load(o.config_path, flags, COUNT_OF(flags), &conf) != 0)
        return 1;
    o.jailer_path = jailer = find(conf->jailer, "execd-jailer", "../libexec/execd/execd-jailer");
    o.plugin_dir = plugins = find(conf->plugin_dir, "plugins", EXECD_PLUGIN_DIR);
    if (c.check_config != NULL)
        rc = check_config(c.check_config, conf, plugins);
    else if (c.doctor)
        rc = app_doctor(&o, conf);
    else
        rc = app_serve(&o, conf);
    conf_free(conf);
    return rc;
}
