/* plugin_lang_test.c - the shipped languages: their plans run for real (on the bare host), versions,
 * verdicts.
 *
 * The small runner here does with a plan what the worker does with cells: the build step in one
 * folder, what it keeps and the run step's files in another.  /box in argv[0] is that folder. */
#include "plugin_test.h"

enum { PYTHON = 71, NODE = 63, C = 50, JAVA = 62 };

static struct plugin_set *set;

static int setup(void **state)
{
    static char *files[] = {(char *)(uintptr_t) "lang-python.so", (char *)(uintptr_t) "lang-node.so",
                            (char *)(uintptr_t) "lang-c.so", (char *)(uintptr_t) "lang-java.so",
                            (char *)(uintptr_t) "selftest_mismatch.so"};
    struct conf_plugin p[COUNT_OF(files)] = {0};
    struct err err = {0};

    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    if (stage_setup(state) != 0)
        return -1;
    stage(SHIPPED, "lang-python");
    stage(SHIPPED, "lang-node");
    stage(SHIPPED, "lang-c");
    stage(SHIPPED, "lang-java");
    stage(SINS, "selftest_mismatch");
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

/* ---- the bare runner ------------------------------------------------------------------------- */

struct ran {
    struct buf out, err;
    int exit_code, signal;
};

static void ran_done(struct ran *r)
{
    buf_done(&r->out);
    buf_done(&r->err);
}

static char *box_new(void)
{
    char *box = mem_printf("%s/box-XXXXXX", stage_dir);

    assert_non_null(mkdtemp(box));
    return box;
}

static void box_fill(const char *box, const struct plugin_plan *plan, uint32_t phase)
{
    for (size_t i = 0; i < plan->file_count; i++) {
        CLEAN_FREE char *path = mem_printf("%s/%s", box, plan->files[i].path);

        if ((plan->files[i].phases & phase) != 0)
            write_file(path, plan->files[i].body.data, plan->files[i].body.len, plan->files[i].mode);
    }
}

static void child(const char *box, const struct plugin_step *step, char *const *env)
{
    CLEAN_FREE char *program = NULL;
    int in = open("/dev/null", O_RDONLY);
    int out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    if (strncmp(step->argv[0], "/box/", 5) == 0)
        program = mem_printf("%s%s", box, step->argv[0] + 4);
    execve(program != NULL ? program : step->argv[0], step->argv, env);
    _exit(126);
}

static struct ran run_step(const char *box, const struct plugin_step *step)
{
    static char *const none[] = {NULL};
    CLEAN_FREE char *out = mem_printf("%s/stdout", box);
    CLEAN_FREE char *err = mem_printf("%s/stderr", box);
    struct ran r = {.exit_code = -1};
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(box) != 0)
            _exit(125);
        child(box, step, step->env != NULL ? step->env : none);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        r.exit_code = WEXITSTATUS(status);
    else
        r.signal = WTERMSIG(status);
    r.out = read_file(out);
    r.err = read_file(err);
    return r;
}

/* Compiles if the plan says so and runs; what the compiler said goes to `ret_build` if it is there. */
static struct ran run_plan(const struct plugin_plan *plan, struct ran *ret_build)
{
    CLEAN_FREE char *build_box = box_new();
    CLEAN_FREE char *run_box = box_new();
    struct ran built = {0}, r;

    box_fill(run_box, plan, PLUGIN_PHASE_RUN);
    if (plan->build.present) {
        box_fill(build_box, plan, PLUGIN_PHASE_BUILD);
        built = run_step(build_box, &plan->build);
        for (char **k = plan->build.keep; built.exit_code == 0 && *k != NULL; k++) {
            CLEAN_FREE char *cmd = mem_printf("cp -r '%s/%s' '%s/'", build_box, *k, run_box);

            assert_int_equal(system(cmd), 0);
        }
    }
    if (ret_build != NULL)
        *ret_build = built;
    if (built.exit_code != 0 || ret_build == NULL)
        assert_int_equal(built.exit_code, 0);
    r = run_step(run_box, &plan->run);
    if (ret_build == NULL)
        ran_done(&built);
    return r;
}

static struct job make_job(int32_t id, const char *source)
{
    struct job job = {.language_id = id, .limits = test_limits()};

    assert_int_equal(buf_adds(&job.source, source), 0);
    return job;
}

static struct plugin_plan *plan_for(int32_t id, const char *source, struct job *job)
{
    struct plugin_plan *plan = NULL;
    struct err err = {0};

    *job = make_job(id, source);
    if (plugin_lang_plan(plugin_lang_find(set, id), job, &plan, &err) != 0)
        fail_msg("%s", err.text);
    return plan;
}

static struct ran run_source(int32_t id, const char *source, struct ran *ret_build)
{
    struct job job;
    struct plugin_plan *plan = plan_for(id, source, &job);
    struct ran r = run_plan(plan, ret_build);

    plugin_plan_freep(&plan);
    buf_done(&job.source);
    return r;
}

static void prints(int32_t id, const char *source, const char *expected)
{
    struct ran r = run_source(id, source, NULL);

    if (r.out.data == NULL || strcmp(r.out.data, expected) != 0)
        fail_msg("language %d printed `%s`, not `%s` (exit code %d): %s", id, r.out.data, expected,
                 r.exit_code, r.err.data);
    ran_done(&r);
}

/* ---- self-tests and versions --------------------------------------------------------------------- */

static bool selftest_holds(int32_t id)
{
    CLEAN_FREE char *source = NULL;
    struct bytes text, expected;
    struct ran r;
    bool same;

    plugin_lang_selftest(plugin_lang_find(set, id), &text, &expected);
    source = mem_printf("%.*s", (int)text.len, text.ptr);
    r = run_source(id, source, NULL);
    same =
        r.exit_code == 0 && r.out.len == expected.len && memcmp(r.out.data, expected.ptr, expected.len) == 0;
    ran_done(&r);
    return same;
}

static void test_selftests(void **state)
{
    (void)state;
    assert_true(selftest_holds(PYTHON));
    assert_true(selftest_holds(NODE));
    assert_true(selftest_holds(C));
    assert_true(selftest_holds(JAVA));
    assert_false(selftest_holds(1001)); /* the one that promises something else */
}

static void version_like(int32_t id, const char *head)
{
    struct plugin_lang *l = plugin_lang_find(set, id);
    struct plugin_plan *plan = NULL;
    struct err err = {0};
    char version[96];
    struct ran r;

    assert_int_equal(plugin_lang_probe_plan(l, &plan, &err), 0);
    r = run_plan(plan, NULL);
    if (plugin_lang_probed(l, (struct bytes){r.out.data, r.out.len}, version, sizeof(version), &err) != 0)
        fail_msg("%s", err.text);
    if (strncmp(version, head, strlen(head)) != 0 || version[strlen(version) - 1] != ')')
        fail_msg("version `%s` does not begin with `%s`", version, head);
    assert_string_equal(plugin_lang_version(l), version);
    ran_done(&r);
    plugin_plan_freep(&plan);
}

static void test_versions(void **state)
{
    (void)state;
    version_like(PYTHON, "Python (3.");
    version_like(NODE, "JavaScript (Node.js ");
    version_like(C, "C (GCC ");
    version_like(JAVA, "Java (");
}

static void test_versions_out_of_strange_output(void **state)
{
    static const char *const strange[] = {"",  "\n",     "command not found\n", " ",
                                          "v", "Python", "Python 2.7.18\n",     "x "};
    static const int32_t ids[] = {PYTHON, NODE, C, JAVA};
    struct err err = {0};
    char version[96];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct plugin_lang *l = plugin_lang_find(set, ids[i]);
        size_t refused = 0;

        for (size_t k = 0; k < COUNT_OF(strange); k++)
            refused += plugin_lang_probed(l, bytes_of(strange[k]), version, sizeof(version), &err) != 0;
        assert_in_range(refused, COUNT_OF(strange) - 1, COUNT_OF(strange)); /* gcc 2.7.18 would be one */
    }
    assert_int_equal(plugin_lang_probed(plugin_lang_find(set, PYTHON), bytes_of("sh: no python\n"), version,
                                        sizeof(version), &err),
                     ERR_CONFIG);
    assert_string_equal(err.text,
                        "plugin `python`, language 71: probed() failed: `/usr/bin/python3 --version` did not "
                        "answer `Python 3...`");
    assert_string_equal(plugin_lang_version(plugin_lang_find(set, PYTHON)), "");
    assert_int_equal(plugin_lang_probed(plugin_lang_find(set, C),
                                        bytes_of("gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nx 9\n"), version,
                                        sizeof(version), &err),
                     0);
    assert_string_equal(version, "C (GCC 12.2.0)");
    assert_int_equal(plugin_lang_probed(plugin_lang_find(set, C), bytes_of("Debian clang version 14.0.6\n"),
                                        version, sizeof(version), &err),
                     0);
    assert_string_equal(version, "C (Clang 14.0.6)");
    assert_int_equal(plugin_lang_probed(plugin_lang_find(set, JAVA),
                                        bytes_of("openjdk 17.0.15 2025-04-15\nOpen..."), version,
                                        sizeof(version), &err),
                     0);
    assert_string_equal(version, "Java (OpenJDK 17.0.15)");
}

/* ---- programs -------------------------------------------------------------------------------------- */

static void test_java_programs(void **state)
{
    (void)state;
    prints(JAVA,
           "package a.b;\nclass Helper { static int f() { return 7; } }\n"
           "public class Right { public static void main(String[] a) { System.out.println(Helper.f()); } }\n",
           "7\n");
    prints(JAVA,
           "class A { String s = \"class X { public static void main(String[] a) {} }\"; }\n"
           "record B(int x) { public static void main(String... a) { System.out.println(\"B\"); } }\n",
           "B\n");
}

static void test_c_says_warnings(void **state)
{
    struct ran built, r;

    (void)state;
    r = run_source(C,
                   "#include <math.h>\n#include <stdio.h>\nint main(int c, char **v)\n{\n    int unused;\n"
                   "    printf(\"%.3f\\n\", sqrt(c + 1.0));\n}\n",
                   &built);
    assert_non_null(strstr(built.err.data, "unused variable"));
    assert_null(strstr(built.err.data, "unused parameter"));
    assert_string_equal(r.out.data, "1.414\n");
    ran_done(&built);
    ran_done(&r);
}

/* The job's args stand behind the program, as they are. */
static void test_args(void **state)
{
    static const struct {
        int32_t id;
        const char *source;
    } programs[] = {
        {PYTHON, "import sys\nprint('|'.join(sys.argv[1:]))\n"},
        {NODE, "console.log(process.argv.slice(2).join('|'))\n"},
        {C, "#include <stdio.h>\nint main(int c, char **v) { printf(\"%s|%s|%s\\n\", v[1], v[2], v[3]); "
            "return c - 4; }\n"},
        {JAVA,
         "class A { public static void main(String[] a) { System.out.println(String.join(\"|\", a)); } }\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        static char *args[] = {(char *)(uintptr_t) "--version", (char *)(uintptr_t) "two words",
                               (char *)(uintptr_t) "", NULL};
        struct job job = make_job(programs[i].id, programs[i].source);
        struct plugin_plan *plan = NULL;
        struct err err = {0};
        struct ran r;

        job.args = args;
        job.arg_count = 3;
        assert_int_equal(plugin_lang_plan(plugin_lang_find(set, programs[i].id), &job, &plan, &err), 0);
        r = run_plan(plan, NULL);
        assert_string_equal(r.out.data, "--version|two words|\n");
        ran_done(&r);
        plugin_plan_freep(&plan);
        buf_done(&job.source);
    }
}

static void test_too_many_args(void **state)
{
    struct job job = make_job(PYTHON, "");
    struct plugin_plan *plan = NULL;
    struct err err = {0};
    char *args[5001] = {0};

    (void)state;
    for (size_t i = 0; i < 5000; i++)
        args[i] = (char *)(uintptr_t) "x";
    job.args = args;
    job.arg_count = 5000;
    assert_int_equal(plugin_lang_plan(plugin_lang_find(set, PYTHON), &job, &plan, &err), ERR_REQUEST);
    assert_string_equal(err.text, "args: 5000 of them, at most 4096");
    buf_done(&job.source);
}

static void test_java_name_too_long_is_the_submitters(void **state)
{
    CLEAN_FREE char *source = mem_printf("public class %0300d { }", 0);
    struct job job;
    struct plugin_plan *plan = NULL;
    struct err err = {0};

    (void)state;
    memset(source + strlen("public class "), 'a', 300);
    job = make_job(JAVA, source);
    assert_int_equal(plugin_lang_plan(plugin_lang_find(set, JAVA), &job, &plan, &err), ERR_REQUEST);
    assert_string_equal(err.text,
                        "source_code: the name of the class or of its package is longer than 200 bytes");
    buf_done(&job.source);
}

static void test_source_with_any_byte(void **state)
{
    struct job job = {.language_id = PYTHON, .limits = test_limits()};
    struct plugin_plan *plan = NULL;
    struct err err = {0};
    char all[256];

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    assert_int_equal(buf_add(&job.source, all, sizeof(all)), 0);
    assert_int_equal(plugin_lang_plan(plugin_lang_find(set, PYTHON), &job, &plan, &err), 0);
    assert_int_equal(plan->file_count, 1);
    assert_int_equal(plan->files[0].body.len, 256);
    assert_memory_equal(plan->files[0].body.data, all, 256);
    plugin_plan_freep(&plan);
    buf_done(&job.source);
}

static void test_profiles(void **state)
{
    static const struct {
        int32_t id;
        uint32_t build, run;
    } expected[] = {{PYTHON, 0, EXECD_PROFILE_STRICT},
                    {NODE, 0, EXECD_PROFILE_JIT},
                    {C, EXECD_PROFILE_COMPILER, EXECD_PROFILE_STRICT},
                    {JAVA, EXECD_PROFILE_JIT, EXECD_PROFILE_JIT}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        struct job job;
        struct plugin_plan *plan = plan_for(expected[i].id, "", &job);

        assert_int_equal(plan->build.present, expected[i].build != 0);
        assert_int_equal(plan->build.profile, expected[i].build);
        assert_int_equal(plan->run.profile, expected[i].run);
        plugin_plan_freep(&plan);
        buf_done(&job.source);
    }
}

/* ---- verdicts -------------------------------------------------------------------------------------- */

static enum job_status judge(int32_t id, int exit_code, int signal, uint64_t peak_mib, const char *tail,
                             enum job_status verdict)
{
    struct job_limits limits = test_limits(); /* 256 MiB */
    struct job_measure m = {
        .ran = true, .exit_code = exit_code, .signal = signal, .memory_bytes = peak_mib << 20};

    return plugin_lang_classify(plugin_lang_find(set, id),
                                verdict == JOB_COMPILE_ERROR ? PLUGIN_PHASE_BUILD : PLUGIN_PHASE_RUN, &m,
                                &limits, bytes_of(tail), verdict);
}

#define OOM                                                                                                  \
    "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat A.main(A.java:1)\n"
#define JAVAC_OOM                                                                                            \
    "\n\nThe system is out of resources.\nConsult the following stack trace for details.\n"                  \
    "java.lang.OutOfMemoryError: Java heap space\n\tat jdk.compiler/com.sun.tools.javac.X.y(Z.java:1)\n"
#define HEAP                                                                                                 \
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack " \
    "trace -----\n"
#define ERROR "Traceback (most recent call last):\n  File \"/box/main.py\", line 1\nMemoryError\n"

static void test_classify(void **state)
{
    const enum job_status rt = JOB_RUNTIME_ERROR, mem = JOB_MEMORY_LIMIT_EXCEEDED;

    (void)state;
    assert_int_equal(judge(JAVA, 1, 0, 200, OOM, rt), mem);
    assert_int_equal(judge(JAVA, 1, 0, 50, "noise\n" OOM, rt), mem); /* one huge array */
    assert_int_equal(judge(JAVA, 3, 0, 200, OOM, rt), rt);
    assert_int_equal(judge(JAVA, 1, 0, 200, "I print java.lang.OutOfMemoryError: ha\n", rt), rt);
    assert_int_equal(judge(JAVA, 1, 0, 200,
                           "Exception in thread \"main\" java.lang.OutOfMemoryError: unable to create "
                           "native thread\n",
                           rt),
                     rt);
    assert_int_equal(judge(JAVA, 1, 0, 200, "", rt), rt);
    assert_int_equal(judge(JAVA, 3, 0, 200, JAVAC_OOM, JOB_COMPILE_ERROR), mem);
    assert_int_equal(judge(JAVA, 1, 0, 200, JAVAC_OOM, JOB_COMPILE_ERROR), JOB_COMPILE_ERROR);
    assert_int_equal(judge(JAVA, 3, 0, 200, "error", JOB_COMPILE_ERROR), JOB_COMPILE_ERROR);
    assert_int_equal(judge(C, 1, 0, 200, JAVAC_OOM, JOB_COMPILE_ERROR), JOB_COMPILE_ERROR);
    assert_int_equal(judge(JAVA, 0, 0, 200, OOM, JOB_COMPLETED), JOB_COMPLETED);
    assert_int_equal(judge(JAVA, 0, 0, 200, OOM, JOB_WRONG_ANSWER), JOB_WRONG_ANSWER);
    assert_int_equal(judge(JAVA, -1, 9, 200, OOM, JOB_TIME_LIMIT_EXCEEDED), JOB_TIME_LIMIT_EXCEEDED);
    assert_int_equal(judge(NODE, -1, 6, 200, HEAP, rt), mem);
    assert_int_equal(judge(NODE, 134, 0, 200, HEAP, rt), mem);
    assert_int_equal(judge(NODE, 1, 0, 200, HEAP, rt), rt);
    assert_int_equal(judge(NODE, -1, 6, 10, HEAP, rt), rt);
    assert_int_equal(judge(NODE, -1, 6, 200, "abort", rt), rt);
    assert_int_equal(judge(PYTHON, 1, 0, 250, ERROR, rt), mem);
    assert_int_equal(judge(PYTHON, 1, 0, 250, "MemoryError: no\n", rt), mem);
    assert_int_equal(judge(PYTHON, 1, 0, 20, ERROR, rt), rt);
    assert_int_equal(judge(PYTHON, 1, 0, 250, ERROR "ValueError: x\n", rt), rt);
    assert_int_equal(judge(PYTHON, 1, 0, 250, "", rt), rt);
    assert_int_equal(judge(C, 1, 0, 250, ERROR, rt), rt); /* no classify at all */
    assert_int_equal(judge(1001, 1, 0, 250, ERROR, JOB_INTERNAL_ERROR), JOB_INTERNAL_ERROR);
}

/* What the runtimes say in fact, when their heap is at its end. */
static void test_real_heaps_end(void **state)
{
    struct ran r =
        run_source(JAVA,
                   "import java.util.*;\nclass H { public static void main(String[] a) { List<byte[]> l = "
                   "new ArrayList<>(); for (;;) l.add(new byte[1 << 20]); } }\n",
                   NULL);

    (void)state;
    assert_int_equal(judge(JAVA, r.exit_code, r.signal, 200, r.err.data, JOB_RUNTIME_ERROR),
                     JOB_MEMORY_LIMIT_EXCEEDED);
    ran_done(&r);
    r = run_source(NODE, "const a = []; for (;;) a.push('x'.repeat(100) + a.length);\n", NULL);
    assert_int_equal(judge(NODE, r.exit_code, r.signal, 200, r.err.data, JOB_RUNTIME_ERROR),
                     JOB_MEMORY_LIMIT_EXCEEDED);
    ran_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selftests),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_versions_out_of_strange_output),
        cmocka_unit_test(test_java_programs),
        cmocka_unit_test(test_c_says_warnings),
        cmocka_unit_test(test_args),
        cmocka_unit_test(test_too_many_args),
        cmocka_unit_test(test_java_name_too_long_is_the_submitters),
        cmocka_unit_test(test_source_with_any_byte),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_real_heaps_end),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
