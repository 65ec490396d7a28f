/* lang_hostile.c - languages of the attack suite alone: the submission has each stage to itself.
 *
 * A real compiler stands between a submission and the build step; here nothing does.  Language 900 runs
 * the submission as the build step (a program if it begins as ELF, else a script of /bin/sh), keeps `out`,
 * and runs /box/out.  A script's first line may name other paths to keep: "# keep: d/passwd out".  Languages
 * 901, 902 and 903 have no build step: they run the submission itself, a program or a script with #!, under
 * the system calls of the strict, the compiler's and the JIT's profile. */
#include "test_lang.h"

enum { STAGED = 900, STRICT = 901, COMPILER = 902, JIT = 903, KEEP_MAX = 8, KEEP_LINE_MAX = 512 };

#define SAYS_HOSTILE "#!/bin/sh\necho hostile\n"
#define LANGUAGE(id_, name_)                                                                                 \
    {                                                                                                        \
        .id = (id_), .name = (name_), .file_name = "main", .selftest_source = SAYS_HOSTILE,                  \
        .selftest_output = "hostile\n"                                                                       \
    }
/* A driver for C++, whose compiler the language C brings along; what a machine does not have is left out. */
static const char *const cxx[] = {"/usr/bin/g++",
                                  "/usr/bin/g++-12",
                                  "/usr/bin/g++-14",
                                  "/usr/bin/x86_64-linux-gnu-g++-12",
                                  "/usr/bin/x86_64-linux-gnu-g++-14",
                                  "/usr/bin/aarch64-linux-gnu-g++-12",
                                  "/usr/bin/aarch64-linux-gnu-g++-14",
                                  NULL};
static const struct execd_language languages[] = {
    {.id = STAGED,
     .name = "Hostile",
     .file_name = "main",
     .mounts = cxx,
     .selftest_source = "printf '#!/bin/sh\\necho hostile\\n' > out; chmod 755 out\n",
     .selftest_output = "hostile\n"},
    LANGUAGE(STRICT, "Hostile, strict"),
    LANGUAGE(COMPILER, "Hostile, compiler"),
    LANGUAGE(JIT, "Hostile, JIT"),
};

static const char *const env[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", "TMPDIR=/tmp", NULL};

static int32_t hostile_create(const struct execd_host *host, struct execd_ctx *ctx,
                              const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    (void)ctx, (void)values;
    return test_lang_create(host, NULL, ret_self, err);
}

static int32_t hostile_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                                 uint32_t *ret_stride, struct execd_error *err)
{
    (void)self, (void)err;
    *ret = languages;
    *ret_count = sizeof(languages) / sizeof(languages[0]);
    *ret_stride = sizeof(languages[0]);
    return EXECD_OK;
}

static int is_elf(struct execd_bytes source)
{
    return source.len >= 4 && memcmp(source.ptr, "\177ELF", 4) == 0;
}

/* The paths to keep, cut out of `line`, a copy of the source's beginning. */
static void kept_paths(struct execd_bytes source, char line[KEEP_LINE_MAX], const char *keep[KEEP_MAX + 1])
{
    static const char head[] = "# keep: ";
    size_t n = source.len < KEEP_LINE_MAX - 1 ? (size_t)source.len : KEEP_LINE_MAX - 1, count = 0;
    char *rest = NULL;

    memcpy(line, source.ptr, n);
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, head, sizeof(head) - 1) == 0)
        for (char *w = strtok_r(line + sizeof(head) - 1, " ", &rest); w != NULL && count < KEEP_MAX;
             w = strtok_r(NULL, " ", &rest))
            keep[count++] = w;
    if (count == 0)
        keep[count++] = "out";
    keep[count] = NULL;
}

static int32_t plan_staged(const struct test_lang *h, const struct execd_submission *s,
                           struct execd_plan *plan, struct execd_error *err)
{
    static const char *const script[] = {"/bin/sh", "main", NULL}, *const program[] = {"/box/main", NULL};
    static const char *const out[] = {"/box/out", NULL};
    const char *keep[KEEP_MAX + 1];
    char line[KEEP_LINE_MAX];
    const struct execd_step build = {
        .size = sizeof(build),
        .phase = EXECD_PHASE_BUILD,
        .argv = is_elf(s->source) ? program : script,
        .env = env,
        .keep = keep,
        .profile = EXECD_PROFILE_COMPILER,
    };
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = out,
        .env = env,
        .profile = EXECD_PROFILE_STRICT,
        .flags = EXECD_STEP_ARGS,
    };

    kept_paths(s->source, line, keep);
    if (h->host->plan_file(plan, EXECD_PHASE_BUILD, "main", s->source, 0555) != EXECD_OK ||
        h->host->plan_step(plan, &build) != EXECD_OK || h->host->plan_step(plan, &run) != EXECD_OK)
        return h->host->fail(err, EXECD_E_REQUEST, "the host refused the plan");
    return EXECD_OK;
}

static int32_t hostile_plan(void *self, const struct execd_submission *s, struct execd_plan *plan,
                            struct execd_error *err)
{
    static const char *const argv[] = {"/box/main", NULL};
    const struct test_lang *h = self;
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = env,
        .profile = EXECD_PROFILE_STRICT + (uint32_t)(s->language_id - STRICT),
        .flags = EXECD_STEP_ARGS,
    };

    if (s->language_id == STAGED)
        return plan_staged(h, s, plan, err);
    if (h->host->plan_file(plan, EXECD_PHASE_RUN, "main", s->source, 0555) != EXECD_OK ||
        h->host->plan_step(plan, &run) != EXECD_OK)
        return h->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t hostile_probe(void *self, int32_t language_id, struct execd_plan *plan,
                             struct execd_error *err)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo 1", NULL};

    (void)language_id;
    return test_lang_plan(self, argv, env, NULL, (struct execd_bytes){0}, plan, err);
}

static int32_t hostile_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                              uint32_t size, struct execd_error *err)
{
    (void)self, (void)language_id, (void)output, (void)err;
    return test_lang_version("Hostile (/bin/sh)", version, size);
}

static const struct execd_lang_ops hostile_ops = {
    .size = sizeof(hostile_ops),
    .languages = hostile_languages,
    .plan = hostile_plan,
    .probe = hostile_probe,
    .probed = hostile_probed,
};

static const struct execd_plugin hostile_plugin = {
    EXECD_PLUGIN_HEAD(EXECD_KIND_LANG), .name = "hostile",    .version = "1", .create = hostile_create,
    .destroy = test_lang_destroy,       .lang = &hostile_ops,
};
EXECD_PLUGIN_DEFINE(hostile_plugin)
