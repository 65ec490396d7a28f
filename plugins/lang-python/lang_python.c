/* lang_python.c - Python: one file, one interpreter, no build step; and the same interpreter as a zygote,
 * which is described in zygote/zygote_module.c. */
#include <execd/plugin.h>

#include <stdio.h>

#include "embed.h"
#include "lang_util.h"

EMBED(module, ZYGOTE_MODULE);
EMBED(script, ZYGOTE_SCRIPT);

enum { PYTHON_ID = 71 };
enum { OPT_INTERPRETER, OPT_COUNT };

struct python {
    const struct execd_host *host;
    const char *interpreter;
    char site[64]; /* where site looks below $HOME: ".local/lib/python3.11/site-packages"; "": not known */
    struct mounts mounts;
    struct execd_language language;
};

static const struct execd_option options[OPT_COUNT] = {
    [OPT_INTERPRETER] = {"interpreter", EXECD_OPT_PATH, 0, "/usr/bin/python3", "the python3 to run", 0, 0},
};

static const char *const environment[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", NULL};

/* ---- instance -------------------------------------------------------------------------- */

static void python_destroy(void *self)
{
    struct python *p = self;

    mounts_done(&p->mounts);
    free(p);
}

/* The interpreter, its library by its version ("/usr/lib/python3.11"), what apt and pip install for it. */
static void find_mounts(struct python *p, struct execd_ctx *ctx)
{
    char real[PATH_MAX], prefix[PATH_MAX];
    const char *name;

    mounts_program(&p->mounts, p->host, ctx, p->interpreter, real);
    if (real[0] == '\0')
        return;
    snprintf(prefix, sizeof(prefix), "%s", real);
    path_home(prefix);
    name = strrchr(real, '/');
    if (strncmp(name, "/python3.", 9) == 0 && strlen(name) < 16)
        snprintf(p->site, sizeof(p->site), ".local/lib%s/site-packages", name);
    mounts_add(&p->mounts, prefix, "/lib", name);
    mounts_add(&p->mounts, prefix, "/lib64", name);
    mounts_add(&p->mounts, prefix, "/lib/python3", "");
    mounts_add(&p->mounts, "/usr/local/lib", name, "/dist-packages");
}

static int32_t python_create(const struct execd_host *host, struct execd_ctx *ctx,
                             const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    struct python *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    p->host = host;
    p->interpreter = values[OPT_INTERPRETER].string;
    find_mounts(p, ctx);
    if (p->mounts.failed) {
        python_destroy(p);
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    }
    p->language = (struct execd_language){
        .id = PYTHON_ID,
        .name = "Python",
        .file_name = "main.py",
        .memory_min = 16 * MIB,
        .mounts = (const char *const *)p->mounts.list,
        .selftest_source = "import sys\nprint('python', sum(range(10)), repr(sys.stdin.read()))\n",
        .selftest_output = "python 45 ''\n",
    };
    *ret_self = p;
    return EXECD_OK;
}

static int32_t python_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                                uint32_t *ret_stride, struct execd_error *err)
{
    struct python *p = self;

    (void)err;
    *ret = &p->language;
    *ret_count = 1;
    *ret_stride = sizeof(p->language);
    return EXECD_OK;
}

/* ---- plans -------------------------------------------------------------------------------- */

static int32_t python_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                           struct execd_error *err)
{
    struct python *p = self;
    const char *const argv[] = {p->interpreter, "main.py", NULL};
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = environment,
        .profile = EXECD_PROFILE_STRICT,
        .flags = EXECD_STEP_ARGS,
        .warm = p->site[0] != '\0' ? EXECD_WARM_ZYGOTE : EXECD_WARM_NONE,
    };

    if (p->host->plan_file(plan, EXECD_PHASE_RUN, "main.py", submission->source, 0444) != EXECD_OK ||
        p->host->plan_step(plan, &run) != EXECD_OK)
        return p->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t python_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct python *p = self;
    const char *const argv[] = {p->interpreter, "--version", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = environment,
        .profile = EXECD_PROFILE_STRICT,
    };

    (void)language_id;
    if (p->host->plan_step(plan, &step) != EXECD_OK)
        return p->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* "Python 3.11.2\n" */
static int32_t python_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                             uint32_t size, struct execd_error *err)
{
    struct python *p = self;
    static const char said[] = "Python 3";
    uint64_t from = sizeof("Python ") - 1, len = 0;

    (void)language_id;
    if (output.len < sizeof(said) - 1 || memcmp(output.ptr, said, sizeof(said) - 1) != 0)
        return p->host->fail(err, EXECD_E_CONFIG, "`%s --version` did not answer `Python 3...`",
                             p->interpreter);
    while (from + len < output.len && output.ptr[from + len] > ' ')
        len++;
    snprintf(version, size, "Python (%.*s)", (int)(len < 40 ? len : 40), output.ptr + from);
    return EXECD_OK;
}

/* Started as a job is, with an empty main.py; site finds usercustomize.py. */
static int32_t python_zygote(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                             struct execd_error *err)
{
    struct python *p = self;
    const char *const argv[] = {p->interpreter, "main.py", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = environment,
        .profile = EXECD_PROFILE_STRICT,
    };
    char script[128], module[128];

    (void)language_id;
    (void)variant;
    snprintf(script, sizeof(script), "%s/usercustomize.py", p->site);
    snprintf(module, sizeof(module), "%s/_execd_zygote.abi3.so", p->site);
    if (p->host->plan_file(plan, EXECD_PHASE_RUN, "main.py", (struct execd_bytes){"", 0}, 0444) != EXECD_OK ||
        p->host->plan_file(plan, EXECD_PHASE_RUN, script, EMBEDDED(script), 0444) != EXECD_OK ||
        p->host->plan_file(plan, EXECD_PHASE_RUN, module, EMBEDDED(module), 0555) != EXECD_OK ||
        p->host->plan_step(plan, &step) != EXECD_OK)
        return p->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* Is `line` the last one that was written, or the beginning of it? */
static int last_line_is(struct execd_bytes text, const char *line)
{
    uint64_t end = text.len, from;
    size_t n = strlen(line);

    while (end > 0 && (text.ptr[end - 1] == '\n' || text.ptr[end - 1] == ' '))
        end--;
    from = end;
    while (from > 0 && text.ptr[from - 1] != '\n')
        from--;
    return end - from >= n && memcmp(text.ptr + from, line, n) == 0;
}

/* An uncaught MemoryError, believed only of a process that had used most of what it was given. */
static uint32_t python_classify(void *self, const struct execd_outcome *o, uint32_t verdict)
{
    (void)self;
    if (verdict == EXECD_VERDICT_RUNTIME_ERROR && o->exit_code == 1 && o->memory_bytes != 0 &&
        o->peak_bytes >= o->memory_bytes / 4 * 3 && last_line_is(o->stderr_tail, "MemoryError"))
        return EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED;
    return verdict;
}

static const struct execd_warm_ops python_warm = {
    .size = sizeof(python_warm),
    .zygote = python_zygote,
};

static const struct execd_lang_ops python_ops = {
    .size = sizeof(python_ops),
    .languages = python_languages,
    .plan = python_plan,
    .probe = python_probe,
    .probed = python_probed,
    .classify = python_classify,
    .warm = &python_warm,
};

static const struct execd_plugin python_plugin = {
    EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_LANG, 1u),
    .name = "python",
    .version = EXECD_VERSION,
    .options = options,
    .option_count = OPT_COUNT,
    .option_stride = sizeof(options[0]),
    .create = python_create,
    .destroy = python_destroy,
    .lang = &python_ops,
};
EXECD_PLUGIN_DEFINE(python_plugin)
