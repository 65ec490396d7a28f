/* lang_puppet.c - the language of puppet.py: a build step with a compile service, a run step with a
 * pre-booted runtime, and a setting that says what one of these does wrong.
 *
 * A job's memory limit picks the variant of its runtime: there is one for each 32 MiB. */
#include "embed.h"
#include "test_lang.h"

EMBED(puppet, PUPPET_SCRIPT);

enum { PUPPET_ID = 910 };

static const struct execd_option options[] = {
    {"sin", EXECD_OPT_STRING, 0, "", "what the warm runtimes do wrong", 0, 0}};
static const char *const mounts[] = {"/usr/bin/python3", "/usr/lib/python3.11", "/usr/lib/python3.12",
                                     "/usr/lib/python3.13", NULL};
static const struct execd_language languages[] = {
    {.id = PUPPET_ID,
     .name = "Puppet",
     .file_name = "main.txt",
     .mounts = mounts,
     .selftest_source = "print self\nargs\nfiles\ncat\n",
     .selftest_output = "self\n[]\n['out', 'puppet.py'] ['prog']\n"}};
static const char *const env[] = {"LANG=C.UTF-8", NULL};

static int32_t puppet_create(const struct execd_host *host, struct execd_ctx *ctx,
                             const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    (void)ctx;
    return test_lang_create(host, values[0].string, ret_self, err);
}

static int32_t puppet_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                                uint32_t *ret_stride, struct execd_error *err)
{
    (void)self, (void)err;
    *ret = languages;
    *ret_count = 1;
    *ret_stride = sizeof(languages[0]);
    return EXECD_OK;
}

static int32_t puppet_plan(void *self, const struct execd_submission *s, struct execd_plan *plan,
                           struct execd_error *err)
{
    static const char *const compile[] = {"/usr/bin/python3", "-I", "-S", "puppet.py", "compile", NULL};
    static const char *const interpret[] = {"/usr/bin/python3", "-I", "-S", "puppet.py", "run", NULL};
    static const char *const keep[] = {"out", NULL};
    const struct test_lang *p = self;
    const struct execd_step build = {
        .size = sizeof(build),
        .phase = EXECD_PHASE_BUILD,
        .argv = compile,
        .env = env,
        .keep = keep,
        .profile = EXECD_PROFILE_STRICT,
        .warm = EXECD_WARM_SERVICE,
    };
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = interpret,
        .env = env,
        .profile = EXECD_PROFILE_STRICT,
        .flags = EXECD_STEP_ARGS,
        .warm = EXECD_WARM_PREBOOT,
        .warm_variant = (uint32_t)(s->memory_bytes >> 25),
    };

    if (p->host->plan_file(plan, EXECD_PHASE_BUILD | EXECD_PHASE_RUN, "puppet.py", EMBEDDED(puppet), 0444) !=
            EXECD_OK ||
        p->host->plan_file(plan, EXECD_PHASE_BUILD, "main.txt", s->source, 0444) != EXECD_OK ||
        p->host->plan_step(plan, &build) != EXECD_OK || p->host->plan_step(plan, &run) != EXECD_OK)
        return p->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t puppet_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    static const char *const argv[] = {"/usr/bin/python3", "--version", NULL};

    (void)language_id;
    return test_lang_plan(self, argv, env, NULL, (struct execd_bytes){0}, plan, err);
}

static int32_t puppet_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                             uint32_t size, struct execd_error *err)
{
    (void)self, (void)language_id, (void)output, (void)err;
    return test_lang_version("Puppet (1)", version, size);
}

static int32_t puppet_preboot(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                              struct execd_error *err)
{
    const struct test_lang *p = self;
    const char *const argv[] = {"/usr/bin/python3", "-I", "-S", ".boot", "preboot", p->option, NULL};

    (void)language_id, (void)variant;
    return test_lang_plan(p, argv, env, ".boot", EMBEDDED(puppet), plan, err);
}

static int32_t puppet_service(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                              struct execd_error *err)
{
    const struct test_lang *p = self;
    const char *const argv[] = {"/usr/bin/python3", "-I", "-S", ".boot", "service", p->option, NULL};

    (void)language_id, (void)variant;
    return test_lang_plan(p, argv, env, ".boot", EMBEDDED(puppet), plan, err);
}

static const struct execd_warm_ops puppet_warm = {
    .size = sizeof(puppet_warm),
    .preboot = puppet_preboot,
    .service = puppet_service,
};
static const struct execd_lang_ops puppet_ops = {
    .size = sizeof(puppet_ops),
    .languages = puppet_languages,
    .plan = puppet_plan,
    .probe = puppet_probe,
    .probed = puppet_probed,
    .warm = &puppet_warm,
};
static const struct execd_plugin puppet_plugin = {
    EXECD_PLUGIN_HEAD(EXECD_KIND_LANG),
    .name = "puppet",
    .version = "1",
    .options = options,
    .option_count = 1,
    .option_stride = sizeof(options[0]),
    .create = puppet_create,
    .destroy = test_lang_destroy,
    .lang = &puppet_ops,
};
EXECD_PLUGIN_DEFINE(puppet_plugin)
