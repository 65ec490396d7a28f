/* lang_c.c - C: the compiler in one cell, its program in the next. */
#include <execd/plugin.h>

#include <stdio.h>

#include "c_direct.h"
#include "c_warm.h"
#include "lang_util.h"

enum { C_ID = 50, FLAGS_MAX = 64, COMPILER_PROCESSES = 8 };
enum { OPT_COMPILER, OPT_FLAGS, OPT_LIBRARIES, OPT_DIRECT, OPT_COUNT };

struct c {
    const struct execd_host *host;
    struct execd_ctx *ctx;
    const char *compiler;
    char *words;                     /* flags and libraries, cut into words */
    const char *argv[FLAGS_MAX + 8]; /* the driver's */
    int direct;
    struct c_direct steps; /* the build step without the driver; script NULL: with it */
    struct mounts mounts;
    struct execd_language language;
};

static const struct execd_option options[OPT_COUNT] = {
    [OPT_COMPILER] = {"compiler", EXECD_OPT_PATH, 0, "/usr/bin/gcc",
                      "the C compiler, gcc or one that understands its flags", 0, 0},
    [OPT_FLAGS] = {"flags", EXECD_OPT_STRING, 0, "-O2 -std=gnu17 -Wall -Wextra -Wno-unused-parameter",
                   "flags before the source, separated by blanks", 0, 0},
    [OPT_LIBRARIES] = {"libraries", EXECD_OPT_STRING, 0, "-lm", "flags after the source, separated by blanks",
                       0, 0},
    [OPT_DIRECT] = {"direct", EXECD_OPT_BOOL, 0, "true",
                    "run the steps of gcc (cc1, as, a linker) without gcc itself where all of them are "
                    "understood, and with gold if that is installed and the flags name no linker",
                    0, 0},
};

static const char *const build_env[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", "TMPDIR=/tmp",
                                        NULL};
static const char *const run_env[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", NULL};
static const char *const kept[] = {"main", NULL};

/* ---- instance -------------------------------------------------------------------------- */

static void c_destroy(void *self)
{
    struct c *c = self;

    free(c->words);
    c_direct_done(&c->steps);
    mounts_done(&c->mounts);
    free(c);
}

/* compiler FLAGS -o main main.c LIBRARIES */
static int32_t make_argv(struct c *c, const struct execd_value *values, struct execd_error *err)
{
    const char *flags = values[OPT_FLAGS].string, *libraries = values[OPT_LIBRARIES].string;
    size_t flags_size = strlen(flags) + 1, libraries_size = strlen(libraries) + 1;
    int at = 0, n;

    c->words = malloc(flags_size + libraries_size);
    if (c->words == NULL)
        return c->host->fail(err, EXECD_E_INTERNAL, "no memory");
    memcpy(c->words, flags, flags_size);
    memcpy(c->words + flags_size, libraries, libraries_size);
    c->argv[at++] = c->compiler;
    n = words_cut(c->words, c->argv + at, FLAGS_MAX);
    if (n >= 0) {
        at += n;
        c->argv[at++] = "-o";
        c->argv[at++] = "main";
        c->argv[at++] = "main.c";
        n = words_cut(c->words + flags_size, c->argv + at, FLAGS_MAX - n);
    }
    if (n < 0)
        return c->host->fail(err, EXECD_E_CONFIG, "`flags` and `libraries` together: more than %d words",
                             FLAGS_MAX);
    return EXECD_OK;
}

/* The compiler, its passes and its start files, the headers, the assembler and the linkers. */
static void find_mounts(struct c *c, struct execd_ctx *ctx)
{
    static const char *const parts[] = {"/usr/lib/gcc",     "/usr/libexec/gcc", "/usr/include",
                                        "/usr/bin/as",      "/usr/bin/ld",      "/usr/bin/ld.bfd",
                                        "/usr/bin/ld.gold", "/usr/bin/ld.lld"};
    char real[PATH_MAX];

    mounts_program(&c->mounts, c->host, ctx, c->compiler, real);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        mounts_add(&c->mounts, "", parts[i], "");
}

static int32_t c_create(const struct execd_host *host, struct execd_ctx *ctx,
                        const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    struct c *c = calloc(1, sizeof(*c));
    int32_t rc;

    if (c == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    c->host = host;
    c->ctx = ctx;
    c->direct = values[OPT_DIRECT].number != 0;
    c->compiler = values[OPT_COMPILER].string;
    rc = make_argv(c, values, err);
    find_mounts(c, ctx);
    if (rc == EXECD_OK && c->mounts.failed)
        rc = host->fail(err, EXECD_E_INTERNAL, "no memory");
    if (rc != EXECD_OK) {
        c_destroy(c);
        return rc;
    }
    c->language = (struct execd_language){
        .id = C_ID,
        .name = "C",
        .file_name = "main.c",
        .memory_min = 4 * MIB,
        .mounts = (const char *const *)c->mounts.list,
        .selftest_source = "#include <math.h>\n#include <stdio.h>\n"
                           "int main(int argc, char **argv)\n{\n"
                           "    (void)argv;\n"
                           "    printf(\"c %.3f %d\\n\", sqrt(argc + 1.0), getchar());\n"
                           "    return 0;\n}\n",
        .selftest_output = "c 1.414 -1\n",
    };
    *ret_self = c;
    return EXECD_OK;
}

static int32_t c_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                           uint32_t *ret_stride, struct execd_error *err)
{
    struct c *c = self;

    (void)err;
    *ret = &c->language;
    *ret_count = 1;
    *ret_stride = sizeof(c->language);
    return EXECD_OK;
}

/* ---- plans -------------------------------------------------------------------------------- */

static int32_t c_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                      struct execd_error *err)
{
    static const char *const run_argv[] = {"/box/main", NULL};
    struct c *c = self;
    const char *const direct_argv[] = {"/bin/sh", "-c", c->steps.script, NULL};
    const int direct = c->steps.script != NULL && c_direct_fits(submission->source);
    const struct execd_step build = {
        .size = sizeof(build),
        .phase = EXECD_PHASE_BUILD,
        .argv = direct ? direct_argv : c->argv,
        .env = build_env,
        .keep = kept,
        .profile = EXECD_PROFILE_COMPILER,
        .extra_processes = COMPILER_PROCESSES,
        .warm = direct && c_warm_fits(&c->steps, submission->source) ? EXECD_WARM_ZYGOTE : EXECD_WARM_NONE,
    };
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = run_argv,
        .env = run_env,
        .profile = EXECD_PROFILE_STRICT,
        .flags = EXECD_STEP_ARGS,
    };

    if (c->host->plan_file(plan, EXECD_PHASE_BUILD, "main.c", submission->source, 0444) != EXECD_OK ||
        c->host->plan_step(plan, &build) != EXECD_OK || c->host->plan_step(plan, &run) != EXECD_OK)
        return c->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t c_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct c *c = self;
    const char *argv[FLAGS_MAX + 12] = {c->compiler, "--version", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = build_env,
        .profile = EXECD_PROFILE_COMPILER,
        .extra_processes = COMPILER_PROCESSES,
    };

    (void)language_id;
    if (c->direct) {
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        argv[2] = c_direct_probe;
        for (size_t i = 0; c->argv[i] != NULL; i++)
            argv[i + 3] = c->argv[i];
    }
    if (c->host->plan_step(plan, &step) != EXECD_OK)
        return c->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static void learn_steps(struct c *c, struct execd_bytes output)
{
    char why[160] = "";

    c_direct_done(&c->steps);
    if (c_direct_learn(output, c->argv, &c->steps, why, sizeof(why)) != 0)
        c->host->log(c->ctx, EXECD_LOG_INFO, "compiles by `%s` and not by its steps: %s", c->compiler, why);
}

/* The first line, as "gcc (Debian 12.2.0-14) 12.2.0" or "Debian clang version 14.0.6": its last word that
 * begins with a digit. */
static int32_t c_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                        uint32_t size, struct execd_error *err)
{
    struct c *c = self;
    char line[200];
    const char *number = NULL;
    size_t n = 0;

    (void)language_id;
    while (n < output.len && n < sizeof(line) - 1 && output.ptr[n] != '\n' && output.ptr[n] != '\0') {
        line[n] = output.ptr[n];
        n++;
    }
    line[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (line[i] >= '0' && line[i] <= '9' && (i == 0 || line[i - 1] == ' '))
            number = line + i;
    if (number == NULL)
        return c->host->fail(err, EXECD_E_CONFIG, "`%s --version` did not answer with a version",
                             c->compiler);
    snprintf(version, size, "C (%s %.*s)", strstr(line, "clang") != NULL ? "Clang" : "GCC",
             (int)strcspn(number, " "), number);
    if (c->direct)
        learn_steps(c, output);
    return EXECD_OK;
}

static int32_t c_zygote(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                        struct execd_error *err)
{
    struct c *c = self;

    (void)language_id;
    (void)variant;
    return c_warm_plan(c->host, &c->steps, build_env, COMPILER_PROCESSES, plan, err);
}

static const struct execd_warm_ops c_warm = {
    .size = sizeof(c_warm),
    .zygote = c_zygote,
};

static const struct execd_lang_ops c_ops = {
    .size = sizeof(c_ops),
    .languages = c_languages,
    .plan = c_plan,
    .probe = c_probe,
    .probed = c_probed,
    .warm = &c_warm,
};

static const struct execd_plugin c_plugin = {
    EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_LANG, 1u),
    .name = "c",
    .version = EXECD_VERSION,
    .options = options,
    .option_count = OPT_COUNT,
    .option_stride = sizeof(options[0]),
    .create = c_create,
    .destroy = c_destroy,
    .lang = &c_ops,
};
EXECD_PLUGIN_DEFINE(c_plugin)
