/* plugin_lang.c - languages: what plugins offer, their plans, versions and second thoughts on verdicts. */
#include "plugin_internal.h"

#define LANGUAGE_SIZE_1_0 (offsetof(struct execd_language, selftest_output) + sizeof(const char *))
#define TELL "report it to the plugin's author"
#define FILE_TEXT_MAX (64u << 10)

static void words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static void lang_free(struct plugin_lang *l)
{
    if (l == NULL)
        return;
    free(l->name);
    free(l->file_name);
    free(l->selftest_source);
    free(l->selftest_output);
    words_free(l->mounts);
    free(l);
}

void plugin_langs_free(struct plugin_set *set)
{
    for (size_t i = 0; i < set->lang_count; i++)
        lang_free(set->langs[i]);
    free(set->langs);
    words_free(set->mounts);
}

/* ---- plans ---------------------------------------------------------------------------------- */

static int lang_plan(struct plugin_lang *l, const struct job *job, struct plugin_plan **ret,
                     struct err *reterr)
{
    static const char *const no_args[] = {NULL};
    const struct job_limits *build = &l->ctx->set->limits_compile;
    struct execd_submission sub = {
        .size = sizeof(sub),
        .language_id = l->id,
        .arg_count = (uint32_t)job->arg_count,
        .source = {job->source.data != NULL ? job->source.data : "", job->source.len},
        .args = job->args != NULL ? (const char *const *)job->args : no_args,
        .wall_ms = job->limits.wall_ms,
        .cpu_ms = job->limits.cpu_ms,
        .memory_bytes = job->limits.memory_bytes,
        .stack_bytes = job->limits.stack_bytes,
        .processes = job->limits.processes,
        .output_bytes = job->limits.output_bytes,
        .build_wall_ms = build->wall_ms,
        .build_memory_bytes = build->memory_bytes,
        .cpu_millis = job->limits.cpu_millis,
    };
    struct execd_error error = {.size = sizeof(error)};
    struct execd_plan *plan = plugin_plan_begin(job->args, job->arg_count);
    uint64_t begun = clock_mono_ns();
    int32_t rc = l->ctx->lang.plan(l->ctx->self, &sub, plan, &error);

    plugin_slow_check(l->ctx, "plan", begun);
    return plugin_plan_end(plan, "plan", rc, &error, ret, reterr);
}

/* Whose plan it was, unless it is the submitter's to mend. */
static int name_fault(const struct plugin_lang *l, int rc, struct err *reterr)
{
    return rc == ERR_REQUEST ? rc : err_add(reterr, "plugin `%s`, language %d", l->ctx->desc.name, l->id);
}

int plugin_lang_plan(struct plugin_lang *l, const struct job *job, struct plugin_plan **ret,
                     struct err *reterr)
{
    int rc = lang_plan(l, job, ret, reterr);

    if (rc == 0 && l->ctx->cold)
        (*ret)->build.warm = (*ret)->run.warm = EXECD_WARM_NONE;
    return rc == 0 ? 0 : name_fault(l, rc, reterr);
}

static int probe_plan(struct plugin_lang *l, struct plugin_plan **ret, struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    struct execd_plan *plan = plugin_plan_begin(NULL, 0);
    int32_t rc = l->ctx->lang.probe(l->ctx->self, l->id, plan, &error);

    return plugin_plan_end(plan, "probe", rc, &error, ret, reterr);
}

int plugin_lang_probe_plan(struct plugin_lang *l, struct plugin_plan **ret, struct err *reterr)
{
    int rc = probe_plan(l, ret, reterr);

    if (rc == ERR_REQUEST) /* nobody submitted anything */
        reterr->code = ERR_INTERNAL;
    return rc == 0 ? 0 : err_add(reterr, "plugin `%s`, language %d", l->ctx->desc.name, l->id);
}

int plugin_lang_probed(struct plugin_lang *l, struct bytes output, char *version, size_t size,
                       struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    struct execd_bytes out = {output.ptr != NULL ? output.ptr : "", output.len};
    char text[sizeof(l->version)] = "";
    int32_t rc = l->ctx->lang.probed(l->ctx->self, l->id, out, text, sizeof(text), &error);
    int our_rc = 0;

    if (rc != EXECD_OK)
        our_rc = plugin_answer("probed", rc, &error, reterr);
    plugin_text(text, sizeof(text), l->version, sizeof(l->version));
    if (our_rc == 0 && l->version[0] == '\0')
        our_rc = err_set(reterr, ERR_INTERNAL, "probed() gave no version");
    if (our_rc != 0) {
        l->version[0] = '\0';
        if (reterr != NULL && our_rc == ERR_REQUEST)
            reterr->code = ERR_INTERNAL;
        return err_add(reterr, "plugin `%s`, language %d", l->ctx->desc.name, l->id);
    }
    plugin_text(l->version, sizeof(l->version), version, size);
    return 0;
}

/* ---- what a plugin offers --------------------------------------------------------------------- */

static bool text_fine(const char *s, size_t max)
{
    size_t n = s == NULL ? 0 : strnlen(s, max + 1);

    if (n == 0 || n > max || !utf8_valid(s, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static bool plain_absolute(const char *path)
{
    return path[0] == '/' && path[1] != '\0' && plugin_path_fault(path + 1) == NULL;
}

/* "[!]/host/path[:/path]" */
static bool mount_fine(const char *m)
{
    CLEAN_FREE char *from = mem_dup(m[0] == '!' ? m + 1 : m);
    char *colon = strstr(from, ":/");

    if (colon == NULL)
        return plain_absolute(from);
    *colon = '\0';
    return plain_absolute(from) && plain_absolute(colon + 1);
}

static int check_mounts(const struct execd_language *t, struct err *reterr)
{
    size_t n = 0;

    for (; t->mounts != NULL && t->mounts[n] != NULL; n++) {
        char shown[64];

        plugin_text(t->mounts[n], 60, shown, sizeof(shown));
        if (n == MOUNTS_MAX)
            return err_set(reterr, ERR_CONFIG, "its language %d has more than %d mounts; " TELL, t->id,
                           MOUNTS_MAX);
        if (!mount_fine(t->mounts[n]))
            return err_set(reterr, ERR_CONFIG,
                           "its language %d mounts `%s`, which is no plain absolute path; " TELL, t->id,
                           shown);
    }
    return 0;
}

static int check_language(const struct execd_ctx *ctx, const struct execd_language *t, struct err *reterr)
{
    const struct plugin_lang *other;
    int id = t->id;

    if (id <= 0)
        return err_set(reterr, ERR_CONFIG, "it offers a language with the id %d; ids are positive", id);
    other = plugin_lang_find(ctx->set, id);
    if (other != NULL && other->ctx == ctx)
        return err_set(reterr, ERR_CONFIG, "it offers the language %d twice; " TELL, id);
    if (other != NULL)
        return err_set(reterr, ERR_CONFIG,
                       "it offers the language %d, as plugin `%s` does; leave one of them out", id,
                       other->ctx->desc.name);
    if (!text_fine(t->name, 64))
        return err_set(reterr, ERR_CONFIG, "its language %d has no usable name; " TELL, id);
    if (!text_fine(t->file_name, 255) || strchr(t->file_name, '/') != NULL ||
        plugin_path_fault(t->file_name) != NULL)
        return err_set(reterr, ERR_CONFIG, "its language %d has no usable file_name; " TELL, id);
    if (t->flags != 0)
        return err_set(reterr, ERR_CONFIG, "its language %d has unknown flags 0x%x; install a newer execd",
                       id, t->flags);
    if (t->selftest_source == NULL || t->selftest_output == NULL || t->selftest_output[0] == '\0' ||
        strnlen(t->selftest_source, FILE_TEXT_MAX) == FILE_TEXT_MAX ||
        strnlen(t->selftest_output, FILE_TEXT_MAX) == FILE_TEXT_MAX)
        return err_set(reterr, ERR_CONFIG, "its language %d has no self-test; " TELL, id);
    return check_mounts(t, reterr);
}

/* One that may be left out must not keep the cells of the others from being built. */
static const char *mount_text(const struct execd_ctx *ctx, const char *m)
{
    return ctx->optional && m[0] == '!' ? m + 1 : m;
}

static struct plugin_lang *lang_new(struct execd_ctx *ctx, const struct execd_language *t)
{
    struct plugin_lang *l = NEW(struct plugin_lang);
    size_t n = 0;

    l->ctx = ctx;
    l->id = t->id;
    l->name = mem_dup(t->name);
    l->file_name = mem_dup(t->file_name);
    l->selftest_source = mem_dup(t->selftest_source);
    l->selftest_output = mem_dup(t->selftest_output);
    l->memory_min = t->memory_min;
    l->mounts = mem_zero(MOUNTS_MAX + 1, sizeof(char *));
    for (; t->mounts != NULL && t->mounts[n] != NULL; n++)
        l->mounts[n] = mem_dup(mount_text(ctx, t->mounts[n]));
    return l;
}

static void set_add(struct plugin_set *set, struct plugin_lang *l)
{
    struct plugin_lang **grown = mem_zero(set->lang_count + 1, sizeof(struct plugin_lang *));

    if (set->lang_count > 0)
        memcpy(grown, set->langs, set->lang_count * sizeof(struct plugin_lang *));
    grown[set->lang_count++] = l;
    free(set->langs);
    set->langs = grown;
}

static int take_table(struct execd_ctx *ctx, const struct execd_language *table, uint32_t count,
                      uint32_t stride, struct err *reterr)
{
    int rc;

    if (count == 0)
        return err_set(reterr, ERR_CONFIG, "it offers no languages; " TELL);
    if (table == NULL || count > LANGUAGES_MAX || stride < LANGUAGE_SIZE_1_0 || stride > STRIDE_MAX ||
        stride % _Alignof(struct execd_language) != 0)
        return err_set(reterr, ERR_CONFIG,
                       "its table of languages is impossible (%u of them, %u bytes each); " TELL, count,
                       stride);
    for (size_t i = 0; i < count; i++) {
        struct execd_language t = {0};

        memcpy(&t, (const char *)table + i * stride, MIN(sizeof(t), (size_t)stride));
        if ((rc = check_language(ctx, &t, reterr)) != 0)
            return rc;
        set_add(ctx->set, lang_new(ctx, &t));
    }
    return 0;
}

/* ---- trying the plans -------------------------------------------------------------------------- */

static int try_selftest(struct plugin_lang *l, const char *source, struct plugin_plan **ret,
                        struct err *reterr)
{
    struct job job = {.language_id = l->id, .limits = l->ctx->set->limits_default};
    int rc;

    job.limits.memory_bytes = MAX(job.limits.memory_bytes, l->memory_min);
    if (buf_adds(&job.source, source) != 0)
        return err_set(reterr, ERR_INTERNAL, "no memory");
    rc = lang_plan(l, &job, ret, reterr);
    buf_done(&job.source);
    return rc;
}

/* A plan that can never work is refused now and not at the first job. */
static int try_plans(struct plugin_lang *l, struct err *reterr)
{
    CLEAN(plugin_plan_freep) struct plugin_plan *first = NULL;
    CLEAN(plugin_plan_freep) struct plugin_plan *second = NULL;
    CLEAN(plugin_plan_freep) struct plugin_plan *probe = NULL;
    struct err e = {0};

    if (try_selftest(l, l->selftest_source, &first, &e) != 0 ||
        try_selftest(l, l->selftest_source, &second, &e) != 0)
        return err_set(reterr, ERR_CONFIG, "language %d: the plan of its self-test is refused: %s; " TELL,
                       l->id, e.text);
    if (!plugin_plan_same(first, second))
        return err_set(reterr, ERR_CONFIG,
                       "language %d: plan() answers the same question in two ways, it must be pure; " TELL,
                       l->id);
    if (probe_plan(l, &probe, &e) != 0)
        return err_set(reterr, ERR_CONFIG, "language %d: the plan of its probe is refused: %s; " TELL, l->id,
                       e.text);
    if (probe->build.present)
        return err_set(reterr, ERR_CONFIG, "language %d: its probe plans a build step; " TELL, l->id);
    return plugin_warm_try(l, first, reterr);
}

int plugin_langs_add(struct execd_ctx *ctx, struct err *reterr)
{
    struct execd_error error = {.size = sizeof(error)};
    const struct execd_language *table = NULL;
    uint32_t count = 0, stride = 0;
    size_t before = ctx->set->lang_count;
    int32_t rc = ctx->lang.languages(ctx->self, &table, &count, &stride, &error);
    int our_rc;

    if (rc != EXECD_OK) {
        plugin_answer("languages", rc, &error, reterr);
        return err_set(reterr, ERR_CONFIG, "languages() failed: %.200s; " TELL,
                       error.text[0] != '\0' ? error.text : "no reason given");
    }
    our_rc = take_table(ctx, table, count, stride, reterr);
    for (size_t i = before; i < ctx->set->lang_count && our_rc == 0; i++)
        our_rc = try_plans(ctx->set->langs[i], reterr);
    while (our_rc != 0 && ctx->set->lang_count > before)
        lang_free(ctx->set->langs[--ctx->set->lang_count]);
    return our_rc;
}

/* ---- what the worker asks ------------------------------------------------------------------------- */

size_t plugin_lang_count(const struct plugin_set *set)
{
    return set->lang_count;
}

struct plugin_lang *plugin_lang_at(const struct plugin_set *set, size_t i)
{
    return i < set->lang_count ? set->langs[i] : NULL;
}

struct plugin_lang *plugin_lang_find(const struct plugin_set *set, int32_t id)
{
    for (size_t i = 0; i < set->lang_count; i++)
        if (set->langs[i]->id == id)
            return set->langs[i];
    return NULL;
}

int32_t plugin_lang_id(const struct plugin_lang *l)
{
    return l->id;
}

const char *plugin_lang_name(const struct plugin_lang *l)
{
    return l->name;
}

const char *plugin_lang_file_name(const struct plugin_lang *l)
{
    return l->file_name;
}

const char *plugin_lang_plugin(const struct plugin_lang *l)
{
    return l->ctx->desc.name;
}

const char *plugin_lang_plugin_version(const struct plugin_lang *l)
{
    return l->ctx->desc.version;
}

bool plugin_lang_optional(const struct plugin_lang *l)
{
    return l->ctx->optional;
}

uint64_t plugin_lang_memory_min(const struct plugin_lang *l)
{
    return l->memory_min;
}

const char *plugin_lang_version(const struct plugin_lang *l)
{
    return l->version;
}

void plugin_lang_selftest(const struct plugin_lang *l, struct bytes *ret_source, struct bytes *ret_output)
{
    *ret_source = bytes_of(l->selftest_source);
    *ret_output = bytes_of(l->selftest_output);
}

/* ---- verdicts ----------------------------------------------------------------------------------------- */

static const struct {
    enum job_status ours;
    uint32_t theirs;
} verdicts[] = {
    {JOB_COMPLETED, EXECD_VERDICT_COMPLETED},
    {JOB_COMPILE_ERROR, EXECD_VERDICT_COMPILE_ERROR},
    {JOB_RUNTIME_ERROR, EXECD_VERDICT_RUNTIME_ERROR},
    {JOB_TIME_LIMIT_EXCEEDED, EXECD_VERDICT_TIME_LIMIT_EXCEEDED},
    {JOB_MEMORY_LIMIT_EXCEEDED, EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED},
    {JOB_OUTPUT_LIMIT_EXCEEDED, EXECD_VERDICT_OUTPUT_LIMIT_EXCEEDED},
    {JOB_WRONG_ANSWER, EXECD_VERDICT_WRONG_ANSWER},
    {JOB_CANCELLED, EXECD_VERDICT_CANCELLED},
    {JOB_INTERNAL_ERROR, EXECD_VERDICT_INTERNAL_ERROR},
};

/* What a program or its compiler wrote may move a verdict from one of its own faults to another, never to
 * success and never to our fault. */
static enum job_status refined(uint32_t answer, enum job_status verdict)
{
    if (verdict != JOB_RUNTIME_ERROR && verdict != JOB_COMPILE_ERROR)
        return verdict;
    switch (answer) {
    case EXECD_VERDICT_TIME_LIMIT_EXCEEDED:
        return JOB_TIME_LIMIT_EXCEEDED;
    case EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED:
        return JOB_MEMORY_LIMIT_EXCEEDED;
    case EXECD_VERDICT_OUTPUT_LIMIT_EXCEEDED:
        return JOB_OUTPUT_LIMIT_EXCEEDED;
    default:
        return verdict;
    }
}

enum job_status plugin_lang_classify(struct plugin_lang *l, uint32_t phase, const struct job_measure *m,
                                     const struct job_limits *limits, struct bytes stderr_tail,
                                     enum job_status verdict)
{
    struct execd_outcome o = {
        .size = sizeof(o),
        .phase = phase,
        .language_id = l->id,
        .exit_code = m->exit_code,
        .term_signal = m->signal,
        .wall_ms = m->wall_ns / 1000000u,
        .cpu_ms = m->cpu_ns / 1000000u,
        .peak_bytes = m->memory_bytes,
        .memory_bytes = limits->memory_bytes,
        .stderr_tail = {stderr_tail.ptr != NULL ? stderr_tail.ptr : "", stderr_tail.len},
    };
    uint64_t begun = clock_mono_ns();
    uint32_t theirs = 0, answer;

    if (l->ctx->lang.classify == NULL)
        return verdict;
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        if (verdicts[i].ours == verdict)
            theirs = verdicts[i].theirs;
    if (theirs == 0) /* not a verdict */
        return verdict;
    answer = l->ctx->lang.classify(l->ctx->self, &o, theirs);
    plugin_slow_check(l->ctx, "classify", begun);
    return refined(answer, verdict);
}
