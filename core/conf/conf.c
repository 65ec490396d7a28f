/* conf.c - defaults, then the file, then the environment, then what the keys must be to each other. */
#include "conf_internal.h"

#include <unistd.h>

/* ---- mistakes ---------------------------------------------------------------------- */

static void mistake_end(struct conf_load *l, const char *fmt, va_list ap)
{
    char text[1024];

    vsnprintf(text, sizeof(text), fmt, ap);
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?'; /* one mistake, one line */
    buf_addf(l->mistakes, "%s\n", text);
    l->mistake_count++;
}

static void line_begin(struct conf_load *l, int line)
{
    if (line > 0)
        buf_addf(l->mistakes, "%s:%d: ", l->conf->path, line);
    else
        buf_addf(l->mistakes, "%s: ", l->conf->path);
}

void conf_mistake(struct conf_load *l, int line, const char *fmt, ...)
{
    va_list ap;

    line_begin(l, line);
    va_start(ap, fmt);
    mistake_end(l, fmt, ap);
    va_end(ap);
}

void conf_mistake_env(struct conf_load *l, const char *name, const char *fmt, ...)
{
    va_list ap;

    buf_addf(l->mistakes, "environment %s: ", name);
    va_start(ap, fmt);
    mistake_end(l, fmt, ap);
    va_end(ap);
}

void conf_mistake_item(struct conf_load *l, const struct conf_item *it, const char *fmt, ...)
{
    size_t i = (size_t)(it - conf_items);
    char name[64];
    va_list ap;

    if (l->origin[i].from == CONF_FROM_ENV) {
        conf_env_name(it, name, sizeof(name));
        buf_addf(l->mistakes, "environment %s: ", name);
    } else {
        line_begin(l, l->origin[i].line);
    }
    va_start(ap, fmt);
    mistake_end(l, fmt, ap);
    va_end(ap);
}

void conf_origin_set(struct conf_load *l, const struct conf_item *it, enum conf_from from, int line)
{
    l->origin[it - conf_items].from = from;
    l->origin[it - conf_items].line = line;
}

/* ---- where values come from ----------------------------------------------------------- */

static void defaults_set(struct conf_load *l)
{
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];
        struct err why = {0};

        if (it->initial != NULL && conf_value_text(l->conf, it, it->initial, &why) != 0)
            conf_mistake(l, 0, "the default of %s.%s %s", it->section, it->name, why.text);
    }
}

static void env_secret_read(struct conf_load *l, const struct conf_item *it, const char *name)
{
    char file_name[80];
    const char *path;
    struct err why = {0};
    char *secret = NULL;

    snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    path = getenv(file_name);
    if (path == NULL)
        return;
    if (getenv(name) != NULL)
        conf_mistake_env(l, file_name, "%s is set as well; one of them is enough", name);
    else if (conf_secret_get(CONF_SECRET_FILE, path, &secret, &why) != 0)
        conf_mistake_env(l, file_name, "%s %s", conf_secret_shown(CONF_SECRET_FILE, path), why.text);
    else if (conf_value_text(l->conf, it, secret, &why) != 0)
        conf_mistake_env(l, file_name, "the secret %s", why.text);
    conf_secret_free(secret);
    conf_origin_set(l, it, CONF_FROM_ENV, 0);
}

static void env_item_read(struct conf_load *l, const struct conf_item *it)
{
    bool hide = it->type == CONF_SECRET || it->rule == conf_rule_queue_url;
    char name[64];
    const char *value;
    struct err why = {0};

    conf_env_name(it, name, sizeof(name));
    if (it->type == CONF_SECRET)
        env_secret_read(l, it, name);
    value = getenv(name);
    if (value == NULL || it->type == CONF_KEYS)
        return;
    if (conf_value_text(l->conf, it, value, &why) != 0)
        conf_mistake_env(l, name, hide ? "the value%.0s %s" : "`%.200s` %s", value, why.text);
    conf_origin_set(l, it, CONF_FROM_ENV, 0);
}

/* Where the embedded Redis lives if nobody says it. */
static char *state_dir_default(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        return mem_dup("/var/lib/execd");
    if (state != NULL && state[0] == '/')
        return mem_printf("%s/execd", state);
    if (home != NULL && home[0] == '/')
        return mem_printf("%s/.local/state/execd", home);
    return mem_dup(""); /* only the embedded Redis needs it, and says so */
}

/* Keys that stand for several fields. */
static void derive(struct conf *c)
{
    struct job_limits least = c->limits_default, most = c->limits_default;

    if (c->state_dir == NULL)
        c->state_dir = state_dir_default();
    c->limits_default.cpu_ms = c->cpu_timeout_ms != 0 ? c->cpu_timeout_ms : c->limits_default.wall_ms;
    c->limits_compile.cpu_ms =
        c->compile_cpu_timeout_ms != 0 ? c->compile_cpu_timeout_ms : c->limits_compile.wall_ms;
    least.wall_ms = least.cpu_ms = c->limits_min.wall_ms;
    least.memory_bytes = c->limits_min.memory_bytes;
    least.cpu_millis = c->limits_min.cpu_millis;
    most.wall_ms = most.cpu_ms = c->limits_max.wall_ms;
    most.memory_bytes = c->limits_max.memory_bytes;
    most.cpu_millis = c->limits_max.cpu_millis;
    c->limits_min = least; /* what has no key of its own is the default: clients cannot change it */
    c->limits_max = most;
    conf_keys_derive(c);
}

/* ---- the whole --------------------------------------------------------------------------- */

static int line_in_file(const struct conf_load *l, const char *section, const char *name)
{
    size_t i = (size_t)(conf_item_find(section, name) - conf_items);

    return l->origin[i].from == CONF_FROM_FILE ? l->origin[i].line : 0;
}

int conf_load(const char *path, struct conf **ret, struct buf *mistakes)
{
    struct conf_load l = {.conf = NEW(struct conf), .path = path, .mistakes = mistakes};

    l.conf->path = mem_dup(path != NULL ? path : "(defaults)");
    defaults_set(&l);
    if (path != NULL)
        conf_file_read(&l);
    if (!l.plugins_given)
        conf_plugins_defaults(l.conf);
    for (size_t i = 0; i < conf_item_count; i++)
        env_item_read(&l, &conf_items[i]);
    derive(l.conf);
    conf_check(&l);
    l.conf->queue_url_line = line_in_file(&l, "queue", "url");
    l.conf->queue_accept_line = line_in_file(&l, "queue", "accept_missing");
    l.conf->accept_missing_line = line_in_file(&l, "worker", "accept_missing");
    if (l.mistake_count > 0) {
        conf_free(l.conf);
        return -1;
    }
    *ret = l.conf;
    return 0;
}

static void plugin_done(struct conf_plugin *p)
{
    for (size_t i = 0; i < p->setting_count; i++) {
        free(p->settings[i].key);
        free(p->settings[i].s);
    }
    free(p->settings);
    free(p->file);
}

struct conf *conf_free(struct conf *c)
{
    if (c == NULL)
        return NULL;
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];

        if (it->type == CONF_STRING || it->type == CONF_SECRET)
            conf_secret_free(*(char **)(void *)((char *)c + it->offset)); /* a url may hold a password */
        else if (it->type == CONF_STRINGS)
            conf_list_clear(c, it);
    }
    for (size_t i = 0; i < c->key_count; i++)
        conf_key_clear(&c->keys[i]);
    free(c->keys);
    for (size_t i = 0; i < c->plugin_count; i++)
        plugin_done(&c->plugins[i]);
    free(c->plugins);
    free(c->path);
    free(c);
    return NULL;
}
