/* conf_internal.h - the table of keys and what the files of this room share. */
#ifndef EXECD_CONF_INTERNAL_H
#define EXECD_CONF_INTERNAL_H

#include "conf.h"

/* ---- the table (conf_keys.c) ------------------------------------------------------ */

enum conf_type {
    CONF_BOOL,
    CONF_COUNT,   /* uint64_t, a plain number */
    CONF_MS,      /* uint64_t, milliseconds */
    CONF_BYTES,   /* uint64_t; 65536 or "64k" */
    CONF_CPU,     /* uint64_t, thousandths of a core; "200m", "0.5", 2 */
    CONF_PORT,    /* uint16_t */
    CONF_STRING,  /* char * */
    CONF_FORMAT,  /* enum log_format */
    CONF_LEVEL,   /* enum log_level */
    CONF_CACHE,   /* enum conf_cache */
    CONF_POLICY,  /* enum conf_policy */
    CONF_SECRET,  /* char *, NULL if not given; also NAME_file and NAME_env */
    CONF_STRINGS, /* char ** and size_t: a list of strings */
    CONF_KEYS,    /* api.keys */
};

/* Is the text good for this key?  0, or -1 with the reason in *why ("is no ..."). */
typedef int (*conf_rule_fn)(const char *text, struct err *why);

struct conf_item {
    const char *section, *name;
    enum conf_type type;
    size_t offset;       /* in struct conf */
    size_t count_offset; /* of a list's length */
    const char *initial; /* the default as text; NULL: none (or computed) */
    const char *example; /* shown in comments where there is no default */
    uint64_t min, max;   /* of numbers */
    conf_rule_fn rule;   /* of strings and of each string in a list */
    const char *help;    /* one or more sentences, without a trailing stop */
};
extern const struct conf_item conf_items[];
extern const size_t conf_item_count;
#define CONF_ITEMS_MAX 128

struct conf_section {
    const char *name, *help;
};
extern const struct conf_section conf_sections[];
extern const size_t conf_section_count;

extern const char *const conf_plugins_default[]; /* NULL-terminated */

const struct conf_item *conf_item_find(const char *section, const char *name);
const char *conf_type_words(enum conf_type t); /* "true or false", "milliseconds" */
/* "50..60000 ms", "64k..1G bytes"; "" for what has no bounds. */
void conf_bounds_text(const struct conf_item *it, char *out, size_t size);
void conf_bytes_text(uint64_t n, char *out, size_t size); /* 65536 as "64k" */
/* EXECD_SECTION_KEY */
void conf_env_name(const struct conf_item *it, char *out, size_t size);

/* ---- loading ------------------------------------------------------------------------- */

enum conf_from { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_ENV };

struct conf_load {
    struct conf *conf;
    const char *path;
    struct buf *mistakes;
    size_t mistake_count;
    bool plugins_given;
    struct {
        enum conf_from from;
        int line;
    } origin[CONF_ITEMS_MAX];
};
void conf_mistake(struct conf_load *l, int line, const char *fmt, ...)
    PRINTF(3, 4); /* line 0: of the whole file */
void conf_mistake_env(struct conf_load *l, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* At whatever gave the item its value. */
void conf_mistake_item(struct conf_load *l, const struct conf_item *it, const char *fmt, ...) PRINTF(3, 4);
void conf_origin_set(struct conf_load *l, const struct conf_item *it, enum conf_from from, int line);

/* ---- values (conf_value.c) --------------------------------------------------------------- */

/* Stores; 0, or -1 with "must be ..." in *why. */
int conf_value_text(struct conf *c, const struct conf_item *it, const char *text, struct err *why);
/* Of an item that is a number; 0, or -1 with "must be ..." in *why. */
int conf_number_text(const struct conf_item *it, const char *text, uint64_t *ret, struct err *why);
void conf_list_clear(struct conf *c, const struct conf_item *it);
void conf_list_add(struct conf *c, const struct conf_item *it, const char *text);

/* ---- the file (conf_text.c, conf_file.c, conf_key.c, conf_list.c, conf_secret.c)
 * -------------------------------------
 */

/* The text as libconfig should see it; -1 after a mistake. */
int conf_text_read(struct conf_load *l, struct buf *out);
struct config_setting_t;
void conf_file_read(struct conf_load *l);
/* A scalar as text, the caller's; `shown`: strings in quotes. */
char *conf_scalar_text(const struct config_setting_t *s, bool shown);
/* "is no key of api; did you mean `address`?" */
void conf_suggest(const char *section, const char *name, char *out, size_t size);
void conf_keys_read(struct conf_load *l, const struct conf_item *it, const struct config_setting_t *s);
void conf_key_clear(struct conf_key *key);
/* What a key does not say of itself is as the common keys say. */
void conf_keys_derive(struct conf *c);
void conf_strings_read(struct conf_load *l, const struct conf_item *it, const struct config_setting_t *s);
void conf_plugins_read(struct conf_load *l, const struct config_setting_t *s);
void conf_plugins_defaults(struct conf *c);

enum conf_secret_way { CONF_SECRET_TEXT, CONF_SECRET_FILE, CONF_SECRET_ENV };
/* `name` is the key in the file; is it `key`, `key`_file or `key`_env? */
bool conf_secret_way(const char *name, const char *key, enum conf_secret_way *ret);
/* The secret itself; never part of *why. */
int conf_secret_get(enum conf_secret_way way, const char *text, char **ret, struct err *why);
/* The path or the variable's name; "the value" if it does not look like one: it may be the secret itself. */
const char *conf_secret_shown(enum conf_secret_way way, const char *text);
void conf_secret_free(char *s);

/* ---- rules (conf_rule.c) ------------------------------------------------------------------- */

int conf_rule_address(const char *text, struct err *why);
int conf_rule_queue_url(const char *text, struct err *why);
int conf_rule_prefix(const char *text, struct err *why);
int conf_rule_name(const char *text, struct err *why);
int conf_rule_api_key(const char *text, struct err *why);
int conf_rule_hook_secret(const char *text, struct err *why);
int conf_rule_network(const char *text, struct err *why);
int conf_rule_filled(const char *text, struct err *why); /* not empty, no control characters */
int conf_rule_line(const char *text, struct err *why);   /* no control characters */
int conf_rule_path(const char *text, struct err *why);   /* empty or absolute */
int conf_rule_plugin(const char *text, struct err *why); /* bare name or absolute path */
bool conf_address_is_loopback(const char *address);

/* ---- after all values are there (conf_check.c) ----------------------------------------------- */

void conf_check(struct conf_load *l);

#endif
