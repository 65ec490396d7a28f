/* lang_java.c - Java: javac in one cell, a JVM with a heap that fits the job's memory in the next. */
#include "lang_java.h"

#include <stdio.h>

#include "lang_util.h"

enum { JAVA_ID = 62, JVM_THREADS = 32, FLAGS_MAX = 64 };
enum { OPT_JAVA_HOME, OPT_JAVAC_FLAGS, OPT_JAVA_FLAGS, OPT_COUNT };

struct java {
    const struct execd_host *host;
    struct java_home home;
    char javac[528], java[528];
    char *words; /* the two options, cut into words */
    const char *javac_flags[FLAGS_MAX], *java_flags[FLAGS_MAX];
    int javac_flag_count, java_flag_count;
    const char *mounts[3];
    struct execd_language language;
};

static const struct execd_option options[OPT_COUNT] = {
    [OPT_JAVA_HOME] = {"java_home", EXECD_OPT_PATH, 0, NULL, "the JDK; by default the one of /usr/bin/javac",
                       0, 0},
    [OPT_JAVAC_FLAGS] = {"javac_flags", EXECD_OPT_STRING, 0, "", "more flags for javac, separated by blanks",
                         0, 0},
    [OPT_JAVA_FLAGS] = {"java_flags", EXECD_OPT_STRING, 0, "", "more flags for java, separated by blanks", 0,
                        0},
};

static const char *const environment[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", NULL};
static const char *const kept[] = {"classes", NULL};

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
    j->javac_flag_count = words_cut(j->words, j->javac_flags, FLAGS_MAX);
    j->java_flag_count = words_cut(j->words + javac_size, j->java_flags, FLAGS_MAX);
    if (j->javac_flag_count < 0 || j->java_flag_count < 0)
        return j->host->fail(err, EXECD_E_CONFIG, "`%s` has more than %d words",
                             j->javac_flag_count < 0 ? "javac_flags" : "java_flags", FLAGS_MAX);
    return EXECD_OK;
}

static void describe(struct java *j)
{
    size_t n = 0;

    snprintf(j->javac, sizeof(j->javac), "%s/bin/javac", j->home.path);
    snprintf(j->java, sizeof(j->java), "%s/bin/java", j->home.path);
    if (j->home.mount[0] != '\0')
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

static int32_t java_create(const struct execd_host *host, struct execd_ctx *ctx,
                           const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    struct java *j = calloc(1, sizeof(*j));
    int32_t rc;

    (void)ctx;
    if (j == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    j->host = host;
    rc = take_flags(j, values, err);
    if (rc == EXECD_OK)
        rc = java_home_find(host, values[OPT_JAVA_HOME].string, &j->home, err);
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

/* ---- plans -------------------------------------------------------------------------------- */

/* The heap of a JVM that may use so much: 48 MiB are its own, a quarter is for stacks, code and
 * classes.  So a heap that grows without end gets an OutOfMemoryError instead of being killed. */
static unsigned heap_mib(uint64_t memory_bytes)
{
    uint64_t mib = memory_bytes / MIB, heap = mib > 48 ? (mib - 48) / 4 * 3 : 0;

    if (heap < 16)
        heap = 16;
    return (unsigned)(heap > 1048576 ? 1048576 : heap);
}

/* Deep recursion is the program's right as far as the stack limit goes; but unwinding an overflow takes
 * HotSpot about seven times the stack, and a StackOverflowError should stay one. */
static unsigned stack_kib(const struct execd_submission *s)
{
    uint64_t bytes = s->stack_bytes;

    if (bytes > s->memory_bytes / 16)
        bytes = s->memory_bytes / 16;
    if (bytes > 64 * MIB)
        bytes = 64 * MIB;
    if (bytes < MIB)
        bytes = MIB;
    return (unsigned)(bytes / 1024);
}

static int32_t plan_build(const struct java *j, const struct execd_submission *s, const char *file,
                          struct execd_plan *plan)
{
    char heap[32];
    const char *argv[FLAGS_MAX + 16] = {
        j->javac,
        heap,
        "-J-XX:+UseSerialGC",
        "-J-XX:TieredStopAtLevel=1",
        "-J-XX:-UsePerfData",
        "-J-Xss8m",
        "-proc:none",
        "-encoding",
        "UTF-8",
        "-d",
        "classes",
    };
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_BUILD,
        .argv = argv,
        .env = environment,
        .keep = kept,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = JVM_THREADS,
    };
    size_t n = 0;

    snprintf(heap, sizeof(heap), "-J-Xmx%um", heap_mib(s->build_memory_bytes));
    while (argv[n] != NULL)
        n++;
    for (int i = 0; i < j->javac_flag_count; i++)
        argv[n++] = j->javac_flags[i];
    argv[n] = file;
    return j->host->plan_step(plan, &step);
}

static int32_t plan_run(const struct java *j, const struct execd_submission *s, const char *class_name,
                        struct execd_plan *plan)
{
    char heap[32], stack[32];
    const char *argv[FLAGS_MAX + 16] = {
        j->java, heap, stack, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:ErrorFile=/dev/null",
    };
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = environment,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = JVM_THREADS,
        .flags = EXECD_STEP_ARGS,
    };
    size_t n = 0;

    snprintf(heap, sizeof(heap), "-Xmx%um", heap_mib(s->memory_bytes));
    snprintf(stack, sizeof(stack), "-Xss%uk", stack_kib(s));
    while (argv[n] != NULL)
        n++;
    for (int i = 0; i < j->java_flag_count; i++)
        argv[n++] = j->java_flags[i];
    argv[n++] = "-cp";
    argv[n++] = "classes";
    argv[n] = class_name;
    return j->host->plan_step(plan, &step);
}

static int32_t java_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                         struct execd_error *err)
{
    struct java *j = self;
    struct java_names names;

    if (java_names_of(submission->source, &names) != 0)
        return j->host->fail(err, EXECD_E_REQUEST,
                             "source_code: the name of the class or of its package is longer than "
                             "%d bytes",
                             JAVA_NAME_MAX);
    if (j->host->plan_file(plan, EXECD_PHASE_BUILD, names.file, submission->source, 0444) != EXECD_OK ||
        plan_build(j, submission, names.file, plan) != EXECD_OK ||
        plan_run(j, submission, names.run, plan) != EXECD_OK)
        return j->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t java_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct java *j = self;
    const char *const argv[] = {j->java,     "-Xmx32m", "-XX:+UseSerialGC", "-XX:-UsePerfData",
                                "--version", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = environment,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = JVM_THREADS,
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

/* A JVM ends with 1 after an uncaught exception.  An OutOfMemoryError for want of a thread is none of
 * memory; a single allocation beyond the heap is one, though little was ever used. */
static uint32_t java_classify(void *self, const struct execd_outcome *o, uint32_t verdict)
{
    static const char error[] = "java.lang.OutOfMemoryError";

    (void)self;
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
};

static const struct execd_plugin java_plugin = {
    EXECD_PLUGIN_HEAD(EXECD_KIND_LANG),
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
