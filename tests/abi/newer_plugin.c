/* newer_plugin.c - a plugin of a later minor: its structs go on behind ours, and it can do without that. */
#include <execd/plugin.h>

#include <stddef.h>

static const struct execd_host *lent;

static int32_t create(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err)
{
    static int instance;

    (void)ctx;
    if (values[0].number != 3)
        return host->fail(err, EXECD_E_CONFIG, "the second option was read as the first");
    lent = host;
    *ret_self = &instance;
    return EXECD_OK;
}

static void destroy(void *self)
{
    (void)self;
}

struct newer_language {
    struct execd_language as_1_0;
    const char *since_1_1;
};

static int32_t languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                         uint32_t *ret_stride, struct execd_error *err)
{
    static const struct newer_language table[] = {
        {{910, 0, "Newer", "main.newer", 0, NULL, "x", "y\n"}, "more"},
        {{911, 0, "Newest", "main.newest", 0, NULL, "x", "y\n"}, "more"}};

    (void)self;
    (void)err;
    *ret = &table[0].as_1_0;
    *ret_count = 2;
    *ret_stride = sizeof(table[0]);
    return EXECD_OK;
}

struct newer_step {
    struct execd_step as_1_0;
    uint64_t since_1_1;
};

static int32_t plan_echo(struct execd_plan *plan)
{
    static const char *const argv[] = {"/bin/echo", "y", NULL};
    struct newer_step step = {{0, 0, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0}, 7};

    step.as_1_0.size = sizeof(step);
    step.as_1_0.phase = EXECD_PHASE_RUN;
    step.as_1_0.argv = argv;
    step.as_1_0.profile = EXECD_PROFILE_STRICT;
    return lent->plan_step(plan, &step.as_1_0);
}

static int32_t plan(void *self, const struct execd_submission *submission, struct execd_plan *p,
                    struct execd_error *err)
{
    (void)self;
    (void)submission;
    (void)err;
    return plan_echo(p);
}

static int32_t probe(void *self, int32_t language_id, struct execd_plan *p, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    (void)err;
    return plan_echo(p);
}

static int32_t probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                      uint32_t size, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    (void)output;
    (void)size;
    (void)err;
    version[0] = '1';
    version[1] = '\0';
    return EXECD_OK;
}

struct newer_option {
    struct execd_option as_1_0;
    uint64_t since_1_1;
};

static const struct newer_option options[] = {{{"first", EXECD_OPT_INT, 0, "3", "", 0, 0}, 1},
                                              {{"second", EXECD_OPT_INT, 0, "4", "", 0, 0}, 1}};

static const struct {
    struct execd_lang_ops as_1_0;
    void (*since_1_1)(void *);
} ops = {{sizeof(ops), 0, languages, plan, probe, probed, NULL, NULL}, destroy};

static const struct {
    struct execd_plugin as_1_0;
    void (*since_1_1)(void *);
} descriptor = {{EXECD_PLUGIN_MAGIC, sizeof(descriptor), 1, 7, 0, EXECD_KIND_LANG, 0, "newer", "1.7",
                 &options[0].as_1_0, 2, sizeof(options[0]), create, NULL, NULL, destroy, &ops.as_1_0, NULL},
                destroy};
EXECD_PLUGIN_DEFINE(descriptor.as_1_0)
