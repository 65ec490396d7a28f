/* conf_key.c - API keys: their secrets, and what each may. */
#include "conf_internal.h"

#include <libconfig.h>

static int line_of(const config_setting_t *s)
{
    return (int)config_setting_source_line(s);
}

/* ---- numbers of one key ----------------------------------------------------------------- */

#define OF_KEY(field) .offset = offsetof(struct conf_key, field)
#define UNSAID UINT64_MAX

static const struct conf_item numbers[] = {
    {"api.keys", "weight", CONF_COUNT, OF_KEY(weight), .min = 1, .max = 1000},
    {"api.keys", "max_jobs", CONF_COUNT, OF_KEY(max_jobs), .min = 0, .max = 1000000000},
    {"api.keys", "max_bytes", CONF_BYTES, OF_KEY(max_bytes), .min = 0, .max = UINT64_C(1) << 40},
    {"api.keys", "rate_per_minute", CONF_COUNT, OF_KEY(rate), .min = 0, .max = 1000000000},
    {"api.keys", "rate_burst", CONF_COUNT, OF_KEY(burst), .min = 1, .max = 1000000000},
};

static const struct conf_item *number_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        if (strcmp(numbers[i].name, name) == 0)
            return &numbers[i];
    return NULL;
}

static uint64_t *number_of(struct conf_key *key, const struct conf_item *it)
{
    return (uint64_t *)(void *)((char *)key + it->offset);
}

static void said_or(uint64_t *value, uint64_t common)
{
    if (*value == UNSAID)
        *value = common;
}

void conf_keys_derive(struct conf *c)
{
    for (size_t i = 0; i < c->key_count; i++) {
        struct conf_key *k = &c->keys[i];

        said_or(&k->weight, 1);
        said_or(&k->max_jobs, c->key_max_jobs);
        said_or(&k->max_bytes, c->key_max_bytes);
        said_or(&k->rate, c->rate_per_minute);
        said_or(&k->burst, c->rate_burst);
    }
}

/* ---- secrets of one key ------------------------------------------------------------------- */

struct secret {
    const char *name;
    size_t offset; /* in struct conf_key */
    conf_rule_fn rule;
};
static const struct secret secrets[] = {
    {"key", offsetof(struct conf_key, key), conf_rule_api_key},
    {"hook_secret", offsetof(struct conf_key, hook_secret), conf_rule_hook_secret},
    {"hook_previous_secret", offsetof(struct conf_key, hook_previous_secret), conf_rule_hook_secret},
};

static const struct secret *secret_find(const char *name, enum conf_secret_way *ret_way)
{
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        if (conf_secret_way(name, secrets[i].name, ret_way))
            return &secrets[i];
    return NULL;
}

static char **secret_of(struct conf_key *key, const struct secret *secret)
{
    return (char **)(void *)((char *)key + secret->offset);
}

void conf_key_clear(struct conf_key *key)
{
    free(key->name);
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        conf_secret_free(*secret_of(key, &secrets[i]));
    *key = (struct conf_key){.name = NULL};
}

/* ---- the list ------------------------------------------------------------------------------ */

struct key_read {
    struct conf_load *load;
    int index, line;
    struct conf_key key;
    bool failed;
};

static void key_mistake(struct key_read *k, int line, const char *fmt, ...) PRINTF(3, 4);
static void key_mistake(struct key_read *k, int line, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    conf_mistake(k->load, line, "api.keys: item %d: %s", k->index, text);
    k->failed = true;
}

static void number_member(struct key_read *k, const struct conf_item *it, const config_setting_t *s)
{
    CLEAN_FREE char *text = conf_scalar_text(s, false);
    int type = config_setting_type(s);
    struct err why = {0};

    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64 &&
        (it->type != CONF_BYTES || type != CONFIG_TYPE_STRING))
        key_mistake(k, line_of(s), "%s must be %s", it->name, conf_type_words(it->type));
    else if (conf_number_text(it, text, number_of(&k->key, it), &why) != 0)
        key_mistake(k, line_of(s), "%s %.40s %s", it->name, text, why.text);
}

static void secret_member(struct key_read *k, const struct secret *secret, enum conf_secret_way way,
                          const config_setting_t *s)
{
    const char *name = config_setting_name(s), *text = config_setting_get_string(s), *x = secret->name;
    char **value = secret_of(&k->key, secret);
    struct err why = {0};

    if (*value != NULL)
        key_mistake(k, line_of(s), "the secret is given twice; one of %s, %s_file and %s_env is enough", x, x,
                    x);
    else if (conf_secret_get(way, text, value, &why) != 0)
        key_mistake(k, line_of(s), "%s: %.120s %s", name, conf_secret_shown(way, text), why.text);
    else if (secret->rule(*value, &why) != 0)
        key_mistake(k, line_of(s), "the secret of %s %s", name, why.text);
}

static void key_member(struct key_read *k, const config_setting_t *s)
{
    const char *name = config_setting_name(s), *text = config_setting_get_string(s);
    const struct conf_item *number = number_find(name);
    enum conf_secret_way way;
    const struct secret *secret = secret_find(name, &way);
    struct err why = {0};

    if (number != NULL)
        number_member(k, number, s);
    else if (strcmp(name, "name") != 0 && secret == NULL)
        key_mistake(k, line_of(s),
                    "`%s` is no key of it; name, key, key_file, key_env, hook_secret, hook_previous_secret "
                    "(and _file, _env), weight, max_jobs, max_bytes, rate_per_minute and rate_burst are",
                    name);
    else if (config_setting_type(s) != CONFIG_TYPE_STRING)
        key_mistake(k, line_of(s), "%s must be a string in quotes", name);
    else if (secret != NULL)
        secret_member(k, secret, way, s);
    else if (conf_rule_name(text, &why) != 0)
        key_mistake(k, line_of(s), "name \"%.80s\" %s", text, why.text);
    else
        k->key.name = mem_dup(text);
}

static void key_check(struct key_read *k)
{
    const struct conf *c = k->load->conf;

    if (!k->failed && k->key.name == NULL)
        key_mistake(k, k->line, "it has no name");
    if (!k->failed && k->key.key == NULL)
        key_mistake(k, k->line, "it has no secret: key_file, key_env or key");
    if (!k->failed && k->key.hook_previous_secret != NULL && k->key.hook_secret == NULL)
        key_mistake(k, k->line, "hook_previous_secret: there is no hook_secret that it was before");
    for (size_t i = 0; i < c->key_count && !k->failed; i++) {
        if (strcmp(c->keys[i].name, k->key.name) == 0)
            key_mistake(k, k->line, "the name `%s` is taken by another one", k->key.name);
        else if (strcmp(c->keys[i].key, k->key.key) == 0)
            key_mistake(k, k->line, "it has the same secret as `%s`", c->keys[i].name);
    }
}

static void key_add(struct conf *c, const struct conf_key *key)
{
    struct conf_key *grown = mem_zero(c->key_count + 1, sizeof(*grown));

    if (c->key_count > 0)
        memcpy(grown, c->keys, c->key_count * sizeof(*grown));
    grown[c->key_count++] = *key;
    free(c->keys);
    c->keys = grown;
}

void conf_keys_read(struct conf_load *l, const struct conf_item *it, const config_setting_t *s)
{
    conf_origin_set(l, it, CONF_FROM_FILE, line_of(s));
    if (config_setting_type(s) != CONFIG_TYPE_LIST && config_setting_type(s) != CONFIG_TYPE_ARRAY) {
        conf_mistake(l, line_of(s), "%s.%s: must be %s", it->section, it->name, conf_type_words(it->type));
        return;
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        struct key_read k = {.load = l, .index = i, .line = line_of(e)};

        for (size_t n = 0; n < COUNT_OF(numbers); n++)
            *number_of(&k.key, &numbers[n]) = UNSAID;

        if (config_setting_type(e) != CONFIG_TYPE_GROUP) {
            key_mistake(&k, k.line, "must be a group, as { name = \"a\"; key_file = \"/path\"; }");
            continue;
        }
        for (int m = 0; m < config_setting_length(e); m++)
            key_member(&k, config_setting_get_elem(e, (unsigned)m));
        key_check(&k);
        if (k.failed)
            conf_key_clear(&k.key);
        else
            key_add(l->conf, &k.key);
    }
}
