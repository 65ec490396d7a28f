/* plugin_variant_test.c - a warm runtime of the shipped languages is started by the command of the job that
 * it is for.
 *
 * A plan says which runtime fits by a number; whatever a job's limits are, the plan that is made from that
 * number alone must have the cold step's flags again. */
#include "plugin_test.h"

enum { NODE = 63, JAVA = 62 };

static struct plugin_set *set;

static int setup(void **state)
{
    static char *files[] = {(char *)(uintptr_t) "lang-node.so", (char *)(uintptr_t) "lang-java.so"};
    struct conf_plugin p[COUNT_OF(files)] = {0};
    struct err err = {0};

    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    if (stage_setup(state) != 0)
        return -1;
    stage(SHIPPED, "lang-node");
    stage(SHIPPED, "lang-java");
    for (size_t i = 0; i < COUNT_OF(p); i++)
        p[i].file = files[i];
    if (open_set(p, COUNT_OF(p), &set, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    plugin_set_free(set);
    return stage_teardown(state);
}

/* ---- limits of all sizes ----------------------------------------------------------------------- */

struct both {
    struct plugin_plan *cold, *warm;
};

static struct job job_with(int32_t id, uint64_t memory, uint64_t stack, uint64_t cpu_millis)
{
    struct job job = {.language_id = id, .limits = test_limits()};

    buf_adds(&job.source, "class Main { public static void main(String[] a) { } }");
    job.limits.memory_bytes = memory;
    job.limits.stack_bytes = stack;
    job.limits.cpu_millis = cpu_millis;
    return job;
}

static struct both plans(struct job *job, uint32_t way)
{
    struct plugin_lang *l = plugin_lang_find(set, job->language_id);
    const struct plugin_step *step;
    struct both b = {0};
    struct err err = {0};

    if (plugin_lang_plan(l, job, &b.cold, &err) != 0)
        fail_msg("%s", err.text);
    step = way == EXECD_WARM_SERVICE ? &b.cold->build : &b.cold->run;
    assert_int_equal(step->warm, way);
    if (plugin_lang_warm_plan(l, way, step->warm_variant, &b.warm, &err) != 0)
        fail_msg("%s", err.text);
    return b;
}

static void done(struct both *b, struct job *job)
{
    plugin_plan_freep(&b->cold);
    plugin_plan_freep(&b->warm);
    buf_done(&job->source);
}

static const uint64_t memories[] = {UINT64_C(16) << 20,  UINT64_C(129) << 20, 512000000,
                                    UINT64_C(512) << 20, UINT64_C(3) << 30,   UINT64_C(9) << 40};
static const uint64_t stacks[] = {0, 8 << 20, 17000000, 64 << 20, UINT64_C(1) << 32};
static const uint64_t shares[] = {0, 100, 1000, 1001, 64000};

typedef void (*check_fn)(struct job *job);

static void with_all(int32_t id, check_fn check)
{
    for (size_t m = 0; m < COUNT_OF(memories); m++)
        for (size_t s = 0; s < COUNT_OF(stacks); s++)
            for (size_t c = 0; c < COUNT_OF(shares); c++) {
                struct job job = job_with(id, memories[m], stacks[s], shares[c]);

                check(&job);
            }
}

/* ---- Node.js ------------------------------------------------------------------------------------- */

static void node_same(struct job *job)
{
    struct both b = plans(job, EXECD_WARM_PREBOOT);
    char **cold = b.cold->run.argv, **warm = b.warm->run.argv + 2; /* behind the program that becomes node */

    for (size_t i = 0; cold[i] != NULL || warm[i] != NULL; i++)
        assert_string_equal(cold[i], warm[i]);
    assert_int_equal(b.cold->run.extra_processes, b.warm->run.extra_processes);
    done(&b, job);
}

static void test_node(void **state)
{
    (void)state;
    with_all(NODE, node_same);
}

/* ---- Java ------------------------------------------------------------------------------------------ */

static void java_same(struct job *job)
{
    struct both b = plans(job, EXECD_WARM_PREBOOT);
    char **cold = b.cold->run.argv, **warm = b.warm->run.argv;

    for (size_t i = 0; cold[i] != NULL || warm[i] != NULL; i++)
        assert_string_equal(cold[i], warm[i]);
    assert_int_equal(b.cold->run.extra_processes, b.warm->run.extra_processes);
    done(&b, job);
}

static void test_java(void **state)
{
    (void)state;
    with_all(JAVA, java_same);
}

/* The heap of the javac that stays is that of one that would be started. */
static void test_javac(void **state)
{
    struct job job = job_with(JAVA, UINT64_C(256) << 20, 8 << 20, 0);
    struct both b = plans(&job, EXECD_WARM_SERVICE);

    (void)state;
    assert_memory_equal(b.cold->build.argv[1], "-J-Xmx", 6);
    assert_string_equal(b.cold->build.argv[1] + 2, b.warm->run.argv[1]);
    done(&b, &job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_java),
        cmocka_unit_test(test_javac),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
