/* lang_java.c - Java: javac in one cell, a JVM with a heap that fits the job's memory in the next. */
#include "lang_java.h"

#include <stdio.h>
#include <unistd.h>

#include "lang_util.h"

enum { JAVA_ID = 62 };
enum { OPT_JAVA_HOME, OPT_JAVAC_FLAGS, OPT_JAVA_FLAGS, OPT_COUNT };

static const struct execd_option options[OPT_COUNT] = {
    [OPT_JAVA_HOME] = {"java_home", EXECD_OPT_PATH, 0, NULL, "the JDK; by default the one of /usr/bin/javac",
                       0, 0},
    [OPT_JAVAC_FLAGS] = {"javac_flags", EXECD_OPT_STRING, 0, "", "more flags for javac, separated by blanks",
                         0, 0},
    [OPT_JAVA_FLAGS] = {"java_flags", EXECD_OPT_STRING, 0, "", "more flags for java, separated by blanks", 0,
                        0},
};

/* ---- instance -------------------------------------------------------------------------- */

static void java_destroy(void *self)
{
    struct java *j = self;

    free(j->words);
    free(j);
}

static int32_t take_flags(struct java *j, const struct execd_value *values, struct execd_error *err)
{
    const char *javac = values[OPT_JAVAC_FLAGS].string, *java = values[OPT_JAVA_FLAGS].string;
    size_t javac_size = strlen(javac) + 1, java_size = strlen(java) + 1;

    j->words = malloc(javac_size + java_size);
    if (j->words == NULL)
        return j->host->fail(err, EXECD_E_INTERNAL, "no memory");
    memcpy(j->words, javac, javac_size);
    memcpy(j->words + javac_size, java, java_size);
    j->javac_flag_count = words_cut(j->words, j->javac_flags, JAVA_FLAGS_MAX);
    j->java_flag_count = words_cut(j->words + javac_size, j->java_flags, JAVA_FLAGS_MAX);
    if (j->javac_flag_count < 0 || j->java_flag_count < 0)
        return j->host->fail(err, EXECD_E_CONFIG, "`%s` has more than %d words",
                             j->javac_flag_count < 0 ? "javac_flags" : "java_flags", JAVA_FLAGS_MAX);
    return EXECD_OK;
}

static void describe(struct java *j)
{
    size_t n = 0;

    snprintf(j->javac, sizeof(j->javac), "%s/bin/javac", j->home.path);
    snprintf(j->java, sizeof(j->java), "%s/bin/java", j->home.path);
    j->mounts[n++] = j->home.mount;
    if (j->home.etc[0] != '\0')
        j->mounts[n++] = j->home.etc;
    j->language = (struct execd_language){
        .id = JAVA_ID,
        .name = "Java",
        .file_name = "Main.java",
        .memory_min = 128 * MIB,
        .mounts = j->mounts,
        .selftest_source = "import java.util.stream.*;\n"
                           "public class SelfTest {\n"
                           "    public static void main(String[] args) throws Exception {\n"
                           "        int sum = IntStream.rangeClosed(1, 9).sum();\n"
                           "        System.out.println(\"java \" + sum + \" \" + System.in.read());\n"
                           "    }\n}\n",
        .selftest_output = "java 45 -1\n",
    };
}

static unsigned cores_of_machine(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (unsigned)n;
}

static int32_t java_create(const struct execd_host *host, struct execd_ctx *ctx,
                           const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    struct java *j = calloc(1, sizeof(*j));
    int32_t rc;

    if (j == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    j->host = host;
    j->cores = cores_of_machine();
    rc = take_flags(j, values, err);
    if (rc == EXECD_OK)
        rc = java_home_find(host, ctx, values[OPT_JAVA_HOME].string, &j->home, err);
    if (rc != EXECD_OK) {
        java_destroy(j);
        return rc;
    }
    describe(j);
    *ret_self = j;
    return EXECD_OK;
}

static int32_t java_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                              uint32_t *ret_stride, struct execd_error *err)
{
    struct java *j = self;

    (void)err;
    *ret = &j->language;
    *ret_count = 1;
    *ret_stride = sizeof(j->language);
    return EXECD_OK;
}

/* ---- the probe ---------------------------------------------------------------------------- */

static int32_t java_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct java *j = self;
    const char *const argv[] = {j->java,     "-Xmx32m", "-XX:+UseSerialGC", "-XX:-UsePerfData",
                                "--version", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = java_environment,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = JAVA_THREADS,
    };

    (void)language_id;
    if (j->host->plan_step(plan, &step) != EXECD_OK)
        return j->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* "openjdk 17.0.15 2025-04-15\n..." */
static int32_t java_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                           uint32_t size, struct execd_error *err)
{
    struct java *j = self;
    uint64_t word = 0, from, end;

    (void)language_id;
    while (word < output.len && output.ptr[word] > ' ')
        word++;
    from = word + 1;
    for (end = from; end < output.len && output.ptr[end] > ' ';)
        end++;
    if (word == 0 || from >= output.len || output.ptr[from] < '0' || output.ptr[from] > '9')
        return j->host->fail(err, EXECD_E_CONFIG, "`%s --version` did not answer with a version", j->java);
    snprintf(version, size, "Java (%s %.*s)",
             bytes_find((struct execd_bytes){output.ptr, word}, "openjdk") != NULL ? "OpenJDK" : "JDK",
             (int)(end - from < 40 ? end - from : 40), output.ptr + from);
    return EXECD_OK;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* Does a line begin with `head` and have `words` in it? */
static int line_with(struct execd_bytes text, const char *head, const char *words)
{
    size_t n = strlen(head);

    for (uint64_t at = 0, end; at < text.len; at = end + 1) {
        for (end = at; end < text.len && text.ptr[end] != '\n';)
            end++;
        if (end - at >= n && memcmp(text.ptr + at, head, n) == 0 &&
            bytes_find((struct execd_bytes){text.ptr + at, end - at}, words) != NULL)
            return 1;
    }
    return 0;
}

/* javac ends with 3 when it ran out of something, and names it in a stack trace.  No source can make it end
 * so. */
static uint32_t classify_build(const struct execd_outcome *o, uint32_t verdict)
{
    return verdict == EXECD_VERDICT_COMPILE_ERROR && o->exit_code == 3 &&
                   bytes_find(o->stderr_tail, "java.lang.OutOfMemoryError") != NULL
               ? EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED
               : verdict;
}

/* A JVM ends with 1 after an uncaught exception.  An OutOfMemoryError for want of a thread is none of
 * memory; a single allocation beyond the heap is one, though little was ever used. */
static uint32_t java_classify(void *self, const struct execd_outcome *o, uint32_t verdict)
{
    static const char error[] = "java.lang.OutOfMemoryError";

    (void)self;
    if (o->phase == EXECD_PHASE_BUILD)
        return classify_build(o, verdict);
    if (verdict != EXECD_VERDICT_RUNTIME_ERROR || o->exit_code != 1 ||
        line_with(o->stderr_tail, "Exception in thread ", "unable to create native thread"))
        return verdict;
    if (line_with(o->stderr_tail, "Exception in thread ", error) ||
        line_with(o->stderr_tail, "Caused by: ", error) || line_with(o->stderr_tail, "Exception: ", error))
        return EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED;
    return verdict;
}

static const struct execd_lang_ops java_ops = {
    .size = sizeof(java_ops),
    .languages = java_languages,
    .plan = java_plan,
    .probe = java_probe,
    .probed = java_probed,
    .classify = java_classify,
    .warm = &java_warm,
};

static const struct execd_plugin java_plugin = {
    EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_LANG, 1u),
    .name = "java",
    .version = EXECD_VERSION,
    .options = options,
    .option_count = OPT_COUNT,
    .option_stride = sizeof(options[0]),
    .create = java_create,
    .destroy = java_destroy,
    .lang = &java_ops,
};
EXECD_PLUGIN_DEFINE(java_plugin)
