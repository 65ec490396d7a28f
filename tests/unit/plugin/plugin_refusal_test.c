/* plugin_refusal_test.c - what execd says to each sin of tests/bad-plugins, word by word. */
#include "plugin_test.h"

#define TELL "; report it to the plugin's author"
#define TABLE "; correct the plugin's options"
#define REBUILD "; rebuild it with this execd's <execd/plugin.h>"
#define WARM "language 1001: the plan of its warm runtime (preboot) is refused: "
#define SELFTEST "language 1001: the plan of its self-test is refused: "

static const struct {
    const char *sin, *reason;
} sins[] = {
    /* the file and its entry */
    {"no_entry", "it has no execd_plugin_entry_v1; use EXECD_PLUGIN_DEFINE() in it once"},
    {"null_descriptor", "its entry returned no descriptor; return the address of a static one"},
    {"undefined_symbol",
     "it cannot be loaded: undefined symbol: nobody_has_this; link it with -z defs, against "
     "nothing of execd"},
    /* the descriptor */
    {"wrong_magic", "its descriptor begins with 0x12345678, not EXECD_PLUGIN_MAGIC; begin it with "
                    "EXECD_PLUGIN_HEAD()"},
    {"wrong_major", "it was built for ABI 2.3, this execd speaks 1.3" REBUILD},
    {"truncated", "its descriptor has 24 bytes, one of ABI 1.0 has 104" REBUILD},
    {"needs_newer_host", "it needs ABI 1.9 or newer, this execd speaks 1.3; install a newer execd"},
    {"kind_unknown", "it is of kind 7, this execd knows 1 (language) and 2 (scaler); install a newer execd"},
    {"reserved_set", "its descriptor sets a reserved member" REBUILD},
    {"no_name", "its descriptor has no name; set that member"},
    {"bad_name", "its name `Shell Script` is not of the form [a-z][a-z0-9-]{0,31}; rename it"},
    {"no_version", "its descriptor has no version; set that member"},
    {"no_create", "its descriptor has no create; set that member"},
    {"no_destroy", "its descriptor has no destroy; set that member"},
    {"ops_missing",
     "it is of kind 1 (language) but its operations are missing; set the pointer of its kind alone"},
    {"ops_of_other_kind",
     "it is of kind 1 (language) but its operations are those of a scaler; set the pointer of "
     "its kind alone"},
    {"ops_of_both",
     "it is of kind 1 (language) but its operations are those of both kinds; set the pointer of its "
     "kind alone"},
    {"ops_truncated", "its language operations have 16 bytes, those of ABI 1.0 have 56" REBUILD},
    {"scaler_no_decide", "its descriptor has no scaler->decide; set that member"},
    {"no_languages_op", "its descriptor has no lang->languages; set that member"},
    {"plan_missing", "its descriptor has no lang->plan; set that member"},
    {"probe_missing", "its descriptor has no lang->probe; set that member"},
    {"probed_missing", "its descriptor has no lang->probed; set that member"},
    /* options */
    {"option_table", "its table of options is impossible (3 of them, 48 bytes each)" TABLE},
    {"option_stride", "its table of options is impossible (1 of them, 8 bytes each)" TABLE},
    {"option_bad_key", "the key of its option 0 is not of the form [a-z][a-z0-9_]{0,31}" TABLE},
    {"option_twice", "it declares the option `shell` twice" TABLE},
    {"option_type", "its option `shell` is of the unknown type 99; install a newer execd"},
    {"option_flags", "its option `shell` has unknown flags 0x40; install a newer execd"},
    {"option_required_fallback", "its option `shell` is required and has a fallback" TABLE},
    {"option_fallback", "its option `count` has the fallback `11`, which it would refuse itself" TABLE},
    {"option_bounds", "its option `count` has its minimum above its maximum" TABLE},
    /* create */
    {"create_fails", "create() failed: no shell below `/opt/shell`; correct its settings or what they name"},
    {"create_fails_inside", "create() failed: two and two is five" TELL},
    {"create_fails_silently", "create() failed: it gave no reason; correct its settings or what they name"},
    {"create_odd_code", "create() returned 12, which is no EXECD_E_*" TELL},
    {"create_no_instance", "create() succeeded without an instance; set *ret_self"},
    /* languages */
    {"no_languages", "it offers no languages" TELL},
    {"languages_fail", "languages() failed: lost the list" TELL},
    {"duplicate_language", "it offers the language 1001 twice" TELL},
    {"language_bad_id", "it offers a language with the id 0; ids are positive"},
    {"language_no_name", "its language 1001 has no usable name" TELL},
    {"language_bad_file", "its language 1001 has no usable file_name" TELL},
    {"language_no_selftest", "its language 1001 has no self-test" TELL},
    {"language_flags", "its language 1001 has unknown flags 0x8; install a newer execd"},
    {"language_stride", "its table of languages is impossible (1 of them, 8 bytes each)" TELL},
    {"language_bad_mount", "its language 1001 mounts `!/opt/../etc`, which is no plain absolute path" TELL},
    /* plans */
    {"plan_no_run", SELFTEST "plan() planned no run step" TELL},
    {"plan_dotdot", SELFTEST "plan_file: path `../x` leaves the box or goes round in it" TELL},
    {"plan_absolute", SELFTEST "plan_file: path `/etc/passwd` is absolute" TELL},
    {"plan_empty_component", SELFTEST "plan_file: path `a//b` has an empty component" TELL},
    {"plan_file_twice", SELFTEST "plan_file: `x` is there already" TELL},
    {"plan_mode", SELFTEST "plan_file: `x` has mode 04755, more than permission bits" TELL},
    {"plan_phases", SELFTEST "plan_file: `x` is for the unknown phases 0x4" TELL},
    {"plan_files", SELFTEST "plan_file: more than 64 files" TELL},
    {"plan_bytes", SELFTEST "plan_file: `x` brings the files above 67108864 bytes" TELL},
    {"plan_argv_relative", SELFTEST "plan_step: argv[0] `sh` is not an absolute path" TELL},
    {"plan_argv_empty", SELFTEST "plan_step: argv is empty" TELL},
    {"plan_argv_long", SELFTEST "plan_step: argv has more than 256 entries or 131072 bytes" TELL},
    {"plan_env", SELFTEST "plan_step: env `nothing` is not KEY=value" TELL},
    {"plan_keep_outside", SELFTEST "plan_step: keep `/etc/shadow` is absolute" TELL},
    {"plan_keep_run", SELFTEST "plan_step: the run step keeps files, only a build step may" TELL},
    {"plan_two_runs", SELFTEST "plan_step: a second run step" TELL},
    {"plan_profile", SELFTEST "plan_step: unknown profile 4" TELL},
    {"plan_processes", SELFTEST "plan_step: 100000 extra processes, at most 4096" TELL},
    {"plan_step_flags", SELFTEST "plan_step: unknown flags 0x80000000" TELL},
    {"plan_step_truncated", SELFTEST "plan_step: the step has 16 bytes, one of ABI 1.0 has 56" TELL},
    {"plan_step_phase", SELFTEST "plan_step: unknown phase 3" TELL},
    {"plan_step_warm", SELFTEST "plan_step: unknown warm runtime 9" TELL},
    {"plan_preboot_build", SELFTEST "plan_step: the build step asks for a pre-booted runtime" TELL},
    {"plan_service_run", SELFTEST "plan_step: the run step asks for a compile service" TELL},
    {"plan_build_args", SELFTEST "plan_step: the build step asks for the submission's args" TELL},
    {"plan_fails", SELFTEST "no such thing" TELL},
    {"plan_odd_code", SELFTEST "plan() returned 3, which is no EXECD_E_*" TELL},
    {"plan_impure", "language 1001: plan() answers the same question in two ways, it must be pure" TELL},
    {"probe_nothing", "language 1001: the plan of its probe is refused: probe() planned no run step" TELL},
    /* warm runtimes */
    {"warm_missing", WARM "it offers no such runtime" TELL},
    {"warm_truncated", "its warm operations have 16 bytes, those of ABI 1.0 have 40" REBUILD},
    {"warm_absolute", WARM "plan_file: path `/etc/boot` is absolute" TELL},
    {"warm_builds", WARM "preboot() planned a build step" TELL},
    {"warm_asks_warm", WARM "preboot() planned a step that asks for a warm runtime itself" TELL},
    {"warm_impure", "language 1001: preboot() answers the same question in two ways, it must be pure" TELL},
    {"probe_builds", "language 1001: its probe plans a build step" TELL},
};

static void refuse_one(const char *sin, const char *reason)
{
    CLEAN_FREE char *file = mem_printf("%s.so", sin);
    CLEAN_FREE char *expected = mem_printf("plugin `%s` (test.conf:10): %s", file, reason);
    struct conf_plugin p = {.file = file};
    struct plugin_set *set = NULL;
    struct err err = {0};

    stage(SINS, sin);
    assert_int_equal(open_set(&p, 1, &set, &err), ERR_CONFIG);
    assert_string_equal(err.text, expected);
    assert_null(set);
}

static void test_each_sin_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sins); i++)
        refuse_one(sins[i].sin, sins[i].reason);
}

/* An optional plugin with a sin is left out; the others serve. */
static void test_optional_is_left_out(void **state)
{
    struct conf_plugin p[] = {
        {.file = (char *)(uintptr_t) "create_fails.so", .optional = true},
        {.file = (char *)(uintptr_t) "plan_no_run.so", .optional = true},
        {.file = (char *)(uintptr_t) "selftest_mismatch.so"},
    };
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    stage(SINS, "create_fails");
    stage(SINS, "plan_no_run");
    stage(SINS, "selftest_mismatch");
    assert_int_equal(open_set(p, COUNT_OF(p), &set, &err), 0);
    assert_int_equal(plugin_lang_count(set), 1);
    assert_non_null(plugin_lang_find(set, 1001));
    plugin_set_free(set);
}

static void refuse_pair(const char *first, const char *second, const char *reason)
{
    CLEAN_FREE char *a = mem_printf("%s.so", first);
    CLEAN_FREE char *b = mem_printf("%s.so", second);
    CLEAN_FREE char *expected = mem_printf("plugin `%s` (test.conf:20): %s", b, reason);
    struct conf_plugin p[] = {{.file = a}, {.file = b}};
    struct plugin_set *set = NULL;
    struct err err = {0};

    stage(SINS, first);
    stage(SINS, second);
    assert_int_equal(open_set(p, 2, &set, &err), ERR_CONFIG);
    assert_string_equal(err.text, expected);
}

static void test_what_another_has_already(void **state)
{
    (void)state;
    refuse_pair("selftest_mismatch", "duplicate_name",
                "its name `shell` is taken by `selftest_mismatch.so`; leave one of them out");
    refuse_pair("selftest_mismatch", "duplicate_language_elsewhere",
                "it offers the language 1001, as plugin `shell` does; leave one of them out");
    refuse_pair("selftest_mismatch", "selftest_mismatch",
                "its name `shell` is taken by `selftest_mismatch.so`; leave one of them out");
}

/* Every sin of the folder has its sentence above, or a test of its own. */
static void test_no_sin_is_forgotten(void **state)
{
    static const char *const elsewhere[] = {"selftest_mismatch", "duplicate_name",
                                            "duplicate_language_elsewhere", "with_options"};
    FILE *list = popen("cd '" SINS "' && ls *.so", "re");
    char name[256];
    size_t seen = 0;

    (void)state;
    assert_non_null(list);
    while (fgets(name, sizeof(name), list) != NULL) {
        bool known = false;

        name[strcspn(name, ".\n")] = '\0';
        for (size_t i = 0; i < COUNT_OF(sins); i++)
            known |= strcmp(sins[i].sin, name) == 0;
        for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
            known |= strcmp(elsewhere[i], name) == 0;
        if (!known)
            fail_msg("the sin %s has no test", name);
        seen++;
    }
    assert_int_equal(pclose(list), 0);
    assert_int_equal(seen, COUNT_OF(sins) + COUNT_OF(elsewhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sin_is_named),
        cmocka_unit_test(test_optional_is_left_out),
        cmocka_unit_test(test_what_another_has_already),
        cmocka_unit_test(test_no_sin_is_forgotten),
    };

    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
