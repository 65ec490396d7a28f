/* plugin_option.c - a plugin's settings: its own table checked first, then the file against the table. */
#include "plugin_internal.h"

#include <ctype.h>

#define OPTION_SIZE_1_0 (offsetof(struct execd_option, max) + sizeof(((struct execd_option *)0)->max))
#define TABLE "correct the plugin's options"

const char *plugin_option_type(uint32_t type)
{
    static const char *const names[] = {
        [EXECD_OPT_STRING] = "a string",
        [EXECD_OPT_INT] = "an integer",
        [EXECD_OPT_BOOL] = "true or false",
        [EXECD_OPT_MILLIS] = "milliseconds",
        [EXECD_OPT_BYTES] = "bytes (a number, or a string as \"64M\")",
        [EXECD_OPT_PATH] = "an absolute path",
    };

    return type < COUNT_OF(names) ? names[type] : NULL;
}

static bool is_number(uint32_t type)
{
    return type != EXECD_OPT_STRING && type != EXECD_OPT_PATH;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool in_bounds(const struct execd_option *o, int64_t n)
{
    if ((o->type == EXECD_OPT_MILLIS || o->type == EXECD_OPT_BYTES) && n < 0)
        return false;
    return (o->min == 0 && o->max == 0) || (n >= o->min && n <= o->max);
}

/* From text as it stands in the file; false if it is no such value. */
static bool parse_text(const struct execd_option *o, const char *s, int64_t *ret)
{
    uint64_t bytes;

    *ret = 0;
    switch (o->type) {
    case EXECD_OPT_STRING:
        return true;
    case EXECD_OPT_PATH:
        return s[0] == '/';
    case EXECD_OPT_BOOL:
        *ret = strcmp(s, "true") == 0;
        return *ret == 1 || strcmp(s, "false") == 0;
    case EXECD_OPT_BYTES:
        if (num_bytes(s, INT64_MAX, &bytes) != 0)
            return false;
        *ret = (int64_t)bytes;
        return true;
    default:
        return num_i64(s, INT64_MIN, INT64_MAX, ret) == 0;
    }
}

static bool parse_setting(const struct execd_option *o, const struct conf_setting *s, int64_t *ret)
{
    if (s->kind == 's' && s->s != NULL && (!is_number(o->type) || o->type == EXECD_OPT_BYTES))
        return parse_text(o, s->s, ret);
    *ret = s->i;
    if (s->kind == 'b')
        return o->type == EXECD_OPT_BOOL;
    return s->kind == 'i' && is_number(o->type) && o->type != EXECD_OPT_BOOL;
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool key_valid(const char *s)
{
    size_t n = s == NULL ? 0 : strnlen(s, 33);

    if (n == 0 || n > 32 || !islower((unsigned char)s[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '_')
            return false;
    return true;
}

static int check_fallback(const struct execd_option *o, struct err *reterr)
{
    bool required = (o->flags & EXECD_OPT_REQUIRED) != 0;
    int64_t n;

    if (required && o->fallback != NULL)
        return err_set(reterr, ERR_CONFIG, "its option `%s` is required and has a fallback; " TABLE, o->key);
    if (o->fallback != NULL && (!parse_text(o, o->fallback, &n) || (is_number(o->type) && !in_bounds(o, n))))
        return err_set(reterr, ERR_CONFIG,
                       "its option `%s` has the fallback `%.40s`, which it would refuse itself; " TABLE,
                       o->key, o->fallback);
    return 0;
}

static int check_option(const struct execd_ctx *ctx, size_t i, struct err *reterr)
{
    const struct execd_option *o = &ctx->options[i];

    if (!key_valid(o->key))
        return err_set(reterr, ERR_CONFIG,
                       "the key of its option %zu is not of the form [a-z][a-z0-9_]{0,31}; " TABLE, i);
    for (size_t k = 0; k < i; k++)
        if (strcmp(ctx->options[k].key, o->key) == 0)
            return err_set(reterr, ERR_CONFIG, "it declares the option `%s` twice; " TABLE, o->key);
    if (plugin_option_type(o->type) == NULL)
        return err_set(reterr, ERR_CONFIG, "its option `%s` is of the unknown type %u; install a newer execd",
                       o->key, o->type);
    if ((o->flags & ~(uint32_t)(EXECD_OPT_REQUIRED | EXECD_OPT_SECRET)) != 0)
        return err_set(reterr, ERR_CONFIG, "its option `%s` has unknown flags 0x%x; install a newer execd",
                       o->key, o->flags);
    if (o->min > o->max)
        return err_set(reterr, ERR_CONFIG, "its option `%s` has its minimum above its maximum; " TABLE,
                       o->key);
    return check_fallback(o, reterr);
}

int plugin_options_check(struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_plugin *d = &ctx->desc;
    int rc = 0;

    if (d->option_count == 0)
        return 0;
    if (d->option_count > OPTIONS_MAX || d->options == NULL || d->option_stride < OPTION_SIZE_1_0 ||
        d->option_stride > STRIDE_MAX || d->option_stride % _Alignof(struct execd_option) != 0)
        return err_set(reterr, ERR_CONFIG,
                       "its table of options is impossible (%u of them, %u bytes each); " TABLE,
                       d->option_count, d->option_stride);
    ctx->options = mem_zero(d->option_count, sizeof(struct execd_option));
    for (size_t i = 0; i < d->option_count && rc == 0; i++) {
        memcpy(&ctx->options[i], (const char *)d->options + i * d->option_stride,
               MIN(sizeof(struct execd_option), (size_t)d->option_stride));
        rc = check_option(ctx, i, reterr);
    }
    return rc;
}

/* ---- the file --------------------------------------------------------------------------------- */

static void accepted_keys(const struct execd_ctx *ctx, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ctx->desc.option_count && len < size; i++) {
        int n = snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", ctx->options[i].key);

        len += n > 0 ? (size_t)n : 0;
    }
}

static int unknown_key(const struct execd_ctx *ctx, const struct conf_setting *s, struct err *reterr)
{
    char keys[160];

    accepted_keys(ctx, keys, sizeof(keys));
    if (keys[0] == '\0')
        return err_set(reterr, ERR_CONFIG, "line %d: unknown setting `%.40s`; it accepts none", s->line,
                       s->key);
    return err_set(reterr, ERR_CONFIG, "line %d: unknown setting `%.40s`; it accepts: %s", s->line, s->key,
                   keys);
}

static int refuse_value(const struct execd_option *o, const struct conf_setting *s, struct err *reterr)
{
    if (o->min == 0 && o->max == 0)
        return err_set(reterr, ERR_CONFIG, "line %d: setting `%s` must be %s; correct it", s->line, o->key,
                       plugin_option_type(o->type));
    return err_set(reterr, ERR_CONFIG, "line %d: setting `%s` must be %s from %lld to %lld; correct it",
                   s->line, o->key, plugin_option_type(o->type), (long long)o->min, (long long)o->max);
}

static int take_setting(struct execd_ctx *ctx, const struct conf_setting *s, struct err *reterr)
{
    size_t i = 0;
    int64_t n;

    while (i < ctx->desc.option_count && strcmp(ctx->options[i].key, s->key) != 0)
        i++;
    if (i == ctx->desc.option_count)
        return unknown_key(ctx, s, reterr);
    if (ctx->values[i].given)
        return err_set(reterr, ERR_CONFIG, "line %d: setting `%s` is given twice; keep one", s->line, s->key);
    if (!parse_setting(&ctx->options[i], s, &n) ||
        (is_number(ctx->options[i].type) && !in_bounds(&ctx->options[i], n)))
        return refuse_value(&ctx->options[i], s, reterr);
    ctx->values[i].number = n;
    ctx->values[i].given = 1;
    ctx->values[i].line = (uint32_t)s->line;
    if (!is_number(ctx->options[i].type))
        ctx->strings[i] = mem_dup(s->s);
    return 0;
}

int plugin_options_take(struct execd_ctx *ctx, const struct conf_plugin *conf, struct err *reterr)
{
    size_t count = ctx->desc.option_count;
    int rc;

    ctx->values = mem_zero(MAX(count, (size_t)1), sizeof(struct execd_value));
    ctx->strings = mem_zero(MAX(count, (size_t)1), sizeof(char *));
    for (size_t i = 0; i < conf->setting_count; i++)
        if ((rc = take_setting(ctx, &conf->settings[i], reterr)) != 0)
            return rc;
    for (size_t i = 0; i < count; i++) {
        const struct execd_option *o = &ctx->options[i];

        if (!ctx->values[i].given && (o->flags & EXECD_OPT_REQUIRED) != 0)
            return err_set(reterr, ERR_CONFIG, "the setting `%s` (%s) is required; add it to its settings",
                           o->key, plugin_option_type(o->type));
        if (!ctx->values[i].given && o->fallback != NULL) {
            parse_text(o, o->fallback, &ctx->values[i].number);
            if (!is_number(o->type))
                ctx->strings[i] = mem_dup(o->fallback);
        }
        ctx->values[i].string = ctx->strings[i];
    }
    return 0;
}
