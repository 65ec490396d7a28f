/* conf_shipped_test.c - etc/execd.conf and docs/configuration.md say what the table says.
 *
 * `conf_shipped_test --write` makes the file, and the tables of the page, anew. */
#include "conf_test.h"

#define FILE_PATH EXECD_SOURCE_DIR "/etc/execd.conf"
#define PAGE_PATH EXECD_SOURCE_DIR "/docs/configuration.md"
#define BEGIN_MARK "<!-- keys: begin (made from the table of keys) -->\n"
#define END_MARK "<!-- keys: end -->\n"

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        print_error("%s: %s\n", path, strerror(errno));
        exit(1);
    }
    for (int ch; (ch = fgetc(f)) != EOF;)
        buf_add(out, &(char){(char)ch}, 1);
    fclose(f);
}

/* ---- the tables of the page ------------------------------------------------------------ */

static void cell_add(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            buf_adds(out, " ");
        else if (*text == '|')
            buf_adds(out, "\\|");
        else
            buf_add(out, text, 1);
}

static void default_add(struct buf *out, const struct conf_item *it)
{
    if (it->type == CONF_STRINGS || it->type == CONF_KEYS)
        buf_adds(out, "none");
    else if (it->initial == NULL)
        buf_adds(out, it->type == CONF_SECRET ? "none" : "(computed)");
    else
        buf_addf(out, "`%s`", it->initial[0] != '\0' ? it->initial : "\"\"");
}

static void row_add(struct buf *out, const struct conf_item *it)
{
    char bounds[64], env[64];

    conf_bounds_text(it, bounds, sizeof(bounds));
    conf_env_name(it, env, sizeof(env));
    buf_addf(out, "| `%s`", it->name);
    if (it->type == CONF_SECRET)
        buf_addf(out, ", `%s_file`, `%s_env`", it->name, it->name);
    buf_adds(out, " | ");
    default_add(out, it);
    buf_addf(out, " | %s | ", bounds[0] != '\0' ? bounds : "");
    cell_add(out, it->help);
    if (it->type == CONF_KEYS)
        buf_adds(out, ". | (file only) |\n");
    else
        buf_addf(out, ". | `%s`%s |\n", env, it->type == CONF_SECRET ? ", `_FILE`" : "");
}

static void page_tables(struct buf *out)
{
    for (size_t s = 0; s < conf_section_count; s++) {
        buf_addf(out, "\n### %s\n\n", conf_sections[s].name);
        cell_add(out, conf_sections[s].help);
        buf_adds(out, ".\n\n| Key | Default | Allowed | Meaning | Environment |\n|---|---|---|---|---|\n");
        for (size_t i = 0; i < conf_item_count; i++)
            if (strcmp(conf_items[i].section, conf_sections[s].name) == 0)
                row_add(out, &conf_items[i]);
    }
    buf_adds(out, "\n");
}

/* The page with its tables as they should be. */
static void page_make(const struct buf *page, struct buf *out)
{
    const char *begin = strstr(page->data, BEGIN_MARK), *end = strstr(page->data, END_MARK);

    if (begin == NULL || end == NULL) {
        print_error("%s has lost its marks\n", PAGE_PATH);
        exit(1);
    }
    buf_add(out, page->data, (size_t)(begin - page->data) + strlen(BEGIN_MARK));
    page_tables(out);
    buf_adds(out, end);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_file_is_what_is_printed(void **state)
{
    CLEAN_BUF struct buf file = {0};
    CLEAN_BUF struct buf printed = {0};

    (void)state;
    read_file(FILE_PATH, &file);
    assert_int_equal(conf_print_defaults(&printed), 0);
    assert_string_equal(file.data, printed.data);
}

static void test_page_has_the_tables(void **state)
{
    CLEAN_BUF struct buf page = {0};
    CLEAN_BUF struct buf want = {0};

    (void)state;
    read_file(PAGE_PATH, &page);
    page_make(&page, &want);
    assert_string_equal(page.data, want.data);
}

static void assert_same(const struct conf *a, const struct conf *b, const struct conf_item *it)
{
    const char *p = (const char *)a + it->offset, *q = (const char *)b + it->offset;
    const char *s = NULL, *t = NULL;

    switch (it->type) {
    case CONF_STRING:
    case CONF_SECRET:
        memcpy(&s, p, sizeof(s));
        memcpy(&t, q, sizeof(t));
        assert_true((s == NULL) == (t == NULL));
        assert_string_equal(s != NULL ? s : "", t != NULL ? t : "");
        break;
    case CONF_STRINGS:
    case CONF_KEYS:
        assert_memory_equal((const char *)a + it->count_offset, (const char *)b + it->count_offset,
                            sizeof(size_t));
        break;
    case CONF_BOOL:
        assert_memory_equal(p, q, sizeof(bool));
        break;
    case CONF_PORT:
        assert_memory_equal(p, q, sizeof(uint16_t));
        break;
    case CONF_FORMAT:
    case CONF_LEVEL:
    case CONF_CACHE:
    case CONF_POLICY:
        assert_memory_equal(p, q, sizeof(enum log_level));
        break;
    default:
        assert_memory_equal(p, q, sizeof(uint64_t));
        break;
    }
}

static void test_file_means_the_defaults(void **state)
{
    CLEAN_BUF struct buf mistakes = {0};
    struct conf *defaults = NULL, *file = NULL;

    (void)state;
    assert_int_equal(conf_load(NULL, &defaults, &mistakes), 0);
    if (conf_load(FILE_PATH, &file, &mistakes) != 0)
        fail_msg("%s", mistakes.data);
    for (size_t i = 0; i < conf_item_count; i++)
        assert_same(defaults, file, &conf_items[i]);
    assert_int_equal(file->plugin_count, defaults->plugin_count);
    for (size_t i = 0; i < file->plugin_count; i++)
        assert_string_equal(file->plugins[i].file, defaults->plugins[i].file);
    conf_free(defaults);
    conf_free(file);
}

/* What is only an example in a comment must be a good value too. */
static void test_examples_are_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];
        CLEAN_FREE char *text = NULL;
        CLEAN_BUF struct buf got = {0};

        if (it->type == CONF_STRINGS || it->type == CONF_STRING) {
            if (it->example == NULL)
                continue;
            text = mem_printf(it->type == CONF_STRING ? "%s = { %s = \"%s\"; };" : "%s = { %s = %s; };",
                              it->section, it->name, it->example);
            conf_free(load_text(text, NULL));
        } else if (it->type == CONF_KEYS) {
            text = mem_printf("%s = { %s = %s; };", it->section, it->name, it->example);
            assert_null(load_text(text, &got));
            assert_non_null(strstr(got.data, "course.key cannot be read")); /* all but the file is there */
        }
    }
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];
        size_t n = strlen(it->help);

        assert_ptr_equal(conf_item_find(it->section, it->name), it); /* no two of one name */
        assert_true(n > 5 && it->help[n - 1] != '.');
        assert_true(it->min <= it->max);
        assert_true(it->initial != NULL || it->example != NULL);
    }
}

static int write_all(void)
{
    CLEAN_BUF struct buf file = {0};
    CLEAN_BUF struct buf page = {0};
    CLEAN_BUF struct buf made = {0};

    if (conf_print_defaults(&file) != 0)
        return 1;
    read_file(PAGE_PATH, &page);
    page_make(&page, &made);
    write_file(FILE_PATH, file.data, file.len, 0644);
    write_file(PAGE_PATH, made.data, made.len, 0644);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_what_is_printed),
        cmocka_unit_test(test_page_has_the_tables),
        cmocka_unit_test(test_file_means_the_defaults),
        cmocka_unit_test(test_examples_are_good),
        cmocka_unit_test(test_table),
    };

    if (argc == 2 && strcmp(argv[1], "--write") == 0)
        return write_all();
    return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
