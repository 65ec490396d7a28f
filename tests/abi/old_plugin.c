/* old_plugin.c - a plugin that was built against ABI 1.0 as it was released; every later execd loads it. */
#include <execd/plugin.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct old {
    const struct execd_host *host;
    const char *greeting;
};

static const struct execd_option options[] = {
    {"greeting", EXECD_OPT_STRING, 0, "hello", "what it says", 0, 0},
};

static int32_t old_create(const struct execd_host *host, struct execd_ctx *ctx,
                          const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    struct old *o = (struct old *)calloc(1, sizeof(*o));

    (void)ctx;
    if (o == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    o->host = host;
    o->greeting = values[0].string;
    *ret_self = o;
    return EXECD_OK;
}

static void old_destroy(void *self)
{
    free(self);
}

static int32_t old_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                             uint32_t *ret_stride, struct execd_error *err)
{
    static const struct execd_language table[] = {{900, 0, "Old", "main.old", 1048576, NULL, "x", "hello\n"},
                                                  {901, 0, "Older", "main.older", 0, NULL, "y", "hello\n"}};

    (void)self;
    (void)err;
    *ret = table;
    *ret_count = 2;
    *ret_stride = sizeof(table[0]);
    return EXECD_OK;
}

static int32_t old_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                        struct execd_error *err)
{
    struct old *o = (struct old *)self;
    const char *argv[3];
    struct execd_step step;

    if (submission->source.len == 0)
        return o->host->fail(err, EXECD_E_REQUEST, "source_code: empty");
    argv[0] = "/bin/echo";
    argv[1] = o->greeting;
    argv[2] = NULL;
    memset(&step, 0, sizeof(step));
    step.size = sizeof(step);
    step.phase = EXECD_PHASE_RUN;
    step.argv = argv;
    step.profile = EXECD_PROFILE_STRICT;
    if (EXECD_CAN(o->host, struct execd_host, http_start)) /* asked for, and not needed */
        step.extra_processes = 0;
    if (o->host->plan_file(plan, EXECD_PHASE_RUN, "main.old", submission->source, 0444) != EXECD_OK ||
        o->host->plan_step(plan, &step) != EXECD_OK)
        return o->host->fail(err, EXECD_E_INTERNAL, "refused");
    return EXECD_OK;
}

static int32_t old_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct execd_submission s;

    memset(&s, 0, sizeof(s));
    s.size = sizeof(s);
    s.language_id = language_id;
    s.source.ptr = "z";
    s.source.len = 1;
    return old_plan(self, &s, plan, err);
}

static int32_t old_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                          uint32_t size, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    (void)err;
    memset(version, 0, size);
    memcpy(version, output.ptr, output.len < size ? (size_t)output.len : size - 1);
    return EXECD_OK;
}

static uint32_t old_classify(void *self, const struct execd_outcome *outcome, uint32_t verdict)
{
    (void)self;
    return outcome->exit_code == 42 ? (uint32_t)EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED : verdict;
}

static const struct execd_lang_ops old_ops = {
    sizeof(old_ops), 0, old_languages, old_plan, old_probe, old_probed, old_classify, NULL,
};

static const struct execd_plugin old_plugin = {
    EXECD_PLUGIN_HEAD(EXECD_KIND_LANG),
    "old",
    "1.0",
    options,
    1,
    sizeof(options[0]),
    old_create,
    NULL,
    NULL,
    old_destroy,
    &old_ops,
    NULL,
};
EXECD_PLUGIN_DEFINE(old_plugin)
