/* plugin_desc.c - the handshake: is this a descriptor we can read, and does it offer what its kind needs? */
#include "plugin_internal.h"

#include <ctype.h>

/* The bytes that even a plugin of ABI 1.0 has: what was added since may be missing, this may not. */
#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define PLUGIN_SIZE_1_0 END_OF(struct execd_plugin, scaler)
#define LANG_SIZE_1_0 END_OF(struct execd_lang_ops, warm)
#define WARM_SIZE_1_0 END_OF(struct execd_warm_ops, service)
#define SCALER_SIZE_1_0 END_OF(struct execd_scaler_ops, current)

#define REBUILD "rebuild it with this execd's <execd/plugin.h>"

const char *plugin_kind_name(uint32_t kind)
{
    switch (kind) {
    case EXECD_KIND_LANG:
        return "language";
    case EXECD_KIND_SCALER:
        return "scaler";
    default:
        return "?";
    }
}

void plugin_text(const char *text, size_t size, char *out, size_t out_size)
{
    size_t n = strnlen(text, MIN(size, out_size - 1));

    n = utf8_cut(text, n);
    memcpy(out, text, n);
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = ' ';
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '.'))
        out[--n] = '\0';
}

/* What is longer than we know is newer and may be cut; what is shorter reads as zero. */
static void copy_sized(void *ours, size_t our_size, const void *theirs, uint32_t their_size)
{
    memset(ours, 0, our_size);
    memcpy(ours, theirs, MIN(our_size, (size_t)their_size));
}

/* The frozen head: nothing below it is read before it fits. */
static int check_head(const struct execd_plugin *p, struct err *reterr)
{
    if (p->magic != EXECD_PLUGIN_MAGIC)
        return err_set(reterr, ERR_CONFIG,
                       "its descriptor begins with 0x%08x, not EXECD_PLUGIN_MAGIC; begin it with "
                       "EXECD_PLUGIN_HEAD()",
                       p->magic);
    if (p->abi_major != EXECD_ABI_MAJOR)
        return err_set(reterr, ERR_CONFIG, "it was built for ABI %u.%u, this execd speaks %u.%u; " REBUILD,
                       p->abi_major, p->abi_minor, EXECD_ABI_MAJOR, EXECD_ABI_MINOR);
    if (p->size < PLUGIN_SIZE_1_0)
        return err_set(reterr, ERR_CONFIG, "its descriptor has %u bytes, one of ABI 1.0 has %zu; " REBUILD,
                       p->size, PLUGIN_SIZE_1_0);
    if (p->needs_host_minor > EXECD_ABI_MINOR)
        return err_set(reterr, ERR_CONFIG,
                       "it needs ABI %u.%u or newer, this execd speaks %u.%u; install a newer execd",
                       p->abi_major, p->needs_host_minor, EXECD_ABI_MAJOR, EXECD_ABI_MINOR);
    return 0;
}

static bool name_valid(const char *s)
{
    size_t n = strnlen(s, 33);

    if (n == 0 || n > 32 || !islower((unsigned char)s[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-')
            return false;
    return true;
}

static int missing(const char *member, struct err *reterr)
{
    return err_set(reterr, ERR_CONFIG, "its descriptor has no %s; set that member", member);
}

static int check_members(const struct execd_plugin *p, struct err *reterr)
{
    char shown[40];

    if (p->name == NULL)
        return missing("name", reterr);
    plugin_text(p->name, 36, shown, sizeof(shown));
    if (!name_valid(p->name))
        return err_set(reterr, ERR_CONFIG, "its name `%s` is not of the form [a-z][a-z0-9-]{0,31}; rename it",
                       shown);
    if (p->version == NULL || p->version[0] == '\0')
        return missing("version", reterr);
    if (p->create == NULL)
        return missing("create", reterr);
    if (p->destroy == NULL)
        return missing("destroy", reterr);
    if (p->reserved != 0)
        return err_set(reterr, ERR_CONFIG, "its descriptor sets a reserved member; " REBUILD);
    if (p->kind != EXECD_KIND_LANG && p->kind != EXECD_KIND_SCALER)
        return err_set(reterr, ERR_CONFIG,
                       "it is of kind %u, this execd knows 1 (language) and 2 (scaler); "
                       "install a newer execd",
                       p->kind);
    if ((p->kind == EXECD_KIND_LANG) != (p->lang != NULL) ||
        (p->kind == EXECD_KIND_SCALER) != (p->scaler != NULL))
        return err_set(reterr, ERR_CONFIG,
                       "it is of kind %u (%s) but its operations are %s; set the pointer of its "
                       "kind alone",
                       p->kind, plugin_kind_name(p->kind),
                       p->lang != NULL && p->scaler != NULL ? "those of both kinds"
                       : p->lang != NULL                    ? "those of a language"
                       : p->scaler != NULL                  ? "those of a scaler"
                                                            : "missing");
    return 0;
}

static int check_ops_size(uint32_t size, size_t least, const char *what, struct err *reterr)
{
    if (size < least)
        return err_set(reterr, ERR_CONFIG,
                       "its %s operations have %u bytes, those of ABI 1.0 have %zu; " REBUILD, what, size,
                       least);
    return 0;
}

static int take_warm(struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_warm_ops *theirs = ctx->lang.warm;
    int rc;

    if (theirs == NULL)
        return 0;
    if ((rc = check_ops_size(theirs->size, WARM_SIZE_1_0, "warm", reterr)) != 0)
        return rc;
    copy_sized(&ctx->warm, sizeof(ctx->warm), theirs, theirs->size);
    return 0;
}

static int take_lang(struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_lang_ops *theirs = ctx->desc.lang;
    int rc = check_ops_size(theirs->size, LANG_SIZE_1_0, "language", reterr);

    if (rc != 0)
        return rc;
    copy_sized(&ctx->lang, sizeof(ctx->lang), theirs, theirs->size);
    if (ctx->lang.reserved != 0)
        return err_set(reterr, ERR_CONFIG, "its operations set a reserved member; " REBUILD);
    if (ctx->lang.languages == NULL)
        return missing("lang->languages", reterr);
    if (ctx->lang.plan == NULL)
        return missing("lang->plan", reterr);
    if (ctx->lang.probe == NULL)
        return missing("lang->probe", reterr);
    if (ctx->lang.probed == NULL)
        return missing("lang->probed", reterr);
    return take_warm(ctx, reterr);
}

static int take_scaler(struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_scaler_ops *theirs = ctx->desc.scaler;
    int rc = check_ops_size(theirs->size, SCALER_SIZE_1_0, "scaler", reterr);

    if (rc != 0)
        return rc;
    copy_sized(&ctx->scaler, sizeof(ctx->scaler), theirs, theirs->size);
    if (ctx->scaler.reserved != 0)
        return err_set(reterr, ERR_CONFIG, "its operations set a reserved member; " REBUILD);
    if ((ctx->scaler.flags & ~(uint32_t)EXECD_SCALER_WORKERS) != 0 || ctx->scaler.reserved2 != 0)
        return err_set(reterr, ERR_CONFIG,
                       "its operations set a flag that this execd does not know; " REBUILD);
    if (ctx->scaler.decide == NULL)
        return missing("scaler->decide", reterr);
    if (ctx->scaler.apply == NULL)
        return missing("scaler->apply", reterr);
    return 0;
}

int plugin_desc_take(const struct execd_plugin *theirs, struct execd_ctx *ctx, struct err *reterr)
{
    int rc = check_head(theirs, reterr);

    if (rc != 0)
        return rc;
    copy_sized(&ctx->desc, sizeof(ctx->desc), theirs, theirs->size);
    if ((rc = check_members(&ctx->desc, reterr)) != 0)
        return rc;
    return ctx->desc.kind == EXECD_KIND_LANG ? take_lang(ctx, reterr) : take_scaler(ctx, reterr);
}
