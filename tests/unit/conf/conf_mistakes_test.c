/* conf_mistakes_test.c - every mistake is named with its line and the next step, all of them at once. */
#include "conf_test.h"

/* The mistakes of a file, the path cut off each line. */
static char *mistakes_of(const char *text)
{
    CLEAN_BUF struct buf got = {0};
    struct buf cut = {0};
    struct conf *c = load_text(text, &got);
    size_t skip = strlen(test_path) + 1;
    char *rest, *line;

    if (c != NULL) {
        conf_free(c);
        return mem_dup("");
    }
    rest = got.data;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
        buf_addf(&cut, "%s\n", strncmp(line, test_path, skip - 1) == 0 ? line + skip : line);
    return cut.data;
}

static const struct {
    const char *text, *mistakes;
} cases[] = {
    /* grammar */
    {"api = {\n  port = ;\n};\n", "2: syntax error\n"},
    {"api = {\n", "2: syntax error\n"},
    {"api = { port = 1;\n port = 2; };", "2: duplicate setting name\n"},
    {"\n @include \"other.conf\"\n",
     "2: @include is not supported; one file says everything, EXECD_* variables override it\n"},
    {"api = { port = 99999999999999999999; };", "1: the number 99999999999999999999 is too large\n"},
    /* names */
    {"nonsense = 1;\n\nworkers = { };", "1: nonsense: there is no such section\n"
                                        "3: workers: there is no such section; did you mean `worker`?\n"},
    {"port = 1;", "1: port: there is no such section; the key is one of section `api`\n"},
    {"plugin = ( );", "1: plugin: there is no such section; did you mean `plugins`?\n"},
    {"api = 5;", "1: api: must be a group, as api = { ... };\n"},
    {"api = {\n  adress = \"x\";\n  prot = 1;\n  lease_ms = 1;\n  xyzzy = 1; };",
     "2: api.adress: there is no such key; did you mean `address`?\n3: api.prot: there is no such key; did "
     "you mean `port`?\n"
     "4: api.lease_ms: there is no such key; the key is one of section `queue`\n5: api.xyzzy: there is no "
     "such key\n"},
    {"api = { Port = 1; };", "1: api.Port: there is no such key; did you mean `port`?\n"},
    /* types */
    {"limits = { timeout_ms = \"soon\"; };",
     "1: limits.timeout_ms: \"soon\" is a string, and must be a whole number of milliseconds\n"},
    {"limits = { timeout_ms = 1.5; };",
     "1: limits.timeout_ms: 1.5 is of another type, and must be a whole number of milliseconds\n"},
    {"limits = { timeout_ms = { }; };",
     "1: limits.timeout_ms: a group is of another type, and must be a whole number of milliseconds\n"},
    {"api = { address = 127; };", "1: api.address: 127 is of another type, and must be a string in quotes\n"},
    {"hook = { enabled = \"yes\"; };", "1: hook.enabled: \"yes\" is a string, and must be true or false\n"},
    {"hook = { enabled = 1; };", "1: hook.enabled: 1 is of another type, and must be true or false\n"},
    {"hook = { allow_networks = \"10.0.0.0/8\"; };",
     "1: hook.allow_networks: must be a list of strings, as ( \"a\", \"b\" )\n"},
    {"hook = { allow_networks = ( 5 ); };", "1: hook.allow_networks: item 0 must be a string in quotes\n"},
    {"log = { format = \"xml\"; level = \"loud\"; };",
     "1: log.format: \"xml\" must be \"kv\" or \"json\"\n"
     "1: log.level: \"loud\" must be \"debug\", \"info\", \"warn\" or \"error\"\n"},
    /* bounds */
    {"api = { port = 65536; };", "1: api.port: 65536 must be within 0..65535\n"},
    {"api = { port = -1; };", "1: api.port: -1 must be within 0..65535\n"},
    {"api = { port = 4294967296; };", "1: api.port: 4294967296 must be within 0..65535\n"},
    {"api = { batch_max = 0; };", "1: api.batch_max: 0 must be within 1..100000\n"},
    {"api = { body_max_bytes = \"1T\"; };", "1: api.body_max_bytes: \"1T\" must be a number of bytes, or a "
                                            "string as \"64k\", \"16M\" or \"2G\", within 4k..1G bytes\n"},
    {"api = { body_max_bytes = \"99999999999999999999G\"; };",
     "1: api.body_max_bytes: \"99999999999999999999G\" must be within 4k..1G bytes\n"},
    {"limits = { cpu_limit = \"fast\"; };", "1: limits.cpu_limit: \"fast\" must be a share of cpu as "
                                            "\"200m\", \"0.5\" or 2, within 10m..1000000m\n"},
    {"limits = { cpu_limit = \"1m\"; };", "1: limits.cpu_limit: \"1m\" must be within 10m..1000000m\n"},
    /* texts */
    {"api = { address = \"localhost\"; };",
     "1: api.address: \"localhost\" must be a numeric address, as 127.0.0.1 or ::1\n"},
    {"queue = { url = \"http://:secret@h\"; };",
     "1: queue.url: the value must be \"embedded\", \"redis://HOST:PORT/DB\", \"rediss://...\" (TLS), "
     "\"sentinel://HOST:PORT,HOST:PORT/NAME\", \"sentinels://...\", \"cluster://HOST:PORT,HOST:PORT\", "
     "\"clusters://...\" or \"unix:/PATH?db=N\"\n"},
    {"queue = { prefix = \"a b\"; };", "1: queue.prefix: \"a b\" must be 1 to 32 of A-Z a-z 0-9 . _ : -\n"},
    {"queue = { prefix = \"\"; redis_server = \"\"; };",
     "1: queue.prefix: \"\" must be 1 to 32 of A-Z a-z 0-9 . _ : -\n1: queue.redis_server: \"\" must not be "
     "empty\n"},
    {"worker = { jailer = \"bin/jailer\"; };",
     "1: worker.jailer: \"bin/jailer\" must be an absolute path, or empty\n"},
    {"worker = { accept_missing = ( \"\" ); };",
     "1: worker.accept_missing: item 0, \"\", must not be empty\n"},
    {"hook = { allow_networks = ( \"10.0.0.0/8\",\n \"10.0.0.0/33\", \"x/8\", \"10.0.0.1\", \"::/129\" ); };",
     "2: hook.allow_networks: item 1, \"10.0.0.0/33\", must be a network, as 10.1.0.0/16 or fd00::/8\n"
     "2: hook.allow_networks: item 2, \"x/8\", must be a network, as 10.1.0.0/16 or fd00::/8\n"
     "2: hook.allow_networks: item 3, \"10.0.0.1\", must be a network, as 10.1.0.0/16 or fd00::/8\n"
     "2: hook.allow_networks: item 4, \"::/129\", must be a network, as 10.1.0.0/16 or fd00::/8\n"},
    {"process = { user = \"a\\nb\"; };", "1: process.user: \"a?b\" must have no control characters\n"},
    /* keys to each other */
    {"limits = { timeout_ms = 70000; };",
     "1: limits.timeout_ms: 70000 is more than limits.timeout_max_ms, which is 60000 by default\n"},
    {"limits = {\n timeout_max_ms = 5000; };",
     "2: limits.timeout_max_ms: 5000 is less than limits.timeout_ms, which is 10000 by default\n"},
    {"limits = { timeout_ms = 40;\n timeout_min_ms = 41; };",
     "2: limits.timeout_min_ms: 41 is more than limits.timeout_ms, which is 40\n"},
    {"limits = { memory_bytes = \"8M\"; memory_max_bytes = \"4M\"; };",
     "1: limits.memory_bytes: 8M is less than limits.memory_min_bytes, which is 16M by default\n"
     "1: limits.memory_bytes: 8M is more than limits.memory_max_bytes, which is 4M\n"},
    {"limits = { cpu_limit = 8; };",
     "1: limits.cpu_limit: 8000m is more than limits.cpu_limit_max, which is 4000m by default\n"},
    {"api = { body_max_bytes = \"1M\"; source_max_bytes = \"2M\"; stdin_max_bytes = 5; expected_max_bytes = "
     "5; };",
     "1: api.source_max_bytes: 2M is more than api.body_max_bytes, which is 1M\n"},
    {"api = { idle_ms = 1000; };",
     "1: api.idle_ms: 1000 is less than api.wait_max_ms, which is 60000 by default\n"},
    {"worker = { heartbeat_ms = 6000; };",
     "1: queue.lease_ms (10000) must be at least 3 * worker.heartbeat_ms (6000): one lost heartbeat would "
     "lose the job\n"},
    {"\nqueue = { lease_ms = 5000; };", "2: queue.lease_ms (5000) must be at least 3 * worker.heartbeat_ms "
                                        "(3000): one lost heartbeat would lose the job\n"},
    {"hook = { first_retry_ms = 10; max_retry_ms = 9; };",
     "1: hook.first_retry_ms: 10 is more than hook.max_retry_ms, which is 9\n"},
    {"scaling = { minPods = 11; };",
     "1: scaling.minPods: 11 is more than scaling.maxPods, which is 10 by default\n"},
    {"scaling = { policy = \"fast\"; };", "1: scaling.policy: \"fast\" must be \"queue\" or \"objective\"\n"},
    {"scaling = { checkIntervalMs = 100;\n stabilizationMs = 90001; };",
     "2: scaling.stabilizationMs: 90001 is more than 900 * scaling.checkIntervalMs, which is 100\n"},
    /* binding */
    {"\napi = { address = \"0.0.0.0\"; };", "2: api.address: 0.0.0.0 can be reached from other machines, and "
                                            "api.keys has no key; add one to the section api, as "
                                            "keys = ( { name = \"main\"; key_file = \"/etc/execd/api.key\"; "
                                            "} ); (make the file with: openssl rand -hex 24), or "
                                            "listen on 127.0.0.1\n"},
    {"api = { address = \"::\"; keys = ( { name = \"a\"; } ); };",
     "1: api.keys: item 0: it has no secret: key_file, key_env or key\n"},
    /* API keys */
    {"api = { keys = \"x\"; };",
     "1: api.keys: must be a list of groups, as ( { name = \"a\"; key_file = \"/path\"; } )\n"},
    {"api = { keys = ( \"x\" ); };",
     "1: api.keys: item 0: must be a group, as { name = \"a\"; key_file = \"/path\"; }\n"},
    {"api = { keys = ( { key = \"0123456789abcdef\"; } ); };", "1: api.keys: item 0: it has no name\n"},
    {"api = { keys = ( { name = \"a b\"; key = \"0123456789abcdef\"; } ); };",
     "1: api.keys: item 0: name \"a b\" must be 1 to 64 of A-Z a-z 0-9 . _ -\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcde\"; } ); };",
     "1: api.keys: item 0: the secret of key must have 16 to 512 characters, and has 15\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789 abcdef\"; } ); };",
     "1: api.keys: item 0: the secret of key must be printable ASCII without blanks\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; },\n { name = \"b\"; key = "
     "\"0123456789abcdef\"; },\n"
     "{ name = \"a\"; key = \"x0123456789abcdef\"; } ); };",
     "2: api.keys: item 1: it has the same secret as `a`\n3: api.keys: item 2: the name `a` is taken by "
     "another one\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; key_env = \"HOME\"; } ); };",
     "1: api.keys: item 0: the secret is given twice; one of key, key_file and key_env is enough\n"},
    {"api = { keys = ( { name = \"a\"; key_env = \"CONF_TEST_UNSET\"; } ); };",
     "1: api.keys: item 0: key_env: CONF_TEST_UNSET is not set in the environment\n"},
    {"api = { keys = ( { name = \"a\"; key_env = \"a-secret-in-the-wrong-place\"; } ); };",
     "1: api.keys: item 0: key_env: the value is not set in the environment\n"},
    {"api = { keys = ( { name = \"a\"; key_file = \"relative\"; } ); };",
     "1: api.keys: item 0: key_file: the value must be an absolute path\n"},
    {"api = { keys = ( { name = \"a\"; key_file = \"/nonexistent/key\"; } ); };",
     "1: api.keys: item 0: key_file: /nonexistent/key cannot be read: No such file or directory\n"},
    {"api = { keys = ( { name = \"a\"; key_file = \"/etc/passwd\"; } ); };",
     "1: api.keys: item 0: key_file: /etc/passwd is open to every user of this machine; chmod 600 it\n"},
    {"api = { keys = ( { name = \"a\"; key_file = \"/dev/null\"; } ); };",
     "1: api.keys: item 0: key_file: /dev/null must be a regular file\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; weight = 0; } ); };",
     "1: api.keys: item 0: weight 0 must be within 1..1000\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; max_bytes = \"2T\"; } ); };",
     "1: api.keys: item 0: max_bytes 2T must be a number of bytes, or a string as \"64k\", \"16M\" or "
     "\"2G\", within "
     "0..1024G bytes\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; rate_per_minute = \"5\"; } ); };",
     "1: api.keys: item 0: rate_per_minute must be a whole number\n"},
    {"api = { keys = ( { nam = \"a\"; key = 5; } ); };",
     "1: api.keys: item 0: `nam` is no key of it; name, key, key_file, key_env, hook_secret, "
     "hook_previous_secret (and _file, _env), weight, max_jobs, max_bytes, rate_per_minute and rate_burst "
     "are\n"
     "1: api.keys: item 0: key must be a string in quotes\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; hook_secret = \"whsec_c2hvcnQ=\"; } ); };",
     "1: api.keys: item 0: the secret of hook_secret must be \"whsec_\" and 24 to 64 bytes in base64; make "
     "one with: "
     "printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"\n"},
    {"api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; hook_previous_secret = "
     "\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; } ); };",
     "1: api.keys: item 0: hook_previous_secret: there is no hook_secret that it was before\n"},
    /* other secrets */
    {"queue = { password = \"a\";\n password_file = \"/x\"; };",
     "2: queue.password_file: the secret is given already in line 1\n"},
    {"queue = { password = 5; };", "1: queue.password: must be a string in quotes\n"},
    {"queue = { passwort_file = \"/x\"; };", "1: queue.passwort_file: there is no such key\n"},
    {"hook = { secret = \"whsec_c2hvcnQ=\"; };", "1: hook.secret: the secret must be \"whsec_\" and 24 to 64 "
                                                 "bytes in base64; make one with: printf 'whsec_%s\\n' "
                                                 "\"$(openssl rand -base64 32)\"\n"},
    {"queue = { url = \"redis://h:6379\"; tls_ca = \"/ca.pem\"; };",
     "1: queue.tls_ca: queue.url does not ask for TLS (rediss://, sentinels:// or clusters://)\n"},
    {"queue = { shards = 65; };", "1: queue.shards: 65 must be within 1..64\n"},
    {"queue = { shards = 4; max_jobs = 2000; };",
     "1: queue.shards: of queue.max_jobs each of 4 shards has 500, less than api.batch_max, which is 1000\n"},
    {"queue = { shards = 4;\n key_max_jobs = 300000;\n key_max_bytes = \"2G\"; };",
     "2: queue.key_max_jobs: 300000 is more than the 250000 that each of 4 queue.shards has of "
     "queue.max_jobs; "
     "who has bounds keeps to one shard\n"
     "3: queue.key_max_bytes: 2147483648 is more than the 1073741824 that each of 4 queue.shards has of "
     "queue.max_bytes; who has bounds keeps to one shard\n"},
    {"queue = { shards = 4; key_max_jobs = 250000; };\n"
     "api = { keys = ( { name = \"a\"; key = \"0123456789abcdef\"; },\n"
     " { name = \"b\"; key = \"1123456789abcdef\"; max_jobs = 250001; max_bytes = \"1G\"; } ); };",
     "2: api.keys: max_jobs of `b`: 250001 is more than the 250000 that each of 4 queue.shards has of "
     "queue.max_jobs; who has bounds keeps to one shard\n"},
    {"hook = { previous_secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; };",
     "1: hook.previous_secret: there is no hook.secret that it was before\n"},
    {"hook = { deny_networks = ( \"8.8.8.8\" ); };",
     "1: hook.deny_networks: item 0, \"8.8.8.8\", must be a network, as 10.1.0.0/16 or fd00::/8\n"},
    /* plugins */
    {"plugins = { file = \"x\"; };",
     "1: plugins: must be a list of groups, as ( { file = \"lang-c.so\"; } )\n"},
    {"plugins = ( \"lang-c.so\" );", "1: plugins: item 0 must be a group, as { file = \"lang-c.so\"; }\n"},
    {"plugins = (\n { optional = true; } );", "2: plugins: item 0 has no file\n"},
    {"plugins = ( { file = 5; optional = 1; } );",
     "1: plugins: file must be a string in quotes\n1: plugins: optional must be true or false\n"},
    {"plugins = ( { file = \"x.so\"; warm = 1; } );", "1: plugins: warm must be true or false\n"},
    {"warm = { memory_max_bytes = \"256M\"; };",
     "1: warm.memory_max_bytes: 256M is less than warm.service_memory_bytes, which is 512M by default\n"},
    {"plugins = ( { file = \"../x.so\"; }, { file = \"\"; } );",
     "1: plugins: file \"../x.so\" must be a file's name without a path, or an absolute path\n"
     "1: plugins: file \"\" must be a file's name without a path, or an absolute path\n"},
    {"plugins = ( { file = \"x.so\"; cc = \"gcc\"; } );",
     "1: plugins: `cc` is no key of a plugin; file, optional, warm and settings are (what a plugin itself "
     "understands goes into "
     "settings = { ... };)\n"},
    {"plugins = ( { file = \"x.so\"; settings = ( 1 ); } );",
     "1: plugins: settings must be a group, as { key = value; }\n"},
    {"plugins = ( { file = \"x.so\"; settings = { a = ( 1 );\n b = { c = 1; }; }; } );",
     "1: plugins: setting `a` must be a string, a number, true or false\n"
     "2: plugins: setting `b` must be a string, a number, true or false\n"},
};

static void test_mistakes(void **state)
{
    (void)state;
    unsetenv("CONF_TEST_UNSET");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEAN_FREE char *got = mistakes_of(cases[i].text);

        if (strcmp(got, cases[i].mistakes) != 0)
            fail_msg("%s\n got: %swant: %s", cases[i].text, got, cases[i].mistakes);
    }
}

static void test_every_line_begins_with_file_and_line(void **state)
{
    CLEAN_FREE char *want = mem_printf("%s:2: api.port: 70000 must be within 0..65535\n", test_path);
    CLEAN_BUF struct buf got = {0};

    (void)state;
    assert_null(load_text("api = {\n port = 70000; };", &got));
    assert_string_equal(got.data, want);
}

static void env_mistake(const char *name, const char *value, const char *want)
{
    CLEAN_FREE char *got = NULL;

    setenv(name, value, 1);
    got = mistakes_of("");
    unsetenv(name);
    assert_string_equal(got, want);
}

static void test_environment(void **state)
{
    (void)state;
    env_mistake("EXECD_API_PORT", "tcp://10.0.0.1:80",
                "environment EXECD_API_PORT: `tcp://10.0.0.1:80` must be a whole number, within 0..65535\n");
    env_mistake("EXECD_API_PORT", "",
                "environment EXECD_API_PORT: `` must be a whole number, within 0..65535\n");
    env_mistake("EXECD_QUEUE_URL", "http://secret",
                "environment EXECD_QUEUE_URL: the value must be \"embedded\", \"redis://HOST:PORT/DB\", "
                "\"rediss://...\" (TLS), "
                "\"sentinel://HOST:PORT,HOST:PORT/NAME\", \"sentinels://...\", "
                "\"cluster://HOST:PORT,HOST:PORT\", \"clusters://...\" or \"unix:/PATH?db=N\"\n");
    env_mistake("EXECD_HOOK_SECRET", "secret",
                "environment EXECD_HOOK_SECRET: the value must be \"whsec_\" and 24 to 64 bytes in base64; "
                "make one with: "
                "printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"\n");
    env_mistake(
        "EXECD_QUEUE_PASSWORD_FILE", "/nonexistent",
        "environment EXECD_QUEUE_PASSWORD_FILE: /nonexistent cannot be read: No such file or directory\n");
    env_mistake("EXECD_WORKER_HEARTBEAT_MS", "6000",
                "environment EXECD_WORKER_HEARTBEAT_MS: queue.lease_ms (10000) must be at least 3 * "
                "worker.heartbeat_ms "
                "(6000): one lost heartbeat would lose the job\n");
    env_mistake("EXECD_LIMITS_TIMEOUT_MS", "70000",
                "environment EXECD_LIMITS_TIMEOUT_MS: limits.timeout_ms: 70000 is more than "
                "limits.timeout_max_ms, which is "
                "60000 by default\n");
    env_mistake("EXECD_HOOK_ALLOW_NETWORKS", "10.0.0.0/8,x",
                "environment EXECD_HOOK_ALLOW_NETWORKS: `10.0.0.0/8,x` must be a network, as 10.1.0.0/16 or "
                "fd00::/8\n");
    setenv("EXECD_API_ADDRESS", "10.1.2.3", 1);
    env_mistake("EXECD_LOG_LEVEL", "info",
                "environment EXECD_API_ADDRESS: api.address: 10.1.2.3 can be reached from other machines, "
                "and api.keys has no "
                "key; add one to the section api, as keys = ( { name = \"main\"; key_file = "
                "\"/etc/execd/api.key\"; } ); (make "
                "the file with: openssl rand -hex 24), or listen on 127.0.0.1\n");
    unsetenv("EXECD_API_ADDRESS");
}

static void file_mistake(const char *text, size_t len, mode_t mode, const char *want)
{
    CLEAN_FREE char *key = mem_printf("%s/key", test_dir);
    CLEAN_FREE char *conf = mem_printf("queue = { password_file = \"%s\"; };", key);
    CLEAN_FREE char *line = mem_printf("1: queue.password_file: %s %s\n", key, want);
    CLEAN_FREE char *got = NULL;

    write_file(key, text, len, mode);
    got = mistakes_of(conf);
    unlink(key);
    assert_string_equal(got, want[0] == '\0' ? "" : line);
}

static void test_secret_files(void **state)
{
    char large[4097];

    (void)state;
    memset(large, 'x', sizeof(large));
    file_mistake("secret\n", 7, 0600, "");
    file_mistake("secret", 6, 0440, "");
    file_mistake("secret", 6, 0604, "is open to every user of this machine; chmod 600 it");
    file_mistake("secret", 6, 0602, "is open to every user of this machine; chmod 600 it");
    file_mistake("", 0, 0600, "is empty");
    file_mistake("\n", 1, 0600, "is empty");
    file_mistake("a\0b", 3, 0600, "is no text of at most 4096 bytes");
    file_mistake(large, sizeof(large), 0600, "must have 4096 bytes at most");
    file_mistake(large, sizeof(large) - 1, 0600, "");
}

static void test_files_that_are_none(void **state)
{
    CLEAN_BUF struct buf got = {0};
    CLEAN_FREE char *large = mem_zero(1, (2 << 20) + 1);
    CLEAN_FREE char *want = NULL;
    struct conf *c = NULL;

    (void)state;
    assert_int_equal(conf_load("/nonexistent/execd.conf", &c, &got), -1);
    assert_string_equal(got.data, "/nonexistent/execd.conf: cannot be read: No such file or directory\n");
    buf_clear(&got);
    assert_int_equal(conf_load("/", &c, &got), -1);
    assert_string_equal(got.data, "/: cannot be read: Is a directory\n");
    buf_clear(&got);
    memset(large, ' ', 2 << 20);
    assert_null(load_text(large, &got));
    want = mem_printf("%s: the file is larger than 1048576 bytes\n", test_path);
    assert_string_equal(got.data, want);
    buf_clear(&got);
    write_file(test_path, "api\0", 4, 0600);
    assert_int_equal(conf_load(test_path, &c, &got), -1);
    assert_non_null(strstr(got.data, "holds a NUL byte"));
    assert_null(c);
}

/* Secrets never show in what is said about a file full of mistakes. */
static void test_no_secret_in_mistakes(void **state)
{
    CLEAN_FREE char *got = mistakes_of(
        "api = { keys = ( { name = \"a\"; key = \"hush hush\"; hook_secret = \"hush\"; key_x = 1; } ); };\n"
        "queue = { url = \"redis:/:hush@h\"; password = \"hush\\n\"; };\nhook = { secret = \"hush\"; };\n"
        "hook = { secret = \"hush\"; };");

    (void)state;
    assert_string_not_equal(got, "");
    assert_null(strstr(got, "hush"));
}

/* Whatever a file says, it is loaded or refused with at least one line. */
static void test_mutated_files(void **state)
{
    static const char seed[] =
        "api = { port = 1; keys = ( { name = \"a\"; key = \"0123456789abcdef\"; } ); };\n"
        "limits: { timeout_ms = 500; cpu_limit = 0.5; }\nplugins = ( { file = \"x.so\"; settings = "
        "{ a = 1L; b = 1.5; c = true; }; } );\n/* c */ # d\n";
    static const char alphabet[] = "{}()[];:=\",\\ \n\t/*#@0123456789.-+eELxtrueabc\xff";
    uint64_t x = 1;
    unsigned good = 0;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        CLEAN_BUF struct buf got = {0};
        char text[sizeof(seed)];
        struct conf *c;

        memcpy(text, seed, sizeof(seed));
        for (int i = 0; i <= round % 3; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            text[(x >> 33) % (sizeof(seed) - 1)] = alphabet[(x >> 40) % (sizeof(alphabet) - 1)];
        }
        c = load_text(text, &got);
        assert_true(c != NULL || (got.len > 0 && got.data[got.len - 1] == '\n'));
        good += c != NULL;
        conf_free(c);
    }
    assert_true(good > 50 && good < 4950);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_every_line_begins_with_file_and_line),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_files_that_are_none),
        cmocka_unit_test(test_no_secret_in_mistakes),
        cmocka_unit_test(test_mutated_files),
    };

    return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
