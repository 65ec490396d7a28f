/* conf.h - execd.conf as checked structs; the only room with libconfig.
 *
 * Theory of operation.  One table (conf_keys.c) declares every key: path, type,
 * unit, default, bounds, help.  Loading walks the file against the table: an
 * unknown key, a wrong type or a value out of bounds is a mistake, and all
 * mistakes are reported, each as "file:line: text".  Secrets may be given as
 * `key = "..."`, `key_file = "path"` or `key_env = "NAME"`.  Plugins' own settings
 * stay uninterpreted pairs with their lines until plugin/ checks them against
 * what the plugin declares.  Thread: any; no state. */
#ifndef EXECD_CONF_H
#define EXECD_CONF_H

#include "base/base.h"
#include "job/job.h"
#include "log/log.h"

/* Of worker.uid_base: ids follow it, and the last ones are nobody's. */
#define CONF_UID_BASE_MAX 4294901760u

struct conf_setting { /* one `key = value;` of a plugin's settings */
    char *key;
    char kind; /* 's' string, 'i' integer, 'b' bool, 'd' double */
    char *s;
    int64_t i;
    double d;
    int line;
};
struct conf_plugin {
    char *file; /* bare name (looked up in plugin_dir) or absolute path */
    bool optional;
    bool cold; /* `warm = false` was written */
    int line;
    struct conf_setting *settings;
    size_t setting_count;
};
enum conf_cache { /* whose compiled output serves whom */
                  CONF_CACHE_OFF,
                  CONF_CACHE_TENANT,
                  CONF_CACHE_SHARED
};
enum conf_policy { /* how many workers there should be, by... */
                   CONF_POLICY_QUEUE,
                   CONF_POLICY_OBJECTIVE
};
struct conf_key { /* an API key */
    char *name;   /* its tenant's */
    char *key;
    uint64_t weight;                           /* turns beside a key of weight 1 */
    uint64_t max_jobs, max_bytes, rate, burst; /* as queue.key_max_jobs and so on, which are in here where
                                                * the key says nothing */
    char *hook_secret, *hook_previous_secret;  /* in place of both hook_secret and so on below; NULL: these
                                                * sign. The second is never without the first */
};

struct conf {
    char *path; /* the file; "(defaults)" if none */
    /* process */
    char *user; /* "" : execd if it exists, else uid 1899999999 */
    char *state_dir;
    /* log */
    enum log_format log_format;
    enum log_level log_level;
    /* lines of the file, for mistakes that only rooms above can see; 0: elsewhere */
    int queue_url_line, queue_accept_line, accept_missing_line;
    /* api */
    uint16_t port;
    char *address;
    uint64_t body_max, batch_max, source_max, stdin_max, expected_max, args_max, args_bytes_max, header_max;
    uint64_t idle_ms, wait_max_ms, connections_max, buffers_max;
    uint64_t rate_per_minute, rate_burst; /* of one key; 0: any number */
    uint64_t idempotency_ms;
    struct conf_key *keys;
    size_t key_count;
    /* limits */
    struct job_limits limits_default, limits_min, limits_max, limits_compile;
    uint64_t cpu_timeout_ms, compile_cpu_timeout_ms; /* 0: as the wall time; limits_* have what holds */
    uint64_t compile_keep_bytes;                     /* compiled output at most */
    enum conf_cache compile_cache;
    uint64_t compile_cache_bytes;
    /* queue */
    char *queue_url;                              /* "embedded", or as of store.h */
    char *queue_password, *sentinel_password;     /* NULL if none */
    char *tls_ca, *tls_cert, *tls_key, *tls_name; /* "" : not said */
    char **queue_accept;
    size_t queue_accept_count; /* findings of store.h by name */
    char *queue_prefix;
    uint64_t queue_shards;
    char *redis_server;
    uint64_t lease_ms, max_attempts, result_ttl_ms, queue_max_jobs, queue_max_bytes, queue_max_wait_ms;
    uint64_t key_max_jobs, key_max_bytes; /* 0: as many as the queue takes */
    uint64_t dead_max, dead_max_bytes, dead_ttl_ms;
    uint64_t answer_ms;
    /* worker */
    uint64_t slots; /* 0: one a core */
    uint64_t heartbeat_ms;
    uint64_t spool_bytes; /* 0: results wait for Redis in memory alone */
    char *jailer;         /* path; "" : beside execd, or ../libexec/execd */
    char *cgroup_root;    /* "" : found */
    char *rootfs;         /* "" : the machine's files */
    uint64_t uid_base;
    char **accept_missing;
    size_t accept_missing_count; /* protections by name */
    uint64_t drain_ms;           /* how long SIGTERM lets jobs finish */
    bool favor_dynmods;
    /* warm */
    bool warm_enabled;
    uint64_t warm_runtimes_max; /* 0: by the slots */
    uint64_t warm_memory_max, warm_runtime_memory, warm_service_memory, warm_uses_max, warm_age_max_ms,
        warm_idle_ms;
    /* hook */
    char *hook_secret;          /* "whsec_..." or NULL: unsigned */
    char *hook_previous_secret; /* NULL, or signs as well */
    bool hook_enabled, hook_allow_private;
    char **hook_allow_networks, **hook_deny_networks;
    size_t hook_allow_network_count, hook_deny_network_count;
    uint64_t hook_timeout_ms, hook_attempts, hook_first_retry_ms, hook_max_retry_ms, hook_window_ms,
        hook_concurrency, hook_per_host;
    uint64_t hook_breaker_failures; /* 0: no endpoint is ever paused */
    uint64_t hook_breaker_pause_ms;
    /* plugins */
    char *plugin_dir; /* "" : beside execd */
    struct conf_plugin *plugins;
    size_t plugin_count;
    /* scaling: the seed's four numbers, and what they left open */
    uint64_t min_pods, max_pods, jobs_per_pod, check_interval_ms;
    enum conf_policy policy;
    uint64_t cpu_target, stabilization_ms, wait_target_ms, pod_start_ms;
};

/* Appends one "file:line: text\n" per mistake to `mistakes`; -1 if there was any.
 * `path` NULL: defaults only.  Environment EXECD_* overrides are documented in docs/configuration.md. */
int conf_load(const char *path, struct conf **ret, struct buf *mistakes) NODISCARD;
struct conf *conf_free(struct conf *c);
/* The commented default file, made from the table (so it cannot drift). */
int conf_print_defaults(struct buf *out);

#endif
