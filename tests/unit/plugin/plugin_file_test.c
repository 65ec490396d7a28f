/* plugin_file_test.c - who may have written a plugin's file, and files that are none. */
#include "plugin_test.h"

#include <elf.h>

static char path[256];

static int setup(void **state)
{
    if (stage_setup(state) != 0)
        return -1;
    snprintf(path, sizeof(path), "%s/selftest_mismatch.so", stage_dir);
    return 0;
}

static void refused(const char *file, const char *reason)
{
    struct conf_plugin p = {.file = (char *)(uintptr_t)file};
    CLEAN_FREE char *expected = mem_printf("plugin `%s` (test.conf:10): %s", file, reason);
    struct plugin_set *set = NULL;
    struct err err = {0};

    assert_int_equal(open_set(&p, 1, &set, &err), ERR_CONFIG);
    assert_string_equal(err.text, expected);
}

static void accepted(const char *file)
{
    struct conf_plugin p = {.file = (char *)(uintptr_t)file};
    struct plugin_set *set = NULL;
    struct err err = {0};

    if (open_set(&p, 1, &set, &err) != 0)
        fail_msg("%s", err.text);
    plugin_set_free(set);
}

static void test_names(void **state)
{
    (void)state;
    stage(SINS, "selftest_mismatch");
    accepted("selftest_mismatch.so");
    accepted(path);
    refused("", "it has no file; name one");
    refused("../selftest_mismatch.so", "it is neither a bare name nor an absolute path; write one of these");
    refused("./selftest_mismatch.so", "it is neither a bare name nor an absolute path; write one of these");
    refused("absent.so", "it cannot be opened: No such file or directory; install it, or correct `file`");
    refused("/nowhere/at/all.so",
            "its directory cannot be opened: No such file or directory; correct `file` or "
            "plugin_dir");
}

static void test_writable_by_others(void **state)
{
    (void)state;
    stage(SINS, "selftest_mismatch");
    chmod(path, 0664);
    refused("selftest_mismatch.so", "it may be written by its group (mode 0664); chmod go-w it");
    chmod(path, 0646);
    refused("selftest_mismatch.so", "it may be written by others (mode 0646); chmod go-w it");
    chmod(path, 0644);
    chmod(stage_dir, 0777);
    refused("selftest_mismatch.so", "its directory may be written by others (mode 0777); chmod go-w it");
    chmod(stage_dir, 0755);
    accepted("selftest_mismatch.so");
    chmod(stage_dir, 0700);
}

static void test_of_another_owner(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("not root: a file cannot be given away\n");
        skip();
    }
    stage(SINS, "selftest_mismatch");
    assert_int_equal(chown(path, 12345, 12345), 0);
    refused("selftest_mismatch.so",
            "it belongs to uid 12345, not to root or the user that starts execd; chown it");
    unlink(path);
    assert_int_equal(chown(stage_dir, 12345, 12345), 0);
    stage(SINS, "selftest_mismatch");
    refused("selftest_mismatch.so",
            "its directory belongs to uid 12345, not to root or the user that starts execd; chown it");
    setenv("SUDO_UID", "12345", 1); /* who starts it is not root, but became it */
    accepted("selftest_mismatch.so");
    setenv("SUDO_UID", "12346", 1);
    refused("selftest_mismatch.so",
            "its directory belongs to uid 12345, not to root or the user that starts execd; chown it");
    unsetenv("SUDO_UID");
    assert_int_equal(chown(stage_dir, 0, 0), 0);
}

static void test_no_regular_file(void **state)
{
    CLEAN_FREE char *link_path = mem_printf("%s/link.so", stage_dir);
    CLEAN_FREE char *fifo = mem_printf("%s/fifo.so", stage_dir);
    CLEAN_FREE char *dir = mem_printf("%s/dir.so", stage_dir);

    (void)state;
    stage(SINS, "selftest_mismatch");
    assert_int_equal(symlink("selftest_mismatch.so", link_path), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(mkdir(dir, 0700), 0);
    refused("link.so", "it is a symbolic link; name the file itself");
    refused("fifo.so", "it is not a regular file; name a shared object");
    refused("dir.so", "it is not a regular file; name a shared object");
}

static void with_bytes(const void *bytes, size_t len, const char *reason)
{
    CLEAN_FREE char *to = mem_printf("%s/odd.so", stage_dir);

    write_file(to, bytes, len, 0644);
    refused("odd.so", reason);
}

static void test_no_shared_object(void **state)
{
    static const char none[] = "it is not an ELF file; build it as a shared object for this machine";
    static const char cut[] = "it is cut short or damaged; install it again";
    CLEAN_BUF struct buf b = {0};
    Elf64_Ehdr h;

    (void)state;
    stage(SINS, "selftest_mismatch");
    b = read_file(path);
    with_bytes("", 0, none);
    with_bytes("#!/bin/sh\n", 10, none);
    with_bytes("\177ELF", 4, "it is no 64-bit file; build it as a shared object for this machine");
    memcpy(&h, b.data, sizeof(h));
    h.e_ident[EI_CLASS] = ELFCLASS32;
    with_bytes(&h, sizeof(h), "it is no 64-bit file; build it as a shared object for this machine");
    memcpy(&h, b.data, sizeof(h));
    h.e_type = ET_EXEC;
    with_bytes(&h, sizeof(h), "it is not a shared object (ELF type 2); link it with -shared");
    memcpy(&h, b.data, sizeof(h));
    with_bytes(&h, sizeof(h), cut);
    with_bytes(b.data, 512, cut);
    with_bytes(b.data, 4096, cut);
    h.e_phoff = UINT64_MAX - 8;
    with_bytes(&h, sizeof(h), cut);
}

static void test_another_machine(void **state)
{
    CLEAN_BUF struct buf b = {0};
    Elf64_Ehdr h;
    char expected[160];

    (void)state;
    stage(SINS, "selftest_mismatch");
    b = read_file(path);
    memcpy(&h, b.data, sizeof(h));
    snprintf(expected, sizeof(expected),
             "it is for another machine (ELF machine %u, this one is %u); build it as a "
             "shared object for this machine",
             EM_S390, h.e_machine);
    h.e_machine = EM_S390;
    memcpy(b.data, &h, sizeof(h));
    with_bytes(b.data, b.len, expected);
}

/* Any cut ends in a refusal, never in a crash. */
static void test_damaged_files(void **state)
{
    CLEAN_FREE char *to = mem_printf("%s/odd.so", stage_dir);
    CLEAN_BUF struct buf b = {0};

    (void)state;
    stage(SINS, "selftest_mismatch");
    b = read_file(path);
    for (size_t i = 1; i < 60; i++) {
        struct plugin_set *set = NULL;
        struct conf_plugin p = {.file = (char *)(uintptr_t) "odd.so"};
        struct err err = {0};

        write_file(to, b.data, b.len * i / 60, 0644);
        if (open_set(&p, 1, &set, &err) == 0)
            plugin_set_free(set); /* only what the loader does not need was missing */
        else
            assert_non_null(strchr(err.text, ';'));
    }
}

/* Two files that come to be known by one descriptor's number are two plugins. */
static void test_fds_are_used_again(void **state)
{
    struct conf_plugin p = {.file = (char *)(uintptr_t) "selftest_mismatch.so"};
    struct conf_plugin q = {.file = (char *)(uintptr_t) "duplicate_name.so"};
    struct plugin_set *set = NULL;
    struct err err = {0};

    (void)state;
    stage(SINS, "selftest_mismatch");
    stage(SINS, "duplicate_name");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_set(&p, 1, &set, &err), 0);
        assert_int_equal(plugin_lang_id(plugin_lang_at(set, 0)), 1001);
        plugin_set_free(set);
        assert_int_equal(open_set(&q, 1, &set, &err), 0);
        assert_int_equal(plugin_lang_id(plugin_lang_at(set, 0)), 1002);
        plugin_set_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_writable_by_others),
        cmocka_unit_test(test_of_another_owner),
        cmocka_unit_test(test_no_regular_file),
        cmocka_unit_test(test_no_shared_object),
        cmocka_unit_test(test_another_machine),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_fds_are_used_again),
    };

    return cmocka_run_group_tests(tests, setup, stage_teardown);
}
