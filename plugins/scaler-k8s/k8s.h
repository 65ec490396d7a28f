/* k8s.h - what the files of scaler-k8s share.
 *
 * Theory of operation.  A replica is a pod of one Deployment or StatefulSet.  How many there are is the scale
 * subresource, which is read each round and written with the resourceVersion of a read; which pods there are
 * is listed once and then watched; which of them go is the pod-deletion-cost, written right before the count
 * is lowered, and only for pods whose workers have said that they hold nothing.  A worker's pod is told by
 * the host in its name (host:pid:random): a pod's host name is the pod's name.
 *
 * Nothing is asked of the API server before the host asks for the first time, and nothing after retire(): of
 * all execd processes with this plugin in their configuration only the one that leads speaks to it.
 *
 * Thread: the loop's.  Files that are read (token, certificates, kubeconfig) are small and local. */
#ifndef K8S_H
#define K8S_H

#include <execd/plugin.h>

#include <stdbool.h>

#include <cjson/cJSON.h>

#define K8S_WHY 200 /* bytes of a reason */

/* ---- k8s_file.c: small files, and text ------------------------------------------------------- */

struct k8s_text { /* owned; ptr is NUL-terminated; NULL if there is none */
    char *ptr;
    size_t len;
};
/* A file of at most 1 MiB.  False: why says what is wrong with it. */
bool k8s_file_read(const char *path, struct k8s_text *ret, char why[K8S_WHY]);
/* Base64 (RFC 4648, with padding or blanks as it may be). */
bool k8s_base64(const char *text, struct k8s_text *ret);
void k8s_text_done(struct k8s_text *t);                    /* overwrites it: it may be a secret */
char *k8s_printf(const char *fmt, ...) EXECD_PRINTF(1, 2); /* NULL: no memory */
/* What is not unreserved as %XX (RFC 3986, 2.3).  NULL: no memory. */
char *k8s_escape(const char *text);
void k8s_why(char why[K8S_WHY], const char *fmt, ...) EXECD_PRINTF(2, 3);

/* ---- k8s_config.c, k8s_kubeconfig.c: where the API server is, and who we are to it ------------- */

struct k8s_source { /* of a certificate, key or token: a file that is read again, or what was written out */
    char *path;     /* NULL: `text` is all there is */
    struct k8s_text text;
};
struct k8s_config {
    char *server; /* "https://host:port[/path]", without a slash at its end */
    char *ns;     /* what the context or the service account says; "default" */
    struct k8s_source ca, cert, key, token;
};
/* The pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and the files of `account_dir`. */
bool k8s_config_in_cluster(struct k8s_config *c, const char *account_dir, char why[K8S_WHY]);
/* `context`: NULL for the current one.  What would be less secure than asked for, or cannot be done here
 * (exec, proxies, a server that is not checked), is refused by name. */
bool k8s_config_kubeconfig(struct k8s_config *c, const char *path, const char *context, char why[K8S_WHY]);
/* Reads the file of `s` again.  A file that is gone or empty leaves what was read before, and `why` says what
 * is wrong with it; else `why` stays as it is.  True: it changed. */
bool k8s_source_reload(struct k8s_source *s, char why[K8S_WHY]);
void k8s_config_done(struct k8s_config *c);

/* ---- k8s_json.c: what of an object is needed --------------------------------------------------- */

/* "metadata.name"; NULL if any of it is not there. */
const cJSON *k8s_at(const cJSON *object, const char *path);
const char *k8s_string(const cJSON *object, const char *path); /* NULL: not there, or no text */
/* An integer from 0 to UINT32_MAX; `otherwise` if it is not there (proto's omitempty leaves out a 0). */
int64_t k8s_integer(const cJSON *object, const char *path, int64_t otherwise);

/* ---- k8s_quantity.c --------------------------------------------------------------------------- */

/* Kubernetes' quantities, in thousandths, rounded up: "250m" is 250, "2" 2000, "1Ki" 1024000. */
bool k8s_quantity_millis(const char *text, int64_t *ret);

/* ---- k8s_call.c: one request, its answer, and what is wrong with it ------------------------------ */

enum k8s_fault {
    K8S_FINE = 0,
    K8S_UNREACHED, /* no answer, or none of HTTP */
    K8S_UNAUTHORIZED,
    K8S_FORBIDDEN,
    K8S_MISSING,
    K8S_CONFLICT,
    K8S_GONE,
    K8S_BUSY,   /* 429, or we wait because of it */
    K8S_SERVER, /* 5xx */
    K8S_OTHER   /* what we asked is refused, or the answer cannot be read */
};

struct k8s_client {
    const struct execd_host *host;
    struct execd_ctx *ctx;
    struct k8s_config config;
    bool configured;
    uint64_t deadline_ms;   /* of one request */
    uint64_t token_read_ms; /* when the token's file was read */
    uint64_t token_number;  /* goes up with each that was another */
    bool token_told;        /* that it cannot be read */
    uint64_t not_before_ms; /* the server is to be left alone until then... */
    uint32_t failures;      /* ...after so many in a row */
    char last_why[K8S_WHY];
};

struct k8s_request {
    const char *method, *path; /* path: with its query, from "/" on */
    const char *content_type;  /* of body; NULL: there is none */
    const char *body;
    uint64_t body_max;                                  /* of the answer */
    uint64_t deadline_ms;                               /* 0: the client's */
    void (*piece)(void *arg, struct execd_bytes piece); /* as of execd_http_request */
};
struct k8s_call;
/* why: NULL if fault is K8S_FINE.  json: the answer, borrowed; NULL for a stream that ended. */
typedef void (*k8s_call_fn)(void *arg, enum k8s_fault fault, const cJSON *json, const char *why);
/* fn comes once from a later turn, unless it is cancelled.  NULL: not begun, why says why; fn does not come.
 */
struct k8s_call *k8s_call(struct k8s_client *c, const struct k8s_request *r, k8s_call_fn fn, void *arg,
                          char why[K8S_WHY]);
void k8s_call_cancel(struct k8s_call *call); /* NULL is fine; not from within fn */

/* ---- k8s_pods.c: the pods that there are ---------------------------------------------------------- */

#define K8S_HOST 43u /* bytes of a host in a worker's name: of a longer one the end */
#define K8S_COST "controller.kubernetes.io/pod-deletion-cost"
#define K8S_COST_FIRST "-2147483648" /* nobody goes before it; also how we know our own */

struct k8s_pod {
    struct k8s_pod *next, **link; /* all of them */
    char host[K8S_HOST + 1];      /* by which they are found */
    char *name, *owner;           /* owner: uid of the ReplicaSet or StatefulSet */
    uint64_t generation;          /* of the list that told of it last */
    bool started, ready;
    bool deleting;                   /* it ends already, or has ended: the controller counts it no more */
    bool costed;                     /* it has our deletion cost, as the watch said */
    bool heard;                      /* its worker was */
    bool asked;                      /* the change that is under way has set or taken it */
    int64_t ordinal;                 /* of a StatefulSet; -1 */
    int64_t cpu_max_millis;          /* its limit, or what it requests; 0: none */
    int64_t cpu_millis, cpu_read_ms; /* k8s_metrics.c; cpu_read_ms 0: not known */
};
struct k8s_pods {
    struct k8s_pod *first;
    void *tree; /* tsearch(3), by host */
    uint32_t count;
    uint64_t generation;
};
/* False: no memory, or too many.  told: NULL, or is told of a pod that begins to end without our cost. */
bool k8s_pods_put(struct k8s_pods *p, const cJSON *object, void (*told)(void *arg, const struct k8s_pod *pod),
                  void *arg);
void k8s_pods_remove(struct k8s_pods *p, const cJSON *object);
void k8s_pods_begin(struct k8s_pods *p); /* a list: what it does not tell of is gone at its end */
void k8s_pods_end(struct k8s_pods *p);
void k8s_pods_clear(struct k8s_pods *p);
/* Of the worker with this name; NULL: none, or it ends. */
struct k8s_pod *k8s_pods_of_worker(const struct k8s_pods *p, const char *worker);
struct k8s_pod *k8s_pods_by_name(const struct k8s_pods *p, const char *name);

/* ---- k8s_watch.c: they are kept up to date -------------------------------------------------------- */

struct k8s_watch {
    struct k8s_client *client;
    struct k8s_pods pods;
    char *ns, *selector;   /* selector: escaped; NULL until the scale was read */
    char *version, *token; /* resourceVersion to go on from; `continue` of a list */
    bool running, synced;
    bool listing;
    struct k8s_call *call;
    uint64_t timer;
    uint64_t begun_ms; /* of the watch that runs */
    uint64_t lost_ms;  /* since when there is none; 0: there is */
    uint32_t failures;
    bool broken;          /* what the stream said cannot be read */
    struct k8s_text line; /* what has come of an event */
    size_t line_room;
    char why[K8S_WHY]; /* what is wrong; "" if nothing is */
};
/* Begins, or begins anew for another selector; nothing if it runs. */
void k8s_watch_start(struct k8s_watch *w, const char *selector);
void k8s_watch_stop(struct k8s_watch *w); /* and forgets all */
/* Is what it knows of pods what there is, but for moments?  Else why. */
bool k8s_watch_fresh(const struct k8s_watch *w, char why[K8S_WHY]);

/* ---- the plugin ---------------------------------------------------------------------------------- */

struct k8s {
    struct k8s_client client;
    struct k8s_watch watch;
    const char *kubeconfig, *context, *account_dir; /* of the settings */
    const char *kind, *name;                        /* kind: "deployments" or "statefulsets" */
    bool stateful;
    int64_t ordinals_start;
    char *scale_path, *pods_path, *metrics_path;
    struct k8s_change *change; /* that is under way; NULL */
    struct k8s_call *current;
    execd_apply_fn current_done;
    void *current_arg;
    /* k8s_metrics.c */
    bool metrics_on, metrics_wanted;
    uint64_t metrics_next_ms;
    struct k8s_call *metrics;
    struct execd_worker *patched; /* of decide() */
    uint32_t patched_room;
};

/* k8s_change.c: the count, and who goes. */
int32_t k8s_change_begin(struct k8s *k, const struct execd_change *c, bool any, execd_apply_fn done,
                         void *arg, struct execd_error *err);
void k8s_change_cancel(struct k8s *k);

/* k8s_metrics.c: the cpu of those whose workers do not tell it. */
void k8s_metrics_read(struct k8s *k);
void k8s_metrics_cancel(struct k8s *k);
/* `o` with the cpu that is known of pods; what it points to lives until the next call. */
struct execd_observation k8s_metrics_fill(struct k8s *k, const struct execd_observation *o);

#endif
