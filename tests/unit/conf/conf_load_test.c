/* conf_load_test.c - what a good file, a good environment and no file at all come to. */
#include "conf_test.h"

static void test_defaults(void **state)
{
    CLEAN_BUF struct buf mistakes = {0};
    struct conf *c = NULL;

    (void)state;
    assert_int_equal(conf_load(NULL, &c, &mistakes), 0);
    assert_int_equal(mistakes.len, 0);
    assert_string_equal(c->path, "(defaults)");
    assert_string_equal(c->user, "");
    assert_int_equal(c->log_format, LOG_FORMAT_KV);
    assert_int_equal(c->log_level, LOG_LEVEL_INFO);
    assert_string_equal(c->address, "127.0.0.1");
    assert_int_equal(c->port, 2358);
    assert_int_equal(c->body_max, 16 << 20);
    assert_int_equal(c->batch_max, 1000);
    assert_int_equal(c->source_max, 1 << 20);
    assert_int_equal(c->stdin_max, 8 << 20);
    assert_int_equal(c->expected_max, 8 << 20);
    assert_int_equal(c->args_max, 64);
    assert_int_equal(c->args_bytes_max, 64 << 10);
    assert_int_equal(c->header_max, 32 << 10);
    assert_int_equal(c->idle_ms, 60000);
    assert_int_equal(c->wait_max_ms, 60000);
    assert_int_equal(c->key_count, 0);
    assert_int_equal(c->limits_default.wall_ms, 10000);
    assert_int_equal(c->limits_default.cpu_ms, 10000);
    assert_int_equal(c->limits_default.memory_bytes, 512 << 20);
    assert_int_equal(c->limits_default.cpu_millis, 1000);
    assert_int_equal(c->limits_default.processes, 64);
    assert_int_equal(c->limits_default.output_bytes, 1 << 20);
    assert_int_equal(c->limits_default.file_bytes, 64 << 20);
    assert_int_equal(c->limits_default.open_files, 256);
    assert_int_equal(c->limits_default.box_bytes, 256 << 20);
    assert_int_equal(c->limits_default.box_inodes, 16384);
    assert_int_equal(c->limits_default.stack_bytes, 64 << 20);
    assert_int_equal(c->limits_min.wall_ms, 50);
    assert_int_equal(c->limits_min.cpu_ms, 50);
    assert_int_equal(c->limits_min.memory_bytes, 16 << 20);
    assert_int_equal(c->limits_min.processes, 64); /* no key of its own: nothing else may be asked for */
    assert_int_equal(c->limits_max.wall_ms, 60000);
    assert_int_equal(c->limits_max.cpu_ms, 60000);
    assert_int_equal(c->limits_max.memory_bytes, UINT64_C(4) << 30);
    assert_int_equal(c->limits_max.open_files, 256);
    assert_int_equal(c->limits_compile.wall_ms, 30000);
    assert_int_equal(c->limits_compile.cpu_ms, 30000);
    assert_int_equal(c->limits_compile.memory_bytes, 1 << 30);
    assert_int_equal(c->limits_compile.output_bytes, 64 << 10);
    assert_int_equal(c->compile_keep_bytes, 64 << 20);
    assert_string_equal(c->queue_url, "embedded");
    assert_null(c->queue_password);
    assert_string_equal(c->queue_prefix, "execd");
    assert_string_equal(c->redis_server, "redis-server");
    assert_int_equal(c->lease_ms, 10000);
    assert_int_equal(c->max_attempts, 3);
    assert_int_equal(c->result_ttl_ms, 86400000);
    assert_int_equal(c->queue_max_jobs, 1000000);
    assert_int_equal(c->queue_max_bytes, UINT64_C(4) << 30);
    assert_int_equal(c->slots, 0);
    assert_int_equal(c->heartbeat_ms, 3000);
    assert_string_equal(c->jailer, "");
    assert_string_equal(c->cgroup_root, "");
    assert_int_equal(c->uid_base, 1900000000);
    assert_int_equal(c->accept_missing_count, 0);
    assert_int_equal(c->drain_ms, 10000);
    assert_null(c->hook_secret);
    assert_null(c->hook_previous_secret);
    assert_int_equal(c->hook_deny_network_count, 0);
    assert_true(c->hook_enabled);
    assert_false(c->hook_allow_private);
    assert_int_equal(c->hook_allow_network_count, 0);
    assert_int_equal(c->hook_timeout_ms, 10000);
    assert_int_equal(c->hook_attempts, 50);
    assert_int_equal(c->hook_first_retry_ms, 1000);
    assert_int_equal(c->hook_max_retry_ms, 7200000);
    assert_int_equal(c->hook_window_ms, 86400000);
    assert_int_equal(c->hook_breaker_failures, 10);
    assert_int_equal(c->hook_breaker_pause_ms, 30000);
    assert_int_equal(c->hook_concurrency, 64);
    assert_int_equal(c->hook_per_host, 8);
    assert_int_equal(c->plugin_count, 4);
    assert_string_equal(c->plugins[0].file, "lang-python.so");
    assert_string_equal(c->plugins[3].file, "lang-java.so");
    assert_false(c->plugins[0].optional);
    assert_false(c->plugins[0].cold);
    assert_true(c->warm_enabled);
    assert_true(c->warm_memory_max == UINT64_C(2) << 30);
    assert_int_equal(c->min_pods, 1);
    assert_int_equal(c->max_pods, 10);
    assert_int_equal(c->jobs_per_pod, 5);
    assert_int_equal(c->check_interval_ms, 10000);
    assert_null(conf_free(c));
}

static void test_values_of_a_file(void **state)
{
    struct conf *c = load_text(
        "# a comment with 99999999999 and @include \"x\"\n"
        "process = { user = \"nobody\"; state_dir = \"/s\"; plugin_dir = \"/p\"; };\n"
        "log: { format = \"json\"; level = \"debug\"; }\n"
        "api = { port = 0; body_max_bytes = 67108864; source_max_bytes = \"2M\"; batch_max = 0x10; "
        "wait_max_ms = 0; };\n"
        "limits = { timeout_max_ms = 80000000L; timeout_ms = 20000; memory_bytes = \"1G\"; memory_max_bytes "
        "= 8589934592;\n"
        "  cpu_limit = \"200m\"; cpu_limit_max = 2; cpu_limit_min = 0.1; processes = 7; };\n"
        "queue = { result_ttl_ms = 2592000000; /* 30 days: more than 32 bits */ max_bytes = \"8G\"; };\n"
        "worker = { accept_missing = ( \"swap\", \"seccomp\" ); slots = 3; uid_base = 4000000000; };\n"
        "hook = { enabled = false; allow_private = true; allow_networks = [ \"10.0.0.0/8\", \"fd00::/8\" ]; "
        "};\n"
        "scaling = { minPods = 2; maxPods = 20; jobsPerPod = 8; checkIntervalMs = 500; };\n"
        "plugins = ( { file = \"lang-c.so\"; settings = { cc = \"/usr/bin/gcc\"; level = -3; big = "
        "9876543210; fast = true;\n"
        "    ratio = 1.5e3; s = \"a1 2\\\" 3\"; }; },\n"
        "  { file = \"/opt/x.so\"; optional = true; warm = false; } );\n",
        NULL);

    (void)state;
    assert_string_equal(c->path, test_path);
    assert_string_equal(c->user, "nobody");
    assert_string_equal(c->state_dir, "/s");
    assert_string_equal(c->plugin_dir, "/p");
    assert_int_equal(c->log_format, LOG_FORMAT_JSON);
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->port, 0);
    assert_int_equal(c->body_max, 64 << 20);
    assert_int_equal(c->source_max, 2 << 20);
    assert_int_equal(c->batch_max, 16);
    assert_int_equal(c->wait_max_ms, 0);
    assert_int_equal(c->limits_default.wall_ms, 20000);
    assert_int_equal(c->limits_default.cpu_ms, 20000);
    assert_int_equal(c->limits_default.memory_bytes, 1 << 30);
    assert_int_equal(c->limits_max.memory_bytes, UINT64_C(8) << 30);
    assert_int_equal(c->limits_default.cpu_millis, 200);
    assert_int_equal(c->limits_max.cpu_millis, 2000);
    assert_int_equal(c->limits_min.cpu_millis, 100);
    assert_int_equal(c->limits_min.processes, 7);
    assert_int_equal(c->limits_max.processes, 7);
    assert_int_equal(c->result_ttl_ms, UINT64_C(2592000000));
    assert_int_equal(c->queue_max_bytes, UINT64_C(8) << 30);
    assert_int_equal(c->accept_missing_count, 2);
    assert_string_equal(c->accept_missing[1], "seccomp");
    assert_int_equal(c->uid_base, UINT64_C(4000000000));
    assert_false(c->hook_enabled);
    assert_int_equal(c->hook_allow_network_count, 2);
    assert_string_equal(c->hook_allow_networks[1], "fd00::/8");
    assert_int_equal(c->min_pods, 2);
    assert_int_equal(c->check_interval_ms, 500);
    assert_int_equal(c->plugin_count, 2);
    assert_int_equal(c->plugins[0].line, 11);
    assert_int_equal(c->plugins[0].setting_count, 6);
    assert_int_equal(c->plugins[0].settings[0].kind, 's');
    assert_string_equal(c->plugins[0].settings[0].s, "/usr/bin/gcc");
    assert_int_equal(c->plugins[0].settings[1].kind, 'i');
    assert_int_equal(c->plugins[0].settings[1].i, -3);
    assert_int_equal(c->plugins[0].settings[2].i, INT64_C(9876543210));
    assert_int_equal(c->plugins[0].settings[3].kind, 'b');
    assert_int_equal(c->plugins[0].settings[3].i, 1);
    assert_int_equal(c->plugins[0].settings[4].kind, 'd');
    assert_true(c->plugins[0].settings[4].d == 1500);
    assert_int_equal(c->plugins[0].settings[4].line, 12);
    assert_string_equal(c->plugins[0].settings[5].s, "a1 2\" 3");
    assert_string_equal(c->plugins[0].settings[5].key, "s");
    assert_true(c->plugins[1].optional);
    assert_true(c->plugins[1].cold);
    assert_false(c->plugins[0].cold);
    assert_int_equal(c->plugins[1].line, 13);
    conf_free(c);
}

static void test_plugins_may_be_none(void **state)
{
    struct conf *c = load_text("plugins = ( );", NULL);

    (void)state;
    assert_int_equal(c->plugin_count, 0);
    conf_free(c);
    c = load_text("", NULL);
    assert_int_equal(c->plugin_count, 4);
    conf_free(c);
}

static void test_environment_wins(void **state)
{
    struct conf *c;

    (void)state;
    setenv("EXECD_API_PORT", "9", 1);
    setenv("EXECD_PROCESS_STATE_DIR", "rel/ative", 1);
    setenv("EXECD_QUEUE_URL", "redis://:a-password@h:1/2", 1);
    setenv("EXECD_QUEUE_PASSWORD", "hush", 1);
    setenv("EXECD_API_BODY_MAX_BYTES", "32M", 1);
    setenv("EXECD_HOOK_ALLOW_PRIVATE", "true", 1);
    setenv("EXECD_LIMITS_CPU_LIMIT", "0.5", 1);
    setenv("EXECD_SCALING_CHECK_INTERVAL_MS", "300", 1);
    setenv("EXECD_WORKER_ACCEPT_MISSING", "swap,seccomp", 1);
    setenv("EXECD_LOG_LEVEL", "error", 1);
    setenv("EXECD_API_KEY", "of another program", 1);
    c = load_text("api = { port = 8; }; worker = { accept_missing = ( \"uid\" ); };", NULL);
    assert_int_equal(c->port, 9);
    assert_string_equal(c->state_dir, "rel/ative");
    assert_string_equal(c->queue_url, "redis://:a-password@h:1/2");
    assert_string_equal(c->queue_password, "hush");
    assert_int_equal(c->body_max, 32 << 20);
    assert_true(c->hook_allow_private);
    assert_int_equal(c->limits_default.cpu_millis, 500);
    assert_int_equal(c->check_interval_ms, 300);
    assert_int_equal(c->accept_missing_count, 2);
    assert_string_equal(c->accept_missing[0], "swap");
    assert_int_equal(c->log_level, LOG_LEVEL_ERROR);
    conf_free(c);
    setenv("EXECD_WORKER_ACCEPT_MISSING", "", 1);
    c = load_text("worker = { accept_missing = ( \"uid\" ); };", NULL);
    assert_int_equal(c->accept_missing_count, 0);
    conf_free(c);
    unsetenv("EXECD_API_PORT");
    unsetenv("EXECD_PROCESS_STATE_DIR");
    unsetenv("EXECD_QUEUE_URL");
    unsetenv("EXECD_QUEUE_PASSWORD");
    unsetenv("EXECD_API_BODY_MAX_BYTES");
    unsetenv("EXECD_HOOK_ALLOW_PRIVATE");
    unsetenv("EXECD_LIMITS_CPU_LIMIT");
    unsetenv("EXECD_SCALING_CHECK_INTERVAL_MS");
    unsetenv("EXECD_WORKER_ACCEPT_MISSING");
    unsetenv("EXECD_LOG_LEVEL");
    unsetenv("EXECD_API_KEY");
}

static void test_state_dir(void **state)
{
    struct conf *c;

    (void)state;
    if (geteuid() == 0) {
        c = load_text("", NULL);
        assert_string_equal(c->state_dir, "/var/lib/execd");
        conf_free(c);
        assert_int_equal(seteuid(65534), 0);
    }
    setenv("XDG_STATE_HOME", "/x", 1);
    setenv("HOME", "/home/u", 1);
    assert_int_equal(conf_load(NULL, &c, &(struct buf){0}), 0);
    assert_string_equal(c->state_dir, "/x/execd");
    conf_free(c);
    unsetenv("XDG_STATE_HOME");
    assert_int_equal(conf_load(NULL, &c, &(struct buf){0}), 0);
    assert_string_equal(c->state_dir, "/home/u/.local/state/execd");
    conf_free(c);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void test_keys_and_secrets(void **state)
{
    CLEAN_FREE char *key = mem_printf("%s/key", test_dir);
    CLEAN_FREE char *secret = mem_printf("%s/secret", test_dir);
    CLEAN_FREE char *text =
        mem_printf("api = { address = \"0.0.0.0\"; keys = ( { name = \"a\"; key_file = \"%s\"; },\n"
                   "  { name = \"b\"; key_env = \"CONF_TEST_KEY\"; }, { name = \"c-1.x\"; key = "
                   "\"sixteen-letters!\"; weight = 5; max_bytes = \"2M\"; rate_per_minute = 60;\n"
                   "  hook_secret_file = \"%s\"; hook_previous_secret = "
                   "\"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"; } );\n"
                   "  rate_burst = 7; };\n"
                   "queue = { password_env = \"CONF_TEST_KEY\"; }; hook = { secret_file = \"%s\"; };",
                   key, secret, secret);
    static const char whsec[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\r\n";
    struct conf *c;

    (void)state;
    write_file(key, "a-key-from-a-file-0123\n", 23, 0600);
    write_file(secret, whsec, sizeof(whsec) - 1, 0640);
    setenv("CONF_TEST_KEY", "a-key-from-the-environment", 1);
    c = load_text(text, NULL);
    assert_int_equal(c->key_count, 3);
    assert_string_equal(c->keys[0].name, "a");
    assert_string_equal(c->keys[0].key, "a-key-from-a-file-0123");
    assert_string_equal(c->keys[1].key, "a-key-from-the-environment");
    assert_string_equal(c->keys[2].name, "c-1.x");
    assert_int_equal(c->keys[0].weight, 1); /* what a key does not say is as for all */
    assert_int_equal(c->keys[0].rate, 0);
    assert_int_equal(c->keys[0].burst, 7);
    assert_int_equal(c->keys[2].weight, 5);
    assert_int_equal(c->keys[2].max_bytes, 2 << 20);
    assert_int_equal(c->keys[2].max_jobs, 0);
    assert_int_equal(c->keys[2].rate, 60);
    assert_int_equal(c->keys[2].burst, 7);
    assert_string_equal(c->queue_password, "a-key-from-the-environment");
    assert_string_equal(c->hook_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_null(c->keys[0].hook_secret);
    assert_string_equal(c->keys[2].hook_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_string_equal(c->keys[2].hook_previous_secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    conf_free(c);
    setenv("EXECD_QUEUE_PASSWORD_FILE", key, 1);
    c = load_text("", NULL);
    assert_string_equal(c->queue_password, "a-key-from-a-file-0123");
    conf_free(c);
    unsetenv("EXECD_QUEUE_PASSWORD_FILE");
    unsetenv("CONF_TEST_KEY");
    unlink(key);
    unlink(secret);
}

static void test_loopback(void **state)
{
    static const char *const near[] = {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1",
                                       "0:0:0:0:0:0:0:1"};
    static const char *const far[] = {"0.0.0.0",         "::",     "10.0.0.1", "128.0.0.1", "::2",
                                      "::ffff:10.0.0.1", "fe80::1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(near); i++)
        assert_true(conf_address_is_loopback(near[i]) && conf_rule_address(near[i], NULL) == 0);
    for (size_t i = 0; i < COUNT_OF(far); i++)
        assert_true(!conf_address_is_loopback(far[i]) && conf_rule_address(far[i], NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values_of_a_file),
        cmocka_unit_test(test_plugins_may_be_none),
        cmocka_unit_test(test_environment_wins),
        cmocka_unit_test(test_state_dir),
        cmocka_unit_test(test_keys_and_secrets),
        cmocka_unit_test(test_loopback),
    };

    return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
