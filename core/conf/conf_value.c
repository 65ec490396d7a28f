/* conf_value.c - one value as text into its place; defaults, file and environment all pass here. */
#include "conf_internal.h"

#include <ctype.h>
#include <inttypes.h>

static void *place(struct conf *c, const struct conf_item *it)
{
    return (char *)c + it->offset;
}

/* ---- words ------------------------------------------------------------------------ */

const char *conf_type_words(enum conf_type t)
{
    static const char *const words[] = {
        [CONF_BOOL] = "true or false",
        [CONF_COUNT] = "a whole number",
        [CONF_MS] = "a whole number of milliseconds",
        [CONF_BYTES] = "a number of bytes, or a string as \"64k\", \"16M\" or \"2G\"",
        [CONF_CPU] = "a share of cpu as \"200m\", \"0.5\" or 2",
        [CONF_PORT] = "a whole number",
        [CONF_STRING] = "a string in quotes",
        [CONF_FORMAT] = "\"kv\" or \"json\"",
        [CONF_LEVEL] = "\"debug\", \"info\", \"warn\" or \"error\"",
        [CONF_CACHE] = "\"off\", \"tenant\" or \"shared\"",
        [CONF_POLICY] = "\"queue\" or \"objective\"",
        [CONF_SECRET] = "a string in quotes",
        [CONF_STRINGS] = "a list of strings, as ( \"a\", \"b\" )",
        [CONF_KEYS] = "a list of groups, as ( { name = \"a\"; key_file = \"/path\"; } )",
    };

    return words[t];
}

void conf_bytes_text(uint64_t n, char *out, size_t size)
{
    static const char units[] = "kMG";
    int unit = -1;

    while (unit < 2 && n != 0 && n % 1024 == 0) {
        n /= 1024;
        unit++;
    }
    if (unit < 0)
        snprintf(out, size, "%" PRIu64, n);
    else
        snprintf(out, size, "%" PRIu64 "%c", n, units[unit]);
}

void conf_bounds_text(const struct conf_item *it, char *out, size_t size)
{
    char min[32], max[32];

    switch (it->type) {
    case CONF_BYTES:
        conf_bytes_text(it->min, min, sizeof(min));
        conf_bytes_text(it->max, max, sizeof(max));
        snprintf(out, size, "%s..%s bytes", min, max);
        break;
    case CONF_CPU:
        snprintf(out, size, "%" PRIu64 "m..%" PRIu64 "m", it->min, it->max);
        break;
    case CONF_COUNT:
    case CONF_PORT:
    case CONF_MS:
        snprintf(out, size, "%" PRIu64 "..%" PRIu64 "%s", it->min, it->max, it->type == CONF_MS ? " ms" : "");
        break;
    default:
        out[0] = '\0';
    }
}

void conf_env_name(const struct conf_item *it, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "EXECD_%s_", it->section);

    for (const char *p = it->name; *p != '\0' && n + 3 < size; p++) {
        if (isupper((unsigned char)*p)) /* minPods: MIN_PODS */
            out[n++] = '_';
        out[n++] = *p;
    }
    out[n] = '\0';
    for (char *p = out; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

/* ---- numbers ------------------------------------------------------------------------- */

static int number_parse(const struct conf_item *it, const char *text, uint64_t *ret)
{
    int rc = it->type == CONF_BYTES ? num_bytes(text, UINT64_MAX, ret)
             : it->type == CONF_CPU ? num_cpu_millis(text, ret)
                                    : num_u64(text, 0, UINT64_MAX, ret);

    return rc != 0 ? rc : *ret < it->min || *ret > it->max ? -ERANGE : 0;
}

static bool negative(const char *text)
{
    return text[0] == '-' && isdigit((unsigned char)text[1]);
}

int conf_number_text(const struct conf_item *it, const char *text, uint64_t *ret, struct err *why)
{
    char bounds[64];
    int rc = negative(text) ? -ERANGE : number_parse(it, text, ret);

    if (rc == 0)
        return 0;
    conf_bounds_text(it, bounds, sizeof(bounds));
    return rc == -ERANGE ? err_set(why, -1, "must be within %s", bounds)
                         : err_set(why, -1, "must be %s, within %s", conf_type_words(it->type), bounds);
}

static int number_take(struct conf *c, const struct conf_item *it, const char *text, struct err *why)
{
    uint64_t n;

    if (conf_number_text(it, text, &n, why) != 0)
        return -1;
    if (it->type == CONF_PORT)
        *(uint16_t *)place(c, it) = (uint16_t)n;
    else
        *(uint64_t *)place(c, it) = n;
    return 0;
}

/* ---- words of a set ---------------------------------------------------------------------- */

static int choice_find(const char *const *names, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return -1;
}

static int choice_take(struct conf *c, const struct conf_item *it, const char *text, struct err *why)
{
    static const char *const bools[] = {"false", "true"};
    static const char *const formats[] = {[LOG_FORMAT_KV] = "kv", [LOG_FORMAT_JSON] = "json"};
    static const char *const levels[] = {[LOG_LEVEL_DEBUG] = "debug",
                                         [LOG_LEVEL_INFO] = "info",
                                         [LOG_LEVEL_WARN] = "warn",
                                         [LOG_LEVEL_ERROR] = "error"};
    static const char *const caches[] = {
        [CONF_CACHE_OFF] = "off", [CONF_CACHE_TENANT] = "tenant", [CONF_CACHE_SHARED] = "shared"};
    static const char *const policies[] = {
        [CONF_POLICY_QUEUE] = "queue", [CONF_POLICY_OBJECTIVE] = "objective"};
    int i = it->type == CONF_BOOL     ? choice_find(bools, 2, text)
            : it->type == CONF_FORMAT ? choice_find(formats, (int)COUNT_OF(formats), text)
            : it->type == CONF_CACHE  ? choice_find(caches, (int)COUNT_OF(caches), text)
            : it->type == CONF_POLICY ? choice_find(policies, (int)COUNT_OF(policies), text)
                                      : choice_find(levels, (int)COUNT_OF(levels), text);

    if (i < 0)
        return err_set(why, -1, "must be %s", conf_type_words(it->type));
    if (it->type == CONF_BOOL)
        *(bool *)place(c, it) = i == 1;
    else if (it->type == CONF_FORMAT)
        *(enum log_format *)place(c, it) = (enum log_format)i;
    else if (it->type == CONF_CACHE)
        *(enum conf_cache *)place(c, it) = (enum conf_cache)i;
    else if (it->type == CONF_POLICY)
        *(enum conf_policy *)place(c, it) = (enum conf_policy)i;
    else
        *(enum log_level *)place(c, it) = (enum log_level)i;
    return 0;
}

/* ---- strings ------------------------------------------------------------------------------ */

static int string_take(struct conf *c, const struct conf_item *it, const char *text, struct err *why)
{
    char **at = place(c, it);

    if (it->rule != NULL && it->rule(text, why) != 0)
        return -1;
    conf_secret_free(*at);
    *at = mem_dup(text);
    return 0;
}

static size_t *list_count(struct conf *c, const struct conf_item *it)
{
    return (size_t *)(void *)((char *)c + it->count_offset);
}

void conf_list_clear(struct conf *c, const struct conf_item *it)
{
    char ***list = place(c, it);
    size_t *count = list_count(c, it);

    while (*count > 0)
        free((*list)[--*count]);
    free(*list);
    *list = NULL;
}

void conf_list_add(struct conf *c, const struct conf_item *it, const char *text)
{
    char ***list = place(c, it);
    size_t *count = list_count(c, it);
    char **grown = mem_zero(*count + 1, sizeof(char *));

    if (*count > 0)
        memcpy(grown, *list, *count * sizeof(char *));
    grown[(*count)++] = mem_dup(text);
    free(*list);
    *list = grown;
}

/* "a,b", as the environment says lists; "" is the empty one. */
static int list_take(struct conf *c, const struct conf_item *it, const char *text, struct err *why)
{
    CLEAN_FREE char *copy = mem_dup(text);
    char *rest = copy, *word;

    conf_list_clear(c, it);
    while (text[0] != '\0' && (word = strsep(&rest, ",")) != NULL) {
        if (it->rule != NULL && it->rule(word, why) != 0)
            return -1;
        conf_list_add(c, it, word);
    }
    return 0;
}

int conf_value_text(struct conf *c, const struct conf_item *it, const char *text, struct err *why)
{
    switch (it->type) {
    case CONF_BOOL:
    case CONF_FORMAT:
    case CONF_LEVEL:
    case CONF_CACHE:
    case CONF_POLICY:
        return choice_take(c, it, text, why);
    case CONF_STRING:
    case CONF_SECRET:
        return string_take(c, it, text, why);
    case CONF_STRINGS:
        return list_take(c, it, text, why);
    case CONF_KEYS:
        return err_set(why, -1, "has its place in the file only");
    default:
        return number_take(c, it, text, why);
    }
}
