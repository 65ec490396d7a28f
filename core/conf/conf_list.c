/* conf_list.c - what there may be several of: strings, plugins and their settings. */
#include "conf_internal.h"

#include <libconfig.h>

static int line_of(const config_setting_t *s)
{
    return (int)config_setting_source_line(s);
}

/* `( ... )`, or `[ ... ]` which libconfig knows as well. */
static bool is_list(const config_setting_t *s)
{
    return config_setting_type(s) == CONFIG_TYPE_LIST || config_setting_type(s) == CONFIG_TYPE_ARRAY;
}

static bool is_string(const config_setting_t *s)
{
    return s != NULL && config_setting_type(s) == CONFIG_TYPE_STRING;
}

/* ---- strings ----------------------------------------------------------------------- */

void conf_strings_read(struct conf_load *l, const struct conf_item *it, const config_setting_t *s)
{
    conf_origin_set(l, it, CONF_FROM_FILE, line_of(s));
    if (!is_list(s)) {
        conf_mistake(l, line_of(s), "%s.%s: must be %s", it->section, it->name, conf_type_words(it->type));
        return;
    }
    conf_list_clear(l->conf, it);
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        struct err why = {0};

        if (!is_string(e))
            conf_mistake(l, line_of(e), "%s.%s: item %d must be a string in quotes", it->section, it->name,
                         i);
        else if (it->rule != NULL && it->rule(config_setting_get_string(e), &why) != 0)
            conf_mistake(l, line_of(e), "%s.%s: item %d, \"%s\", %s", it->section, it->name, i,
                         config_setting_get_string(e), why.text);
        else
            conf_list_add(l->conf, it, config_setting_get_string(e));
    }
}

/* ---- plugins ------------------------------------------------------------------------------ */

static struct conf_plugin *plugin_add(struct conf *c, int line)
{
    struct conf_plugin *grown = mem_zero(c->plugin_count + 1, sizeof(*grown));

    if (c->plugin_count > 0)
        memcpy(grown, c->plugins, c->plugin_count * sizeof(*grown));
    free(c->plugins);
    c->plugins = grown;
    grown = &c->plugins[c->plugin_count++];
    grown->line = line;
    return grown;
}

void conf_plugins_defaults(struct conf *c)
{
    for (size_t i = 0; conf_plugins_default[i] != NULL; i++)
        plugin_add(c, 0)->file = mem_dup(conf_plugins_default[i]);
}

static bool setting_fill(struct conf_setting *o, const config_setting_t *s)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        o->kind = 'i';
        o->i = config_setting_get_int64(s);
        return true;
    case CONFIG_TYPE_FLOAT:
        o->kind = 'd';
        o->d = config_setting_get_float(s);
        return true;
    case CONFIG_TYPE_BOOL:
        o->kind = 'b';
        o->i = config_setting_get_bool(s) != 0;
        return true;
    case CONFIG_TYPE_STRING:
        o->kind = 's';
        o->s = mem_dup(config_setting_get_string(s));
        return true;
    default:
        return false;
    }
}

static void settings_read(struct conf_load *l, struct conf_plugin *p, const config_setting_t *s)
{
    if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
        conf_mistake(l, line_of(s), "plugins: settings must be a group, as { key = value; }");
        return;
    }
    p->settings = mem_zero((size_t)config_setting_length(s), sizeof(struct conf_setting));
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        struct conf_setting *o = &p->settings[p->setting_count];

        if (!setting_fill(o, e)) {
            conf_mistake(l, line_of(e), "plugins: setting `%s` must be a string, a number, true or false",
                         config_setting_name(e));
            continue;
        }
        o->key = mem_dup(config_setting_name(e));
        o->line = line_of(e);
        p->setting_count++;
    }
}

static void plugin_member(struct conf_load *l, struct conf_plugin *p, const config_setting_t *s)
{
    const char *name = config_setting_name(s);
    struct err why = {0};

    if (strcmp(name, "file") == 0) {
        if (!is_string(s))
            conf_mistake(l, line_of(s), "plugins: file must be a string in quotes");
        else if (conf_rule_plugin(config_setting_get_string(s), &why) != 0)
            conf_mistake(l, line_of(s), "plugins: file \"%s\" %s", config_setting_get_string(s), why.text);
        p->file = mem_dup(is_string(s) ? config_setting_get_string(s) : "");
    } else if (strcmp(name, "optional") == 0) {
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            conf_mistake(l, line_of(s), "plugins: optional must be true or false");
        p->optional = config_setting_get_bool(s) != 0;
    } else if (strcmp(name, "warm") == 0) {
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            conf_mistake(l, line_of(s), "plugins: warm must be true or false");
        p->cold = config_setting_get_bool(s) == 0;
    } else if (strcmp(name, "settings") == 0) {
        settings_read(l, p, s);
    } else {
        conf_mistake(l, line_of(s),
                     "plugins: `%s` is no key of a plugin; file, optional, warm and settings are "
                     "(what a plugin itself understands goes into settings = { ... };)",
                     name);
    }
}

void conf_plugins_read(struct conf_load *l, const config_setting_t *s)
{
    l->plugins_given = true;
    if (!is_list(s)) {
        conf_mistake(l, line_of(s), "plugins: must be a list of groups, as ( { file = \"lang-c.so\"; } )");
        return;
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        struct conf_plugin *p;

        if (config_setting_type(e) != CONFIG_TYPE_GROUP) {
            conf_mistake(l, line_of(e), "plugins: item %d must be a group, as { file = \"lang-c.so\"; }", i);
            continue;
        }
        p = plugin_add(l->conf, line_of(e));
        for (int m = 0; m < config_setting_length(e); m++)
            plugin_member(l, p, config_setting_get_elem(e, (unsigned)m));
        if (p->file == NULL)
            conf_mistake(l, p->line, "plugins: item %d has no file", i);
    }
}
