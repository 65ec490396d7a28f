/* conf_keys.c - the one table of all keys: type, default, bounds, help. */
#include "conf_internal.h"

#define AT(field) .offset = offsetof(struct conf, field)
#define LIST(field, count)                                                                                   \
    .offset = offsetof(struct conf, field), .count_offset = offsetof(struct conf, count)
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

const struct conf_section conf_sections[] = {
    {"process", "The process itself"},
    {"log", "Events, one line each, on standard error"},
    {"api", "The HTTP interface and what it accepts"},
    {"limits",
     "What one run may use.  A client's wish is held to the _min and _max keys; where a limit has none of\n"
     "them, clients cannot change it"},
    {"compile", "What one compile step may use; clients cannot change it"},
    {"queue", "Redis, the only shared state"},
    {"worker", "Claiming and running jobs"},
    {"warm",
     "Interpreters and compilers that are started before their job comes.  A job that finds none runs as it\n"
     "would without them"},
    {"hook", "Webhooks: results sent to a job's callback_url"},
    {"scaling", "How many workers there should be, where one of the plugins is a scaler (scaler-local.so); "
                "else none of\n"
                "these keys matters"},
};
const size_t conf_section_count = COUNT_OF(conf_sections);

const char *const conf_plugins_default[] = {"lang-python.so", "lang-node.so", "lang-c.so", "lang-java.so",
                                            NULL};

const struct conf_item conf_items[] = {
    /* ---- process ---- */
    {"process", "user", CONF_STRING, AT(user), .initial = "", .rule = conf_rule_line,
     .help = "The user to become when started as root.  Empty: `execd` if there is one, else uid 1899999999"},
    {"process", "state_dir", CONF_STRING, AT(state_dir), .example = "/var/lib/execd",
     .rule = conf_rule_filled,
     .help = "Where the embedded Redis keeps its data, and workers compiled output and results that wait for "
             "Redis.  Default: /var/lib/execd "
             "as root, else "
             "$XDG_STATE_HOME/execd or ~/.local/state/execd"},
    {"process", "plugin_dir", CONF_STRING, AT(plugin_dir), .initial = "", .rule = conf_rule_path,
     .help = "Where plugins named without a path are.  Empty: the folder `plugins` beside execd, or where "
             "the installation put them"},

    /* ---- log ---- */
    {"log", "format", CONF_FORMAT, AT(log_format), .initial = "kv", .help = "\"kv\" (key=value) or \"json\""},
    {"log", "level", CONF_LEVEL, AT(log_level), .initial = "info",
     .help = "The least that is written: \"debug\", \"info\", \"warn\" or \"error\""},

    /* ---- api ---- */
    {"api", "address", CONF_STRING, AT(address), .initial = "127.0.0.1", .rule = conf_rule_address,
     .help = "Numeric IPv4 or IPv6 address to listen on.  Beyond loopback at least one API key is required"},
    {"api", "port", CONF_PORT, AT(port), .initial = "2358", .min = 0, .max = 65535,
     .help = "TCP port; 0 picks a free one"},
    {"api", "keys", CONF_KEYS, LIST(keys, key_count),
     .example = "( { name = \"course\"; key_file = \"/etc/execd/course.key\"; } )",
     .help =
         "API keys.  Each has a name (the tenant: jobs of one are invisible to the others) and its "
         "secret as key, key_file or key_env, of 16 characters at least.  It may have a weight of 1 to 1000 "
         "(how "
         "many of its jobs are taken for each one of a key of weight 1, which is the default), and its own "
         "rate_per_minute, rate_burst, max_jobs and max_bytes in place of what is said here and in "
         "queue.key_max_jobs and queue.key_max_bytes.  With a hook_secret of its own (and a "
         "hook_previous_secret; _file and _env too) its webhooks are signed by that, and not by hook.secret. "
         " "
         "None: no key is asked for"},
    {"api", "rate_per_minute", CONF_COUNT, AT(rate_per_minute), .initial = "0", .min = 0, .max = 1000000000,
     .help = "Jobs that one key may submit in a minute; what is beyond answers 429 with Retry-After.  0: any "
             "number"},
    {"api", "rate_burst", CONF_COUNT, AT(rate_burst), .initial = "1000", .min = 1, .max = 1000000000,
     .help = "Jobs that a key which has submitted none for a while may submit at once.  A larger batch is "
             "taken as "
             "well, and waited for afterwards"},
    {"api", "idempotency_ms", CONF_MS, AT(idempotency_ms), .initial = "86400000", .min = SECOND,
     .max = 30 * DAY,
     .help = "How long a submission with an Idempotency-Key is remembered: the same one again gets the same "
             "tokens"},
    {"api", "body_max_bytes", CONF_BYTES, AT(body_max), .initial = "16M", .min = 4 * KIB, .max = GIB,
     .help = "The body of a request"},
    {"api", "header_max_bytes", CONF_BYTES, AT(header_max), .initial = "32k", .min = KIB, .max = MIB,
     .help = "All headers of a request together"},
    {"api", "batch_max", CONF_COUNT, AT(batch_max), .initial = "1000", .min = 1, .max = 100000,
     .help = "Submissions in one batch"},
    {"api", "source_max_bytes", CONF_BYTES, AT(source_max), .initial = "1M", .min = KIB, .max = 256 * MIB,
     .help = "source_code of a submission"},
    {"api", "stdin_max_bytes", CONF_BYTES, AT(stdin_max), .initial = "8M", .min = 0, .max = GIB,
     .help = "stdin of a submission"},
    {"api", "expected_max_bytes", CONF_BYTES, AT(expected_max), .initial = "8M", .min = 0, .max = GIB,
     .help = "expected_output of a submission"},
    {"api", "args_max", CONF_COUNT, AT(args_max), .initial = "64", .min = 0, .max = 1024,
     .help = "Items in args of a submission"},
    {"api", "args_max_bytes", CONF_BYTES, AT(args_bytes_max), .initial = "64k", .min = 0, .max = MIB,
     .help = "All args of a submission together, one byte for the end of each included"},
    {"api", "idle_ms", CONF_MS, AT(idle_ms), .initial = "60000", .min = 100, .max = HOUR,
     .help = "How long a connection may do nothing before it is closed"},
    {"api", "connections_max", CONF_COUNT, AT(connections_max), .initial = "4096", .min = 16, .max = 1000000,
     .help = "Connections at once; more wait until one is closed"},
    {"api", "buffers_max_bytes", CONF_BYTES, AT(buffers_max), .initial = "256M", .min = MIB, .max = 64 * GIB,
     .help =
         "Requests that are not complete and answers that are not read, together.  Beyond it, connections "
         "that hold more than 64k of it are closed.  Submissions that Redis has not answered are bounded by "
         "as "
         "much again: beyond it one is told 503"},
    {"api", "wait_max_ms", CONF_MS, AT(wait_max_ms), .initial = "60000", .min = 0, .max = HOUR,
     .help = "The longest ?wait= of a request for a result; at most idle_ms"},

    /* ---- limits ---- */
    {"limits", "timeout_ms", CONF_MS, AT(limits_default.wall_ms), .initial = "10000", .min = 1, .max = DAY,
     .help = "Wall time (`timeout` of a submission)"},
    {"limits", "cpu_timeout_ms", CONF_MS, AT(cpu_timeout_ms), .initial = "0", .min = 0, .max = DAY,
     .help =
         "Cpu time of all processes of a run together (`cpu_timeout` of a submission, at most its `timeout` "
         "times the cores of its `cpu_limit`); 0: as much as the wall time"},
    {"limits", "timeout_min_ms", CONF_MS, AT(limits_min.wall_ms), .initial = "50", .min = 1, .max = DAY,
     .help = "The least `timeout` that a client may ask for"},
    {"limits", "timeout_max_ms", CONF_MS, AT(limits_max.wall_ms), .initial = "60000", .min = 1, .max = DAY,
     .help = "The largest `timeout` that a client may ask for"},
    {"limits", "memory_bytes", CONF_BYTES, AT(limits_default.memory_bytes), .initial = "512M", .min = 4 * MIB,
     .max = 1024 * GIB,
     .help = "Memory of all processes of a run, its private files included; no swap (`memory_limit` of a "
             "submission, which is in MB of 2^20 bytes).  A language whose runtime needs more by default "
             "gets more"},
    {"limits", "memory_min_bytes", CONF_BYTES, AT(limits_min.memory_bytes), .initial = "16M", .min = 4 * MIB,
     .max = 1024 * GIB, .help = "The least `memory_limit` that a client may ask for"},
    {"limits", "memory_max_bytes", CONF_BYTES, AT(limits_max.memory_bytes), .initial = "4G", .min = 4 * MIB,
     .max = 1024 * GIB, .help = "The largest `memory_limit` that a client may ask for"},
    {"limits", "cpu_limit", CONF_CPU, AT(limits_default.cpu_millis), .initial = "1000m", .min = 10,
     .max = 1000000,
     .help = "Share of cpu as a Kubernetes quantity: \"200m\" is a fifth of a core, \"2\" are two "
             "(`cpu_limit` of a submission)"},
    {"limits", "cpu_limit_min", CONF_CPU, AT(limits_min.cpu_millis), .initial = "50m", .min = 10,
     .max = 1000000, .help = "The least `cpu_limit` that a client may ask for"},
    {"limits", "cpu_limit_max", CONF_CPU, AT(limits_max.cpu_millis), .initial = "4000m", .min = 10,
     .max = 1000000, .help = "The largest `cpu_limit` that a client may ask for"},
    {"limits", "processes", CONF_COUNT, AT(limits_default.processes), .initial = "64", .min = 1, .max = 32768,
     .help = "Processes and threads together"},
    {"limits", "output_bytes", CONF_BYTES, AT(limits_default.output_bytes), .initial = "1M", .min = KIB,
     .max = 256 * MIB,
     .help = "stdout, and stderr, each; a run that writes more ends as output_limit_exceeded"},
    {"limits", "file_bytes", CONF_BYTES, AT(limits_default.file_bytes), .initial = "64M", .min = KIB,
     .max = 64 * GIB, .help = "One file"},
    {"limits", "open_files", CONF_COUNT, AT(limits_default.open_files), .initial = "256", .min = 16,
     .max = 65536, .help = "File descriptors of one process"},
    {"limits", "box_bytes", CONF_BYTES, AT(limits_default.box_bytes), .initial = "256M", .min = MIB,
     .max = 64 * GIB, .help = "All files of a run together; they count as memory too"},
    {"limits", "box_inodes", CONF_COUNT, AT(limits_default.box_inodes), .initial = "16384", .min = 64,
     .max = 10000000, .help = "Files, folders and links of a run together"},
    {"limits", "stack_bytes", CONF_BYTES, AT(limits_default.stack_bytes), .initial = "64M", .min = 64 * KIB,
     .max = 64 * GIB, .help = "Stack of a process's first thread"},

    /* ---- compile ---- */
    {"compile", "timeout_ms", CONF_MS, AT(limits_compile.wall_ms), .initial = "30000", .min = 100, .max = DAY,
     .help = "Wall time"},
    {"compile", "cpu_timeout_ms", CONF_MS, AT(compile_cpu_timeout_ms), .initial = "0", .min = 0, .max = DAY,
     .help = "Cpu time of all processes of a compile step together; 0: as much as the wall time"},
    {"compile", "memory_bytes", CONF_BYTES, AT(limits_compile.memory_bytes), .initial = "1G", .min = 16 * MIB,
     .max = 1024 * GIB,
     .help = "Memory of all processes of a compile step, its private files included; no swap"},
    {"compile", "cpu_limit", CONF_CPU, AT(limits_compile.cpu_millis), .initial = "2000m", .min = 10,
     .max = 1000000, .help = "Share of cpu as a Kubernetes quantity"},
    {"compile", "processes", CONF_COUNT, AT(limits_compile.processes), .initial = "64", .min = 1,
     .max = 32768, .help = "Processes and threads together"},
    {"compile", "output_bytes", CONF_BYTES, AT(limits_compile.output_bytes), .initial = "64k", .min = KIB,
     .max = 64 * MIB,
     .help = "What a compiler may print; more is a compile_error that shows its beginning and its end"},
    {"compile", "file_bytes", CONF_BYTES, AT(limits_compile.file_bytes), .initial = "64M", .min = KIB,
     .max = 64 * GIB, .help = "One file"},
    {"compile", "open_files", CONF_COUNT, AT(limits_compile.open_files), .initial = "1024", .min = 16,
     .max = 65536, .help = "File descriptors of one process"},
    {"compile", "box_bytes", CONF_BYTES, AT(limits_compile.box_bytes), .initial = "256M", .min = MIB,
     .max = 64 * GIB, .help = "All files of a compile step together; they count as memory too"},
    {"compile", "box_inodes", CONF_COUNT, AT(limits_compile.box_inodes), .initial = "16384", .min = 64,
     .max = 10000000, .help = "Files, folders and links of a compile step together"},
    {"compile", "stack_bytes", CONF_BYTES, AT(limits_compile.stack_bytes), .initial = "64M", .min = 64 * KIB,
     .max = 64 * GIB, .help = "Stack of a process's first thread"},
    {"compile", "keep_bytes", CONF_BYTES, AT(compile_keep_bytes), .initial = "64M", .min = 64 * KIB,
     .max = 4 * GIB, .help = "Compiled output of one job, which its runs need"},
    {"compile", "cache", CONF_CACHE, AT(compile_cache), .initial = "tenant",
     .help =
         "Compiled output that is kept in process.state_dir, so that a program that is sent again need not "
         "be "
         "compiled again: \"tenant\" uses it for the same API key's jobs, \"shared\" for everybody's (who "
         "sends "
         "a program can then tell by the time whether somebody else has sent the same), \"off\" keeps none"},
    {"compile", "cache_bytes", CONF_BYTES, AT(compile_cache_bytes), .initial = "256M", .min = MIB,
     .max = 1024 * GIB, .help = "What it may take on the disk.  The output used longest ago goes first"},

    /* ---- queue ---- */
    {"queue", "url", CONF_STRING, AT(queue_url), .initial = "embedded", .rule = conf_rule_queue_url,
     .help =
         "\"embedded\": a private redis-server in process.state_dir.  Else \"redis://USER@HOST:PORT/DB\" "
         "(USER@ for a user of Redis' ACL), \"unix:/PATH?db=N\", or "
         "\"sentinel://USER@HOST:PORT,HOST:PORT/NAME/DB\": the master that sentinels know as NAME, wherever "
         "a fail-over puts it; or \"cluster://USER@HOST:PORT,HOST:PORT\": a Redis Cluster, of which these "
         "are "
         "some nodes.  \"rediss://\", \"sentinels://\" and \"clusters://\" are the same with TLS"},
    {"queue", "password", CONF_SECRET, AT(queue_password), .example = "/etc/execd/redis.password",
     .rule = conf_rule_filled, .help = "Redis' password, if it is not part of the url"},
    {"queue", "sentinel_password", CONF_SECRET, AT(sentinel_password),
     .example = "/etc/execd/sentinel.password", .rule = conf_rule_filled,
     .help = "The sentinels' own password, if they have one"},
    {"queue", "tls_ca", CONF_STRING, AT(tls_ca), .initial = "", .rule = conf_rule_path,
     .help = "File of the certificates by which Redis' own is judged.  Empty: those that the machine trusts. "
             " It and "
             "the next two are read by the user that execd becomes"},
    {"queue", "tls_cert", CONF_STRING, AT(tls_cert), .initial = "", .rule = conf_rule_path,
     .help = "File of execd's own certificate, for a Redis that asks for one.  Empty: none"},
    {"queue", "tls_key", CONF_STRING, AT(tls_key), .initial = "", .rule = conf_rule_path,
     .help = "File of the key of queue.tls_cert.  Empty: it is in the same file"},
    {"queue", "tls_name", CONF_STRING, AT(tls_name), .initial = "", .rule = conf_rule_line,
     .help =
         "The name that Redis' certificate must be for.  Empty: the host, or address, that is connected to"},
    {"queue", "accept_missing", CONF_STRINGS, LIST(queue_accept, queue_accept_count),
     .example = "( \"persistence\" )", .rule = conf_rule_filled,
     .help = "What a Redis of your own may lack of what keeps accepted jobs: \"persistence\" (an append-only "
             "file), "
             "\"eviction\" (maxmemory-policy noeviction).  A Redis that lacks another refuses the start"},
    {"queue", "prefix", CONF_STRING, AT(queue_prefix), .initial = "execd", .rule = conf_rule_prefix,
     .help = "The beginning of every Redis key; systems with different ones share a Redis without meeting"},
    {"queue", "shards", CONF_COUNT, AT(queue_shards), .initial = "1", .min = 1, .max = 64,
     .help =
         "Parts that share the jobs, each with all its keys in one slot: for a Redis Cluster a multiple of "
         "its masters; one else.  What Redis holds was made with one number, and another refuses to start"},
    {"queue", "redis_server", CONF_STRING, AT(redis_server), .initial = "redis-server",
     .rule = conf_rule_filled,
     .help = "The program of the embedded Redis: an absolute path, or a name that $PATH finds"},
    {"queue", "lease_ms", CONF_MS, AT(lease_ms), .initial = "10000", .min = 500, .max = HOUR,
     .help = "How long a worker owns a claimed job without saying that it is alive; after that another one "
             "takes it.  At least 3 * worker.heartbeat_ms"},
    {"queue", "answer_ms", CONF_MS, AT(answer_ms), .initial = "900", .min = 50, .max = 10 * 60 * SECOND,
     .help = "How long a request waits for Redis.  A submission or cancellation that is not answered by then "
             "is told "
             "503 `unsure`, another 503 `unavailable`; while Redis is known to be away, 503 at once"},
    {"queue", "max_attempts", CONF_COUNT, AT(max_attempts), .initial = "3", .min = 1, .max = 100,
     .help = "Workers that may lose a job before it ends as internal_error and becomes a dead letter"},
    {"queue", "result_ttl_ms", CONF_MS, AT(result_ttl_ms), .initial = "86400000", .min = 10 * SECOND,
     .max = 365 * DAY, .help = "How long a result is kept"},
    {"queue", "max_jobs", CONF_COUNT, AT(queue_max_jobs), .initial = "1000000", .min = 1, .max = 1000000000,
     .help = "Jobs that wait; a submission beyond answers 503 with Retry-After"},
    {"queue", "max_bytes", CONF_BYTES, AT(queue_max_bytes), .initial = "4G", .min = MIB, .max = 1024 * GIB,
     .help = "Bytes of jobs that wait; a submission beyond answers 503 with Retry-After"},
    {"queue", "key_max_jobs", CONF_COUNT, AT(key_max_jobs), .initial = "0", .min = 0, .max = 1000000000,
     .help = "Jobs of one API key that wait; 0: as many as the queue takes"},
    {"queue", "key_max_bytes", CONF_BYTES, AT(key_max_bytes), .initial = "0", .min = 0, .max = 1024 * GIB,
     .help = "Bytes of the jobs of one API key that wait; 0: as many as the queue takes"},
    {"queue", "max_wait_ms", CONF_MS, AT(queue_max_wait_ms), .initial = "86400000", .min = SECOND,
     .max = 365 * DAY,
     .help = "How long a job waits for a worker that serves its language before it ends as internal_error"},

    {"queue", "dead_max", CONF_COUNT, AT(dead_max), .initial = "1000", .min = 1, .max = 10000,
     .help = "Dead letters of one API key that are kept: jobs that cost their worker max_attempts times, "
             "with their "
             "programs, for `execctl dead`.  The newest stay"},
    {"queue", "dead_max_bytes", CONF_BYTES, AT(dead_max_bytes), .initial = "64M", .min = 0, .max = 64 * GIB,
     .help = "Bytes of their programs"},
    {"queue", "dead_ttl_ms", CONF_MS, AT(dead_ttl_ms), .initial = "604800000", .min = 10 * SECOND,
     .max = 365 * DAY, .help = "How long they are kept"},

    /* ---- worker ---- */
    {"worker", "slots", CONF_COUNT, AT(slots), .initial = "0", .min = 0, .max = 1024,
     .help = "Jobs at once; 0: one a core"},
    {"worker", "heartbeat_ms", CONF_MS, AT(heartbeat_ms), .initial = "3000", .min = 50,
     .max = 10 * 60 * SECOND, .help = "How often a worker says that it is alive and extends its leases"},
    {"worker", "spool_bytes", CONF_BYTES, AT(spool_bytes), .initial = "256M", .min = 0, .max = 1024 * GIB,
     .help = "What results may take in process.state_dir that Redis has not taken yet, so that they outlive "
             "the worker. "
             "Beyond, and with 0, they wait in memory"},
    {"worker", "drain_ms", CONF_MS, AT(drain_ms), .initial = "10000", .min = 0, .max = DAY,
     .help = "How long SIGTERM lets running jobs end; the rest is handed back to the queue"},
    {"worker", "jailer", CONF_STRING, AT(jailer), .initial = "", .rule = conf_rule_path,
     .help = "The program execd-jailer.  Empty: beside execd, or where the installation put it"},
    {"worker", "cgroup_root", CONF_STRING, AT(cgroup_root), .initial = "", .rule = conf_rule_path,
     .help = "The cgroup directory to make cells in.  Empty: found"},
    {"worker", "favor_dynmods", CONF_BOOL, AT(favor_dynmods), .initial = "true",
     .help =
         "Started as root, have the machine's cgroups mounted with the option favordynmods (cgroup-v2.rst), "
         "if they are not: a cell that is built then holds up no process elsewhere, each of which starts "
         "and ends slightly slower for it.  The option stays until the next boot"},
    {"worker", "rootfs", CONF_STRING, AT(rootfs), .initial = "", .rule = conf_rule_path,
     .help = "A folder with a root file system of its own for the cells (`./dev rootfs` makes one).  All of "
             "it must belong to root or to the user that starts execd, and nobody else may write it.  Empty: "
             "parts of the machine's"},
    {"worker", "uid_base", CONF_COUNT, AT(uid_base), .initial = "1900000000", .min = 1000,
     .max = CONF_UID_BASE_MAX,
     .help = "The first of the 1024 user ids that cells get when execd is started as root; in a container "
             "with a user namespace of its own they must be among its ids (a pod of Kubernetes: 0 to 65535)"},
    {"worker", "accept_missing", CONF_STRINGS, LIST(accept_missing, accept_missing_count),
     .example = "( \"cgroup_cpu\" )", .rule = conf_rule_filled,
     .help = "Protections, by their names in `execd doctor`, that may be missing on this machine.  Any "
             "other that is missing refuses the start"},

    /* ---- warm ---- */
    {"warm", "enabled", CONF_BOOL, AT(warm_enabled), .initial = "true",
     .help = "false: every job starts its interpreter and its compiler itself.  (`warm = false` beside the "
             "`file` of a plugin does that for its languages)"},
    {"warm", "runtimes_max", CONF_COUNT, AT(warm_runtimes_max), .initial = "0", .min = 0, .max = 256,
     .help = "Runtimes of all languages together that are kept; 0: four for each slot, and two"},
    {"warm", "memory_max_bytes", CONF_BYTES, AT(warm_memory_max), .initial = "2G", .min = 16 * MIB,
     .max = 1024 * GIB,
     .help = "What they may use together: the sum of runtime_memory_bytes and service_memory_bytes of those "
             "that are kept"},
    {"warm", "runtime_memory_bytes", CONF_BYTES, AT(warm_runtime_memory), .initial = "128M", .min = 16 * MIB,
     .max = 64 * GIB, .help = "What one may use before its job comes; then the job's limits are in force"},
    {"warm", "service_memory_bytes", CONF_BYTES, AT(warm_service_memory), .initial = "512M", .min = 16 * MIB,
     .max = 64 * GIB, .help = "What a compiler may use that stays for many jobs"},
    {"warm", "uses_max", CONF_COUNT, AT(warm_uses_max), .initial = "1000", .min = 1, .max = 1000000000,
     .help = "Jobs after which a runtime that serves many of them is replaced; a plugin may want it earlier"},
    {"warm", "age_max_ms", CONF_MS, AT(warm_age_max_ms), .initial = "3600000", .min = SECOND, .max = 30 * DAY,
     .help = "Age at which a runtime is replaced; a plugin may want it earlier"},
    {"warm", "idle_ms", CONF_MS, AT(warm_idle_ms), .initial = "600000", .min = 100, .max = 30 * DAY,
     .help = "How long a language's last runtime is kept though nobody asks for it"},

    /* ---- hook ---- */
    {"hook", "enabled", CONF_BOOL, AT(hook_enabled), .initial = "true",
     .help = "false: submissions with a callback_url are refused"},
    {"hook", "secret", CONF_SECRET, AT(hook_secret), .example = "/etc/execd/hook.secret",
     .rule = conf_rule_hook_secret,
     .help = "\"whsec_\" and 24 to 64 random bytes in base64: deliveries are then signed by the Standard "
             "Webhooks scheme"},
    {"hook", "previous_secret", CONF_SECRET, AT(hook_previous_secret),
     .example = "/etc/execd/hook.secret.old", .rule = conf_rule_hook_secret,
     .help = "The secret before it: deliveries carry signatures of both, until every receiver knows the new "
             "one"},
    {"hook", "allow_private", CONF_BOOL, AT(hook_allow_private), .initial = "false",
     .help = "Deliver to loopback, private and link-local addresses as well.  Whoever may submit can then "
             "make execd send requests into your network"},
    {"hook", "allow_networks", CONF_STRINGS, LIST(hook_allow_networks, hook_allow_network_count),
     .example = "( \"10.1.0.0/16\", \"fd00::/8\" )", .rule = conf_rule_network,
     .help = "Networks to deliver to although they are private"},
    {"hook", "deny_networks", CONF_STRINGS, LIST(hook_deny_networks, hook_deny_network_count),
     .example = "( \"198.18.7.0/24\", \"2620:0:2d0::/48\" )", .rule = conf_rule_network,
     .help = "Networks never to deliver to, whatever else allows them: public addresses of your own"},
    {"hook", "timeout_ms", CONF_MS, AT(hook_timeout_ms), .initial = "10000", .min = 100,
     .max = 10 * 60 * SECOND, .help = "One delivery, from connecting to the answer's end"},
    {"hook", "attempts", CONF_COUNT, AT(hook_attempts), .initial = "50", .min = 1, .max = 100,
     .help = "Attempts of one delivery at most"},
    {"hook", "first_retry_ms", CONF_MS, AT(hook_first_retry_ms), .initial = "1000", .min = 1, .max = DAY,
     .help = "The pause before the second attempt; each pause is longer than the one before"},
    {"hook", "max_retry_ms", CONF_MS, AT(hook_max_retry_ms), .initial = "7200000", .min = 1, .max = 7 * DAY,
     .help = "The longest pause between two attempts"},
    {"hook", "window_ms", CONF_MS, AT(hook_window_ms), .initial = "86400000", .min = SECOND, .max = 7 * DAY,
     .help = "How long a delivery is tried; what it did not reach by then is given up.  The result is kept "
             "at least so long"},
    {"hook", "concurrency", CONF_COUNT, AT(hook_concurrency), .initial = "64", .min = 1, .max = 10000,
     .help = "Deliveries at once.  Where there are several API keys, none may hold more than three times as "
             "many as are free: one alone has three quarters"},
    {"hook", "per_host", CONF_COUNT, AT(hook_per_host), .initial = "8", .min = 1, .max = 10000,
     .help = "Deliveries of one API key at once to one host and port; of several queue.shards each has its "
             "part, and at least one"},
    {"hook", "breaker_failures", CONF_COUNT, AT(hook_breaker_failures), .initial = "10", .min = 0,
     .max = 1000000,
     .help =
         "Failures in a row (no answer, 429, 5xx) of one API key's deliveries after which a host and port is "
         "left alone by them for a while; 0: never"},
    {"hook", "breaker_pause_ms", CONF_MS, AT(hook_breaker_pause_ms), .initial = "30000", .min = 1, .max = DAY,
     .help = "For how long, before one delivery finds out; up to 16 times that while it goes on failing"},

    /* ---- scaling ---- */
    {"scaling", "minPods", CONF_COUNT, AT(min_pods), .initial = "1", .min = 0, .max = 100000,
     .help = "Workers that there are at least"},
    {"scaling", "maxPods", CONF_COUNT, AT(max_pods), .initial = "10", .min = 1, .max = 100000,
     .help = "Workers that there are at most"},
    {"scaling", "jobsPerPod", CONF_COUNT, AT(jobs_per_pod), .initial = "5", .min = 1, .max = 100000,
     .help = "Jobs for each of which sets one worker is wanted"},
    {"scaling", "checkIntervalMs", CONF_MS, AT(check_interval_ms), .initial = "10000", .min = 100,
     .max = HOUR, .help = "How often the number is thought over"},
    {"scaling", "policy", CONF_POLICY, AT(policy), .initial = "queue",
     .help = "\"queue\": as many workers as jobs wait and run, by jobsPerPod.  \"objective\": as many as are "
             "needed to keep waitTargetMs, calculated from how fast jobs arrive and how long they take"},
    {"scaling", "cpuTarget", CONF_COUNT, AT(cpu_target), .initial = "0", .min = 0, .max = 100,
     .help = "Percent of the workers' cpu; more are wanted while they use more than that.  0: their cpu does "
             "not matter"},
    {"scaling", "stabilizationMs", CONF_MS, AT(stabilization_ms), .initial = "60000", .min = 0, .max = DAY,
     .help = "There are never fewer workers than were wanted within this time.  At most 900 * "
             "scaling.checkIntervalMs"},
    {"scaling", "waitTargetMs", CONF_MS, AT(wait_target_ms), .initial = "2000", .min = 1, .max = DAY,
     .help = "Of \"objective\": 95 of 100 jobs are to be begun within this time"},
    {"scaling", "podStartMs", CONF_MS, AT(pod_start_ms), .initial = "10000", .min = 0, .max = HOUR,
     .help = "Of \"objective\": how long it takes until a new worker runs jobs"},
};
const size_t conf_item_count = COUNT_OF(conf_items);
_Static_assert(COUNT_OF(conf_items) <= CONF_ITEMS_MAX, "raise CONF_ITEMS_MAX");

const struct conf_item *conf_item_find(const char *section, const char *name)
{
    for (size_t i = 0; i < conf_item_count; i++)
        if (strcmp(conf_items[i].section, section) == 0 && strcmp(conf_items[i].name, name) == 0)
            return &conf_items[i];
    return NULL;
}
