/* main.c - the command line of execd. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "app.h"
#include "plugin/plugin.h"

static const char usage_text[] =
    "usage: execd [--config FILE] [--role ROLES] [--address A] [--port N] [--state DIR]\n"
    "       execd doctor [--config FILE]\n"
    "       execd --check-config FILE | --check-plugin FILE | --print-config | --version | --help\n"
    "\n"
    "Runs untrusted programs for other programs: HTTP API, queue in Redis, one-shot sandbox.\n"
    "\n"
    "  --config FILE        the configuration (libconfig); without it every key has its default\n"
    "  --role ROLES         comma-separated: api, worker, hook; all of them by default\n"
    "  --address A          listen here instead of api.address\n"
    "  --port N             listen there instead of api.port; 0 picks a free one\n"
    "  --state DIR          keep the embedded Redis here instead of process.state_dir\n"
    "  --check-config FILE  name each mistake as file:line and exit 1 if there is any\n"
    "  --check-plugin FILE  load a plugin in a process of its own and describe it\n"
    "  --print-config       the commented default configuration\n"
    "  doctor               what this machine can enforce, what it cannot, what to do\n"
    "\n"
    "When it accepts requests it prints one line: execd ready on http://ADDRESS:PORT\n"
    "SIGTERM finishes or hands back what runs and ends with status 0.\n";

struct command {
    const char *config, *roles, *address, *port, *state;
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
        else
            return fail("--role `%s`: there is no such role; api, worker and hook are", word);
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

/* The flags override file and environment: they go through the same checks as EXECD_* variables. */
static int override(const char *name, const char *value)
{
    if (value != NULL && setenv(name, value, 1) != 0)
        return fail("no memory");
    return 0;
}

static int load(const char *path, struct conf **ret)
{
    CLEAN_BUF struct buf mistakes = {0};

    if (conf_load(path, ret, &mistakes) == 0)
        return 0;
    fwrite(mistakes.data, 1, mistakes.len, stderr);
    return 1;
}

/* What only rooms above conf/ can judge; the file itself was found good. */
static int check_config(const char *path, const struct conf *conf)
{
    struct err err = {0};
    uint32_t bits;

    if (app_accept_missing(conf, &bits, &err) != 0)
        return fail("%s: %s", path, err.text);
    printf("%s: no mistakes\n", path);
    return 0;
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
    if (c.check_plugin != NULL)
        return check_plugin(c.check_plugin);
    if (c.print_config)
        return print_config();
    if (c.roles != NULL && parse_roles(c.roles, &o.roles) != 0)
        return 2;
    o.config_path = c.check_config != NULL ? c.check_config : c.config;
    if (override("EXECD_API_ADDRESS", c.address) != 0 || override("EXECD_API_PORT", c.port) != 0 ||
        override("EXECD_PROCESS_STATE_DIR", c.state) != 0 || load(o.config_path, &conf) != 0)
        return 1;
    o.jailer_path = jailer = find(conf->jailer, "execd-jailer", "../libexec/execd/execd-jailer");
    o.plugin_dir = plugins = find(conf->plugin_dir, "plugins", EXECD_PLUGIN_DIR);
    if (c.check_config != NULL)
        rc = check_config(c.check_config, conf);
    else if (c.doctor)
        rc = app_doctor(&o, conf);
    else
        rc = app_serve(&o, conf);
    conf_free(conf);
    return rc;
}
