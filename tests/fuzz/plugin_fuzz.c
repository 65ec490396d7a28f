/* plugin_fuzz.c - a plugin that says anything: descriptor, options, languages and plans made of the input.
 *
 * Every struct is a heap copy of exactly the size that it claims (a plugin that lies about its own memory is
 * beyond help), its integers are the input's, its pointers are NULL or lead to the input's words. */
#include "fuzz.h"
#include "plugin_internal.h"

#define BLOCKS_MAX 512
#define FAKE_ARGS 2

/* Memory that the plugin hands out; all of it is freed at the end. */
static void *blocks[BLOCKS_MAX];
static size_t block_count;
static struct feed input;

static void *block(size_t size)
{
    if (block_count == BLOCKS_MAX)
        return NULL;
    return blocks[block_count++] = mem_zero(1, MAX(size, (size_t)1));
}

static char *word(void)
{
    size_t len = feed_u8(&input), n;
    char *text;

    if (len >= 0xf8) /* NULL now and then */
        return NULL;
    n = MIN(len % 64, input.left);
    if ((text = block(n + 1)) != NULL)
        feed_fill(&input, text, n);
    return text;
}

static const char *const *words(void)
{
    size_t n = feed_u8(&input) % 8;
    const char **list;

    if (n == 7 || (list = block((n + 1) * sizeof(*list))) == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = word();
    return list;
}

/* ---- callbacks: what they answer is the input's as well ------------------------------------- */

static int32_t fake_create(const struct execd_host *host, struct execd_ctx *ctx,
                           const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    (void)host;
    (void)ctx;
    (void)values;
    (void)ret_self;
    (void)err;
    return EXECD_OK;
}

static void fake_destroy(void *self)
{
    (void)self;
}

static int32_t fail_maybe(struct execd_error *err)
{
    uint8_t how = feed_u8(&input);

    if (how < 0xe0)
        return EXECD_OK;
    feed_fill(&input, err->text, sizeof(err->text)); /* without its NUL, perhaps */
    return (int32_t)(how & 7) - 5;
}

static int32_t fake_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                              uint32_t *ret_stride, struct execd_error *err)
{
    uint32_t count = feed_u8(&input) % 4,
             stride = (uint32_t)sizeof(struct execd_language) + feed_u8(&input) % 3 * 8;
    char *table = block(count * stride);

    (void)self;
    for (uint32_t i = 0; i < count && table != NULL; i++) {
        struct execd_language l = {.id = (int32_t)feed_u8(&input) - 1,
                                   .flags = feed_u8(&input) == 0xff,
                                   .name = word(),
                                   .file_name = word(),
                                   .memory_min = feed_u32(&input),
                                   .mounts = words(),
                                   .selftest_source = word(),
                                   .selftest_output = word()};

        memcpy(table + i * stride, &l, sizeof(l));
    }
    *ret = feed_u8(&input) == 0xff ? NULL : (const struct execd_language *)(void *)table;
    *ret_count = feed_u8(&input) == 0xff ? feed_u32(&input) | 65 : count;
    *ret_stride = feed_u8(&input) == 0xff ? feed_u16(&input) % 64 : stride;
    return fail_maybe(err);
}

static void fake_step(struct execd_plan *plan)
{
    struct execd_step s = {.size = sizeof(s),
                           .phase = feed_u8(&input) % 4,
                           .argv = words(),
                           .env = words(),
                           .keep = words(),
                           .profile = feed_u8(&input) % 5,
                           .extra_processes = feed_u16(&input) % 8192,
                           .flags = feed_u8(&input) % 3,
                           .warm = feed_u8(&input) % 5,
                           .reserved = feed_u8(&input) == 0xff};
    uint8_t cut = feed_u8(&input);
    char *exact;

    if (cut >= 0xf0)
        s.size = MIN(s.size, 4u + cut % 16u * 8u);
    exact = fuzz_copy(&s, s.size);
    (void)plugin_plan_step(plan, feed_u8(&input) == 0xff ? NULL : (const struct execd_step *)(void *)exact);
    free(exact);
}

static int32_t fake_plan_fill(struct execd_plan *plan, struct execd_error *err)
{
    for (unsigned n = feed_u8(&input) % 6; n > 0; n--) {
        if (feed_u8(&input) % 2 == 0) {
            fake_step(plan);
        } else {
            uint32_t phases = feed_u8(&input) % 5, mode = feed_u16(&input) % 01100;
            char *path = word(), *body = word();
            struct execd_bytes b = {body, body == NULL ? feed_u8(&input) % 2 : strlen(body)};

            (void)plugin_plan_file(plan, phases, path, b, mode);
        }
    }
    return fail_maybe(err);
}

static int32_t fake_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                         struct execd_error *err)
{
    (void)self;
    FUZZ_CHECK(submission->size == sizeof(*submission) && submission->args != NULL);
    return fake_plan_fill(plan, err);
}

static int32_t fake_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    return fake_plan_fill(plan, err);
}

static int32_t fake_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                           uint32_t size, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    (void)output;
    feed_fill(&input, version, size);
    return fail_maybe(err);
}

static uint32_t fake_classify(void *self, const struct execd_outcome *outcome, uint32_t verdict)
{
    (void)self;
    (void)outcome;
    (void)verdict;
    return feed_u32(&input) % 12;
}

static int32_t fake_decide(void *self, const struct execd_observation *observation,
                           struct execd_advice *advice, struct execd_error *err)
{
    (void)self;
    (void)observation;
    (void)advice;
    (void)err;
    return EXECD_OK;
}

static int32_t fake_apply(void *self, uint32_t replicas, execd_apply_fn done, void *arg,
                          struct execd_error *err)
{
    (void)self;
    (void)replicas;
    (void)done;
    (void)arg;
    (void)err;
    return EXECD_OK;
}

/* ---- the descriptor ------------------------------------------------------------------------------ */

/* size bytes at most, the rest is another ABI's; *ret_size is what the struct says of itself. */
static uint32_t claimed(size_t ours, size_t least)
{
    uint8_t how = feed_u8(&input);
    size_t other = feed_length(&input, 2, 512);

    return (uint32_t)(how < 0xc0 ? ours : MAX(least, other));
}

static const void *sized(const void *bytes, size_t ours, uint32_t claims)
{
    char *exact = block(claims);

    if (exact != NULL)
        memcpy(exact, bytes, MIN(ours, (size_t)claims));
    return exact;
}

static const struct execd_lang_ops *lang_ops(void)
{
    uint8_t missing = feed_u8(&input);
    struct execd_lang_ops ops = {.languages = missing == 0xff ? NULL : fake_languages,
                                 .plan = missing == 0xfe ? NULL : fake_plan,
                                 .probe = missing == 0xfd ? NULL : fake_probe,
                                 .probed = missing == 0xfc ? NULL : fake_probed,
                                 .classify = missing >= 0xc0 ? NULL : fake_classify,
                                 .reserved = missing == 0xbf};

    ops.size = claimed(sizeof(ops), sizeof(ops.size));
    return sized(&ops, sizeof(ops), ops.size);
}

static const struct execd_scaler_ops *scaler_ops(void)
{
    uint8_t missing = feed_u8(&input);
    struct execd_scaler_ops ops = {.decide = missing == 0xff ? NULL : fake_decide,
                                   .apply = missing == 0xfe ? NULL : fake_apply};

    ops.size = claimed(sizeof(ops), sizeof(ops.size));
    return sized(&ops, sizeof(ops), ops.size);
}

static const struct execd_option *options(uint32_t *count, uint32_t *stride)
{
    uint32_t n = feed_u8(&input) % 6, width = (uint32_t)sizeof(struct execd_option) + feed_u8(&input) % 2 * 8;
    char *table = block(n * width);

    for (uint32_t i = 0; i < n && table != NULL; i++) {
        struct execd_option o = {.key = word(),
                                 .type = feed_u8(&input) % 9,
                                 .flags = feed_u8(&input) % 5,
                                 .fallback = word(),
                                 .help = word()};

        o.min = (int8_t)feed_u8(&input);
        o.max = (int8_t)feed_u8(&input);
        memcpy(table + i * width, &o, sizeof(o));
    }
    *count = feed_u8(&input) == 0xff ? 65 + feed_u32(&input) % 1000 : n;
    *stride = feed_u8(&input) == 0xff ? feed_u16(&input) % (uint32_t)sizeof(struct execd_option) : width;
    return feed_u8(&input) == 0xff ? NULL : (const struct execd_option *)(void *)table;
}

static const struct execd_plugin *descriptor(void)
{
    uint8_t how = feed_u8(&input);
    struct execd_plugin d = {.magic = how == 0xff ? feed_u32(&input) : EXECD_PLUGIN_MAGIC,
                             .abi_major = how == 0xfe ? feed_u16(&input) : EXECD_ABI_MAJOR,
                             .needs_host_minor = how == 0xfd ? feed_u32(&input) : 0,
                             .kind = how % 4,
                             .reserved = how == 0xfb,
                             .name = word(),
                             .version = word(),
                             .create = how == 0xfa ? NULL : fake_create,
                             .destroy = how == 0xf9 ? NULL : fake_destroy};

    d.options = options(&d.option_count, &d.option_stride);
    if (d.kind == EXECD_KIND_LANG || how >= 0xf0)
        d.lang = lang_ops();
    if (d.kind == EXECD_KIND_SCALER || how >= 0xf0)
        d.scaler = scaler_ops();
    d.size = claimed(sizeof(d), offsetof(struct execd_plugin, kind));
    return sized(&d, sizeof(d), d.size);
}

/* ---- what the operator set -------------------------------------------------------------------------- */

static void settings(struct conf_plugin *conf, const struct execd_ctx *ctx)
{
    static const char kinds[] = {'s', 'i', 'b', 'd'};

    conf->setting_count = feed_u8(&input) % 5;
    conf->settings = mem_zero(conf->setting_count + 1, sizeof(*conf->settings));
    for (size_t i = 0; i < conf->setting_count; i++) {
        struct conf_setting *s = &conf->settings[i];
        uint8_t which = feed_u8(&input);

        s->kind = kinds[feed_u8(&input) % sizeof(kinds)];
        s->key = mem_dup(ctx->desc.option_count > 0 && which < 0xc0
                             ? ctx->options[which % ctx->desc.option_count].key
                             : "unknown");
        s->s = s->kind == 's' ? feed_text(&input, 40) : NULL;
        s->i = (int64_t)feed_u32(&input) - INT32_MAX;
        s->line = (int)i + 1;
    }
}

static void settings_free(struct conf_plugin *conf)
{
    for (size_t i = 0; i < conf->setting_count; i++) {
        free(conf->settings[i].key);
        free(conf->settings[i].s);
    }
    free(conf->settings);
}

/* ---- a plugin's life ---------------------------------------------------------------------------------- */

static void refused_holds(const struct err *err)
{
    FUZZ_CHECK(err->code < 0 && err->text[0] != '\0' && memchr(err->text, '\0', sizeof(err->text)) != NULL);
}

static void step_holds(const struct plugin_step *s)
{
    FUZZ_CHECK(s->argv != NULL && s->argv[0] != NULL && s->argv[0][0] == '/');
    FUZZ_CHECK(s->profile >= EXECD_PROFILE_STRICT && s->profile <= EXECD_PROFILE_JIT);
    for (size_t i = 0; s->keep != NULL && s->keep[i] != NULL; i++)
        FUZZ_CHECK(s->keep[i][0] != '/' && strncmp(s->keep[i], "..", 3) != 0);
}

static void plan_holds(struct plugin_lang *l)
{
    CLEAN(plugin_plan_freep) struct plugin_plan *plan = NULL;
    CLEAN(job_freep) struct job *job = job_new();
    struct err err = {0};

    for (int i = 0; i < FAKE_ARGS; i++)
        FUZZ_CHECK(job_args_add(job, bytes_of("arg")) == 0);
    if (plugin_lang_plan(l, job, &plan, &err) != 0) {
        refused_holds(&err);
        return;
    }
    step_holds(&plan->run);
    if (plan->build.present)
        step_holds(&plan->build);
    for (size_t i = 0; i < plan->file_count; i++)
        FUZZ_CHECK(plugin_path_fault(plan->files[i].path) == NULL && plan->files[i].mode <= 0777);
}

static void lang_holds(struct plugin_lang *l)
{
    const struct job_limits limits = {.wall_ms = 1, .memory_bytes = 1};
    const struct job_measure measure = {.ran = true, .exit_code = 1};
    char version[64];
    struct err err = {0};

    plan_holds(l);
    if (plugin_lang_probed(l, bytes_of("1.0"), version, sizeof(version), &err) != 0)
        refused_holds(&err);
    else
        FUZZ_CHECK(version[0] != '\0' && strpbrk(version, "\n\t\r") == NULL);
    FUZZ_CHECK(plugin_lang_classify(l, PLUGIN_PHASE_RUN, &measure, &limits, bytes_of(""), JOB_RUNTIME_ERROR) <
               JOB_STATUS_COUNT);
}

static int load(struct execd_ctx *ctx, struct err *reterr)
{
    const struct execd_plugin *desc = descriptor();
    struct conf_plugin conf = {0};
    int rc;

    if (desc == NULL)
        return err_set(reterr, ERR_INTERNAL, "the input is used up");
    if ((rc = plugin_desc_take(desc, ctx, reterr)) != 0 || (rc = plugin_options_check(ctx, reterr)) != 0)
        return rc;
    settings(&conf, ctx);
    rc = plugin_options_take(ctx, &conf, reterr);
    settings_free(&conf);
    return rc == 0 && ctx->desc.kind == EXECD_KIND_LANG ? plugin_langs_add(ctx, reterr) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plugin_set set = {.limits_default = {.wall_ms = 1000, .memory_bytes = 1 << 20}};
    struct execd_ctx *ctx = NEW(struct execd_ctx);
    struct err err = {0};

    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    input = (struct feed){data, size};
    ctx->set = &set;
    ctx->fd = -1;
    pthread_mutex_init(&ctx->mutex, NULL);
    if (load(ctx, &err) != 0)
        refused_holds(&err);
    for (size_t i = 0; i < set.lang_count; i++)
        lang_holds(set.langs[i]);
    plugin_langs_free(&set);
    plugin_ctx_free(ctx);
    while (block_count > 0)
        free(blocks[--block_count]);
    return 0;
}
