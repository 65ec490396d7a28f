/* conf_file.c - walks the file against the table; everything that is no key of it is a mistake. */
#include "conf_internal.h"

#include <libconfig.h>

/* ---- names ---------------------------------------------------------------------------- */

/* Levenshtein's distance; anything above 32 characters is far. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[33];

    if (n > 32 || m > 32)
        return 64;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j], swap = corner + (a[i - 1] != b[j - 1]);

            row[j] = MIN(MIN(above, row[j - 1]) + 1, swap);
            corner = above;
        }
    }
    return row[m];
}

static void nearest(const char *name, const char *candidate, size_t *best, const char **ret)
{
    size_t d = distance(name, candidate);

    if (d < *best) {
        *best = d;
        *ret = candidate;
    }
}

/* section "": the names of the top. */
void conf_suggest(const char *section, const char *name, char *out, size_t size)
{
    size_t len = strlen(name), best = len <= 3 ? 2 : MAX(len / 3, (size_t)2) + 1;
    const char *found = NULL, *elsewhere = NULL;

    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];

        if (strcmp(it->section, section) == 0)
            nearest(name, it->name, &best, &found);
        else if (strcmp(it->name, name) == 0)
            elsewhere = it->section;
    }
    for (size_t i = 0; section[0] == '\0' && i < conf_section_count; i++)
        nearest(name, conf_sections[i].name, &best, &found);
    if (section[0] == '\0')
        nearest(name, "plugins", &best, &found);
    if (found == NULL && elsewhere != NULL)
        snprintf(out, size, "; the key is one of section `%s`", elsewhere);
    else if (found != NULL)
        snprintf(out, size, "; did you mean `%s`?", found);
    else
        out[0] = '\0';
}

/* ---- values ------------------------------------------------------------------------------ */

char *conf_scalar_text(const config_setting_t *s, bool shown)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return mem_printf("%lld", config_setting_get_int64(s));
    case CONFIG_TYPE_FLOAT:
        return mem_printf("%g", config_setting_get_float(s));
    case CONFIG_TYPE_BOOL:
        return mem_dup(config_setting_get_bool(s) ? "true" : "false");
    case CONFIG_TYPE_STRING:
        return mem_printf(shown ? "\"%s\"" : "%s", config_setting_get_string(s));
    default:
        return mem_dup(config_setting_type(s) == CONFIG_TYPE_GROUP ? "a group" : "a list");
    }
}

static bool kind_fits(const struct conf_item *it, int kind)
{
    bool integer = kind == CONFIG_TYPE_INT || kind == CONFIG_TYPE_INT64;

    switch (it->type) {
    case CONF_BOOL:
        return kind == CONFIG_TYPE_BOOL;
    case CONF_COUNT:
    case CONF_MS:
    case CONF_PORT:
        return integer;
    case CONF_BYTES:
        return integer || kind == CONFIG_TYPE_STRING;
    case CONF_CPU:
        return integer || kind == CONFIG_TYPE_FLOAT || kind == CONFIG_TYPE_STRING;
    default:
        return kind == CONFIG_TYPE_STRING;
    }
}

static void scalar_read(struct conf_load *l, const struct conf_item *it, const config_setting_t *s)
{
    CLEAN_FREE char *text = conf_scalar_text(s, false);
    CLEAN_FREE char *shown = conf_scalar_text(s, true);
    int line = (int)config_setting_source_line(s);
    bool hide = it->rule == conf_rule_queue_url; /* it may hold a password */
    struct err why = {0};

    if (!kind_fits(it, config_setting_type(s)))
        conf_mistake(l, line, "%s.%s: %s is %s, and must be %s", it->section, it->name,
                     hide ? "the value" : shown,
                     config_setting_type(s) == CONFIG_TYPE_STRING ? "a string" : "of another type",
                     conf_type_words(it->type));
    else if (conf_value_text(l->conf, it, text, &why) != 0)
        conf_mistake(l, line, "%s.%s: %s %s", it->section, it->name, hide ? "the value" : shown, why.text);
    conf_origin_set(l, it, CONF_FROM_FILE, line);
}

static void secret_read(struct conf_load *l, const struct conf_item *it, enum conf_secret_way way,
                        const config_setting_t *s)
{
    int line = (int)config_setting_source_line(s);
    const char *name = config_setting_name(s), *text = config_setting_get_string(s);
    struct err why = {0};
    char *secret = NULL;

    if (l->origin[it - conf_items].from == CONF_FROM_FILE)
        conf_mistake(l, line, "%s.%s: the secret is given already in line %d", it->section, name,
                     l->origin[it - conf_items].line);
    else if (text == NULL)
        conf_mistake(l, line, "%s.%s: must be %s", it->section, name, conf_type_words(it->type));
    else if (conf_secret_get(way, text, &secret, &why) != 0)
        conf_mistake(l, line, "%s.%s: %s %s", it->section, name, conf_secret_shown(way, text), why.text);
    else if (conf_value_text(l->conf, it, secret, &why) != 0)
        conf_mistake(l, line, "%s.%s: the secret %s", it->section, name, why.text);
    conf_secret_free(secret);
    conf_origin_set(l, it, CONF_FROM_FILE, line);
}

/* ---- the walk -------------------------------------------------------------------------------- */

static const struct conf_item *item_of(const char *section, const char *name, enum conf_secret_way *ret_way)
{
    *ret_way = CONF_SECRET_TEXT;
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];

        if (strcmp(it->section, section) != 0)
            continue;
        if (it->type == CONF_SECRET ? conf_secret_way(name, it->name, ret_way) : strcmp(it->name, name) == 0)
            return it;
    }
    return NULL;
}

static void member_read(struct conf_load *l, const char *section, const config_setting_t *s)
{
    enum conf_secret_way way;
    const struct conf_item *it = item_of(section, config_setting_name(s), &way);
    char hint[96];

    if (it == NULL) {
        conf_suggest(section, config_setting_name(s), hint, sizeof(hint));
        conf_mistake(l, (int)config_setting_source_line(s), "%s.%s: there is no such key%s", section,
                     config_setting_name(s), hint);
    } else if (it->type == CONF_SECRET) {
        secret_read(l, it, way, s);
    } else if (it->type == CONF_STRINGS) {
        conf_strings_read(l, it, s);
    } else if (it->type == CONF_KEYS) {
        conf_keys_read(l, it, s);
    } else {
        scalar_read(l, it, s);
    }
}

static bool section_known(const char *name)
{
    for (size_t i = 0; i < conf_section_count; i++)
        if (strcmp(conf_sections[i].name, name) == 0)
            return true;
    return false;
}

static void section_read(struct conf_load *l, const config_setting_t *s)
{
    const char *name = config_setting_name(s);
    int line = (int)config_setting_source_line(s);
    char hint[96];

    if (strcmp(name, "plugins") == 0) {
        conf_plugins_read(l, s);
    } else if (!section_known(name)) {
        conf_suggest("", name, hint, sizeof(hint));
        conf_mistake(l, line, "%s: there is no such section%s", name, hint);
    } else if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
        conf_mistake(l, line, "%s: must be a group, as %s = { ... };", name, name);
    } else {
        for (int i = 0; i < config_setting_length(s); i++)
            member_read(l, name, config_setting_get_elem(s, (unsigned)i));
    }
}

static void text_parse(struct conf_load *l, const char *text)
{
    config_t config;
    const config_setting_t *root;

    config_init(&config);
    if (config_read_string(&config, text) != CONFIG_TRUE) {
        conf_mistake(l, config_error_line(&config), "%s", config_error_text(&config));
    } else {
        root = config_root_setting(&config);
        for (int i = 0; i < config_setting_length(root); i++)
            section_read(l, config_setting_get_elem(root, (unsigned)i));
    }
    config_destroy(&config);
}

void conf_file_read(struct conf_load *l)
{
    CLEAN_BUF struct buf text = {0};

    if (conf_text_read(l, &text) == 0)
        text_parse(l, text.data);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len); /* secrets may stand in it */
}
