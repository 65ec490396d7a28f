/* plugin_set_test.c - settings against what a plugin declares; mounts; the check of a single file. */
#include "plugin_test.h"

#define S(key_, text)                                                                                        \
    {                                                                                                        \
        .key = (char *)(uintptr_t)(key_), .kind = 's', .s = (char *)(uintptr_t)(text), .line = 12            \
    }
#define I(key_, n)                                                                                           \
    {                                                                                                        \
        .key = (char *)(uintptr_t)(key_), .kind = 'i', .i = (n), .line = 13                                  \
    }
#define B(key_, n)                                                                                           \
    {                                                                                                        \
        .key = (char *)(uintptr_t)(key_), .kind = 'b', .i = (n), .line = 14                                  \
    }
#define D(key_, n)                                                                                           \
    {                                                                                                        \
        .key = (char *)(uintptr_t)(key_), .kind = 'd', .d = (n), .line = 15                                  \
    }
#define TOKEN S("token", "sesame")

static int open_with(struct conf_setting *settings, size_t count, struct plugin_set **ret, struct err *err)
{
    struct conf_plugin p = {
        .file = (char *)(uintptr_t) "with_options.so", .settings = settings, .setting_count = count};

    return open_set(&p, 1, ret, err);
}

static int setup(void **state)
{
    if (stage_setup(state) != 0)
        return -1;
    stage(SINS, "with_options");
    stage(SHIPPED, "lang-python");
    stage(SHIPPED, "lang-node");
    stage(SHIPPED, "lang-c");
    stage(SHIPPED, "lang-java");
    return 0;
}

static void test_fallbacks(void **state)
{
    struct conf_setting s[] = {TOKEN};
    struct plugin_set *set = NULL;
    struct err err = {0};
    const struct execd_value *v;

    (void)state;
    assert_int_equal(open_with(s, 1, &set, &err), 0);
    v = set->items[0]->values;
    assert_string_equal(v[0].string, "/bin/sh");
    assert_int_equal(v[1].number, 5);
    assert_int_equal(v[2].number, 65536);
    assert_int_equal(v[3].number, 250);
    assert_int_equal(v[4].number, 0);
    assert_string_equal(v[5].string, "sesame");
    assert_int_equal(v[0].given, 0);
    assert_int_equal(v[5].given, 1);
    assert_int_equal(v[5].line, 12);
    plugin_set_free(set);
}

static void test_given_values(void **state)
{
    struct conf_setting s[] = {TOKEN,           S("shell", "/bin/dash"), I("count", 10),
                               S("size", "2M"), I("patience", 0),        B("loud", 1)};
    struct plugin_set *set = NULL;
    struct err err = {0};
    const struct execd_value *v;

    (void)state;
    assert_int_equal(open_with(s, COUNT_OF(s), &set, &err), 0);
    v = set->items[0]->values;
    assert_string_equal(v[0].string, "/bin/dash");
    assert_int_equal(v[1].number, 10);
    assert_int_equal(v[2].number, 2 << 20);
    assert_int_equal(v[3].number, 0);
    assert_int_equal(v[3].given, 1);
    assert_int_equal(v[4].number, 1);
    plugin_set_free(set);
}

static void test_refused_settings(void **state)
{
    static struct {
        struct conf_setting s;
        const char *text;
    } bad[] = {
        {S("shel", "/bin/sh"),
         "line 12: unknown setting `shel`; it accepts: shell, count, size, patience, loud, token"},
        {S("shell", "sh"), "line 12: setting `shell` must be an absolute path; correct it"},
        {I("shell", 3), "line 13: setting `shell` must be an absolute path; correct it"},
        {I("count", 11), "line 13: setting `count` must be an integer from 1 to 10; correct it"},
        {I("count", 0), "line 13: setting `count` must be an integer from 1 to 10; correct it"},
        {S("count", "5"), "line 12: setting `count` must be an integer from 1 to 10; correct it"},
        {B("count", 1), "line 14: setting `count` must be an integer from 1 to 10; correct it"},
        {D("count", 5.0), "line 15: setting `count` must be an integer from 1 to 10; correct it"},
        {I("patience", -1), "line 13: setting `patience` must be milliseconds; correct it"},
        {S("size", "much"),
         "line 12: setting `size` must be bytes (a number, or a string as \"64M\"); correct it"},
        {I("size", -5),
         "line 13: setting `size` must be bytes (a number, or a string as \"64M\"); correct it"},
        {I("loud", 1), "line 13: setting `loud` must be true or false; correct it"},
        {S("token", "again"), "line 12: setting `token` is given twice; keep one"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct conf_setting s[] = {TOKEN, bad[i].s};
        CLEAN_FREE char *expected = mem_printf("plugin `with_options.so` (test.conf:10): %s", bad[i].text);
        struct plugin_set *set = NULL;
        struct err err = {0};

        assert_int_equal(open_with(s, 2, &set, &err), ERR_CONFIG);
        assert_string_equal(err.text, expected);
    }
}

static void test_required_setting(void **state)
{
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_with(NULL, 0, &set, &err), ERR_CONFIG);
    assert_string_equal(
        err.text, "plugin `with_options.so` (test.conf:10): the setting `token` (a string) is required; "
                  "add it to its settings");
}

static void test_plugin_without_options(void **state)
{
    struct conf_setting s[] = {I("speed", 9)};
    struct conf_plugin p = {
        .file = (char *)(uintptr_t) "selftest_mismatch.so", .settings = s, .setting_count = 1};
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    stage(SINS, "selftest_mismatch");
    assert_int_equal(open_set(&p, 1, &set, &err), ERR_CONFIG);
    assert_string_equal(err.text,
                        "plugin `selftest_mismatch.so` (test.conf:10): line 13: unknown setting `speed`; "
                        "it accepts none");
}

/* ---- the shipped ones ------------------------------------------------------------------------- */

static int open_shipped(struct plugin_set **ret, struct err *err)
{
    struct conf_plugin p[] = {{.file = (char *)(uintptr_t) "lang-python.so"},
                              {.file = (char *)(uintptr_t) "lang-node.so"},
                              {.file = (char *)(uintptr_t) "lang-c.so"},
                              {.file = (char *)(uintptr_t) "lang-java.so"}};

    return open_set(p, COUNT_OF(p), ret, err);
}

static void test_shipped_plugins(void **state)
{
    static const struct {
        int32_t id;
        const char *name, *file, *plugin;
    } expected[] = {{71, "Python", "main.py", "python"},
                    {63, "JavaScript", "main.js", "node"},
                    {50, "C", "main.c", "c"},
                    {62, "Java", "Main.java", "java"}};
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_shipped(&set, &err), 0);
    assert_int_equal(plugin_lang_count(set), COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const struct plugin_lang *l = plugin_lang_find(set, expected[i].id);

        assert_ptr_equal(l, plugin_lang_at(set, i));
        assert_int_equal(plugin_lang_id(l), expected[i].id);
        assert_string_equal(plugin_lang_name(l), expected[i].name);
        assert_string_equal(plugin_lang_file_name(l), expected[i].file);
        assert_string_equal(plugin_lang_plugin(l), expected[i].plugin);
        assert_string_equal(plugin_lang_version(l), "");
        assert_false(plugin_lang_optional(l));
        assert_in_range(plugin_lang_memory_min(l), 1 << 20, 256 << 20);
    }
    assert_null(plugin_lang_find(set, 1));
    assert_null(plugin_lang_at(set, COUNT_OF(expected)));
    plugin_set_free(set);
}

static bool has_mount(const struct plugin_set *set, const char *m)
{
    for (const char *const *p = plugin_set_mounts(set); *p != NULL; p++)
        if (strcmp(*p, m) == 0)
            return true;
    return false;
}

/* An interpreter outside of the system's folders brings its folder along; it must be there, unless its
 * plugin may be left out. */
static void test_mounts(void **state)
{
    struct conf_setting python[] = {S("interpreter", "/opt/py/bin/python3")};
    struct conf_setting node[] = {S("interpreter", "/opt/node/bin/node")};
    struct conf_plugin p[] = {
        {.file = (char *)(uintptr_t) "lang-python.so", .settings = python, .setting_count = 1},
        {.file = (char *)(uintptr_t) "lang-node.so", .settings = node, .setting_count = 1, .optional = true}};
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_set(p, 2, &set, &err), 0);
    assert_true(has_mount(set, "!/opt/py"));
    assert_true(has_mount(set, "/opt/node"));
    plugin_set_free(set);
}

static void test_no_plugins(void **state)
{
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_set(NULL, 0, &set, &err), 0);
    assert_int_equal(plugin_lang_count(set), 0);
    assert_null(plugin_set_mounts(set)[0]);
    plugin_set_free(set);
}

static void test_java_home_without_a_jdk(void **state)
{
    struct conf_setting s[] = {S("java_home", "/usr/share")};
    struct conf_plugin p = {.file = (char *)(uintptr_t) "lang-java.so", .settings = s, .setting_count = 1};
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_set(&p, 1, &set, &err), ERR_CONFIG);
    assert_string_equal(
        err.text, "plugin `lang-java.so` (test.conf:10): create() failed: java_home `/usr/share` has no "
                  "bin/javac that can be run; correct its settings or what they name");
}

static void test_check_file(void **state)
{
    CLEAN_FREE char *good = mem_printf("%s/lang-c.so", stage_dir);
    CLEAN_FREE char *needy = mem_printf("%s/with_options.so", stage_dir);
    CLEAN_FREE char *none = mem_printf("%s/none.so", stage_dir);
    CLEAN_BUF struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(plugin_check_file(good, &out, &err), 0);
    assert_non_null(strstr(out.data, "plugin c "));
    assert_non_null(strstr(out.data, "setting compiler: an absolute path, default /usr/bin/gcc"));
    assert_non_null(strstr(out.data, "language 50: C (main.c)"));
    buf_clear(&out);
    assert_int_equal(plugin_check_file(needy, &out, &err), 0);
    assert_non_null(strstr(out.data, "setting token: a string, required, secret"));
    assert_non_null(strstr(out.data, "not created: it needs settings"));
    assert_int_equal(plugin_check_file(none, &out, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "it cannot be opened: No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_given_values),
        cmocka_unit_test(test_refused_settings),
        cmocka_unit_test(test_required_setting),
        cmocka_unit_test(test_plugin_without_options),
        cmocka_unit_test(test_shipped_plugins),
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_no_plugins),
        cmocka_unit_test(test_java_home_without_a_jdk),
        cmocka_unit_test(test_check_file),
    };

    return cmocka_run_group_tests(tests, setup, stage_teardown);
}
