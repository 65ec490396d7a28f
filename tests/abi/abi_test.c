/* abi_test.c - plugins of other times: one built against the frozen 1.0, one of a minor that is still to
 * come. */
#include "plugin_test.h"

static struct plugin_set *set;

static int setup(void **state)
{
    struct conf_setting greeting = {
        .key = (char *)(uintptr_t) "greeting", .kind = 's', .s = (char *)(uintptr_t) "hi", .line = 3};
    struct conf_plugin p[] = {
        {.file = (char *)(uintptr_t) "old_plugin.so", .settings = &greeting, .setting_count = 1},
        {.file = (char *)(uintptr_t) "newer_plugin.so"}};
    struct err err = {0};

    if (stage_setup(state) != 0)
        return -1;
    stage(ABI_PLUGIN_DIR, "old_plugin");
    stage(ABI_PLUGIN_DIR, "newer_plugin");
    if (open_set(p, 2, &set, &err) != 0) {
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

static void test_old_plugin(void **state)
{
    struct plugin_lang *l = plugin_lang_find(set, 900);
    struct job job = {.language_id = 900, .limits = test_limits()};
    struct job_measure m = {.ran = true, .exit_code = 42};
    struct plugin_plan *plan = NULL;
    struct err err = {0};
    char version[16];

    (void)state;
    assert_non_null(l);
    assert_non_null(plugin_lang_find(set, 901));
    assert_string_equal(plugin_lang_file_name(l), "main.old");
    assert_int_equal(plugin_lang_memory_min(l), 1048576);
    assert_int_equal(plugin_lang_plan(l, &job, &plan, &err), ERR_REQUEST);
    assert_string_equal(err.text, "source_code: empty");
    assert_int_equal(buf_adds(&job.source, "s"), 0);
    assert_int_equal(plugin_lang_plan(l, &job, &plan, &err), 0);
    assert_string_equal(plan->run.argv[0], "/bin/echo");
    assert_string_equal(plan->run.argv[1], "hi");
    assert_null(plan->run.argv[2]);
    assert_string_equal(plan->files[0].path, "main.old");
    assert_int_equal(plugin_lang_probed(l, bytes_of("9.8"), version, sizeof(version), &err), 0);
    assert_string_equal(version, "9.8");
    assert_int_equal(
        plugin_lang_classify(l, PLUGIN_PHASE_RUN, &m, &job.limits, bytes_of(""), JOB_RUNTIME_ERROR),
        JOB_MEMORY_LIMIT_EXCEEDED);
    assert_int_equal(
        plugin_lang_classify(l, PLUGIN_PHASE_RUN, &m, &job.limits, bytes_of(""), JOB_WRONG_ANSWER),
        JOB_WRONG_ANSWER);
    plugin_plan_freep(&plan);
    buf_done(&job.source);
}

static void test_newer_plugin(void **state)
{
    struct plugin_lang *l = plugin_lang_find(set, 911);
    struct job job = {.language_id = 911, .limits = test_limits()};
    struct plugin_plan *plan = NULL;
    struct err err = {0};

    (void)state;
    assert_non_null(l);
    assert_string_equal(plugin_lang_name(plugin_lang_find(set, 910)), "Newer");
    assert_string_equal(plugin_lang_name(l), "Newest");
    assert_int_equal(plugin_lang_plan(l, &job, &plan, &err), 0);
    assert_string_equal(plan->run.argv[1], "y");
    plugin_plan_freep(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_plugin),
        cmocka_unit_test(test_newer_plugin),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
