/* api_languages_test.c - what plugins declare against what workers have told. */
#include "api_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#define JOB(language) "{\"source_code\":\"x\",\"language_id\":" language "}"

/* The configuration names two of the shipped plugins. */
static int setup(void **state)
{
    static const char text[] = "plugins = ( { file = \"lang-python.so\"; }, { file = \"lang-c.so\"; } );\n";
    CLEAN_BUF struct buf mistakes = {0};
    CLEAN_FD int fd = -1;
    struct fixture *fx = *state;
    struct err err = {0};
    char path[128];

    if (fixture_setup(state) != 0)
        return -1;
    conf_free(fx->conf);
    snprintf(path, sizeof(path), "%s/execd.conf", fx->dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || conf_load(path, &fx->conf, &mistakes) != 0)
        return -1;
    fx->conf->port = 0;
    free(fx->conf->queue_prefix);
    fx->conf->queue_prefix = mem_printf("l%llu", (unsigned long long)clock_mono_ns());
    if (plugin_set_open(fx->conf, PLUGIN_DIR, &fx->plugins, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
}

static int status_of(struct fixture *fx, const char *body)
{
    struct answer a;
    int status;

    http(fx, &a, "POST", "/v1/jobs", NULL, body);
    status = a.status;
    answer_done(&a);
    return status;
}

static void test_declared_and_served(void **state)
{
    struct fixture *fx = *state;
    struct answer a;

    fixture_open(fx);
    http(fx, &a, "GET", "/languages", NULL, NULL);
    assert_has(&a, "{\"id\":71,\"name\":\"Python\",\"version\":\"Python (3.11.2)\",\"file_name\":\"");
    assert_has(&a, "\"ready\":true");
    assert_has(&a, "{\"id\":50,\"name\":\"C\"");
    assert_has(&a, "\"ready\":false");
    answer_done(&a);
    assert_int_equal(status_of(fx, JOB("71")), 202);
    assert_int_equal(status_of(fx, JOB("50")), 422); /* no worker runs it: it would wait for ever */
    assert_int_equal(status_of(fx, JOB("62")), 422);
}

static void test_before_the_first_worker(void **state)
{
    struct fixture *fx = *state;
    bool refused;

    fx->untold = true;
    fixture_open(fx);
    assert_int_equal(status_of(fx, JOB("50")), 202);
    assert_int_equal(status_of(fx, JOB("62")), 422);
    fixture_tell(fx);
    do { /* the next look at what workers told */
        refused = status_of(fx, JOB("50")) == 422;
    } while (!refused);
    assert_int_equal(status_of(fx, JOB("71")), 202);
}

static void test_memory_minimum(void **state)
{
    struct fixture *fx = *state;
    uint64_t min = plugin_lang_memory_min(plugin_lang_find(fx->plugins, 71));
    bool known;

    fixture_open(fx);
    assert_int_equal(api_languages_memory_min(fx->api, 71, &known), min);
    assert_true(known);
    assert_int_equal(api_languages_memory_min(fx->api, -71, &known), 0);
    assert_false(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_declared_and_served, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_before_the_first_worker, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_memory_minimum, setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
