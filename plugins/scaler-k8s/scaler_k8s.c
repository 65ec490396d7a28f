/* scaler_k8s.c - workers as pods of a Deployment or StatefulSet (theory of operation: k8s.h). */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>

#include "scaler_policy.h"

enum { KIND, NAME, NAMESPACE, KUBECONFIG, CONTEXT, ACCOUNT_DIR, DEADLINE, ORDINALS_START, METRICS };
static const struct execd_option options[] = {
    [KIND] = {"kind", EXECD_OPT_STRING, 0, "Deployment",
              "what the workers' pods belong to: Deployment or StatefulSet", 0, 0},
    [NAME] = {"name", EXECD_OPT_STRING, EXECD_OPT_REQUIRED, NULL, "its name", 0, 0},
    [NAMESPACE] = {"namespace", EXECD_OPT_STRING, 0, NULL,
                   "its namespace; by default that of the service account or of the kubeconfig's context", 0,
                   0},
    [KUBECONFIG] = {"kubeconfig", EXECD_OPT_PATH, 0, NULL,
                    "how to reach the API server; by default as the pod that this is", 0, 0},
    [CONTEXT] = {"context", EXECD_OPT_STRING, 0, NULL, "of the kubeconfig; by default its current-context", 0,
                 0},
    [ACCOUNT_DIR] = {"account_dir", EXECD_OPT_PATH, 0, "/var/run/secrets/kubernetes.io/serviceaccount",
                     "where a pod finds its token, ca.crt and namespace", 0, 0},
    [DEADLINE] = {"deadline_ms", EXECD_OPT_MILLIS, 0, "5000", "for one request to the API server", 100,
                  60000},
    [ORDINALS_START] = {"ordinals_start", EXECD_OPT_INT, 0, "0", "of a StatefulSet: its spec.ordinals.start",
                        0, INT32_MAX},
    [METRICS] = {"metrics", EXECD_OPT_BOOL, 0, "true",
                 "ask metrics.k8s.io for the cpu of workers that do not tell it", 0, 0},
};

/* ---- the operations ------------------------------------------------------------------------------- */

/* A worker that beats may have a job, whatever the kubelet has told of its pod. */
static void note_heard(struct k8s *k, const struct execd_observation *o)
{
    const char *at = (const char *)o->workers;

    for (uint32_t i = 0; i < o->worker_count; i++, at += o->worker_stride) {
        const struct execd_worker *w = (const void *)at;
        struct k8s_pod *pod = k8s_pods_of_worker(&k->watch.pods, w->id);

        if (pod != NULL)
            pod->heard = true;
    }
}

static int32_t decide(void *self, const struct execd_observation *o, struct execd_advice *advice,
                      struct execd_error *err)
{
    const struct execd_observation filled = k8s_metrics_fill(self, o);

    (void)err;
    note_heard(self, o);
    scaler_policy_decide(&filled, advice);
    return EXECD_OK;
}

/* In a pod it is looked for when it is first needed: other roles have this configuration, and no account. */
static bool configure(struct k8s *k, char why[K8S_WHY])
{
    if (!k->client.configured)
        k->client.configured = k8s_config_in_cluster(&k->client.config, k->account_dir, why);
    return k->client.configured;
}

static bool make_paths(struct k8s *k, char why[K8S_WHY])
{
    const char *ns;

    if (k->scale_path != NULL)
        return true;
    ns = k->watch.ns != NULL ? k->watch.ns : k->client.config.ns;
    if (k->watch.ns == NULL)
        k->watch.ns = strdup(ns);
    k->pods_path = k8s_printf("/api/v1/namespaces/%s/pods", ns);
    k->metrics_path = k8s_printf("/apis/metrics.k8s.io/v1beta1/namespaces/%s/pods", ns);
    k->scale_path = k8s_printf("/apis/apps/v1/namespaces/%s/%s/%s/scale", ns, k->kind, k->name);
    if (k->watch.ns != NULL && k->pods_path != NULL && k->metrics_path != NULL && k->scale_path != NULL)
        return true;
    k8s_why(why, "no memory");
    return false;
}

static void answer_current(struct k8s *k, int32_t rc, uint32_t replicas, const char *why)
{
    const execd_apply_fn done = k->current_done;

    k->current = NULL;
    k->current_done = NULL;
    done(k->current_arg, rc, replicas, why);
}

static void on_scale(void *arg, enum k8s_fault fault, const cJSON *json, const char *why)
{
    struct k8s *k = arg;
    const char *selector = k8s_string(json, "status.selector");

    if (fault != K8S_FINE) {
        answer_current(k, EXECD_E_AGAIN, 0, why);
        return;
    }
    if (selector != NULL && selector[0] != '\0')
        k8s_watch_start(&k->watch, selector);
    k8s_metrics_read(k);
    answer_current(k, EXECD_OK, (uint32_t)k8s_integer(json, "spec.replicas", 0), NULL);
}

static int32_t current(void *self, execd_apply_fn done, void *arg, struct execd_error *err)
{
    struct k8s *k = self;
    char why[K8S_WHY] = "";
    struct k8s_request r = {.method = "GET"};

    if (!configure(k, why) || !make_paths(k, why))
        return k->client.host->fail(err, EXECD_E_CONFIG, "%s", why);
    k->current_done = done;
    k->current_arg = arg;
    r.path = k->scale_path;
    k->current = k8s_call(&k->client, &r, on_scale, k, why);
    return k->current != NULL ? EXECD_OK : k->client.host->fail(err, EXECD_E_AGAIN, "%s", why);
}

static int32_t change(void *self, const struct execd_change *c, execd_apply_fn done, void *arg,
                      struct execd_error *err)
{
    struct k8s *k = self;

    if (k->scale_path == NULL)
        return k->client.host->fail(err, EXECD_E_AGAIN, "the scale was not read yet");
    return k8s_change_begin(k, c, false, done, arg, err);
}

static int32_t apply(void *self, uint32_t replicas, execd_apply_fn done, void *arg, struct execd_error *err)
{
    const struct execd_change c = {.size = sizeof(c), .replicas = replicas};
    struct k8s *k = self;

    if (k->scale_path == NULL)
        return k->client.host->fail(err, EXECD_E_AGAIN, "the scale was not read yet");
    return k8s_change_begin(k, &c, true, done, arg, err);
}

/* While pods are not known, all that are heard of are its own; then none is taken away either. */
static int32_t owns(void *self, const char *worker)
{
    const struct k8s *k = self;
    char why[K8S_WHY];

    return !k8s_watch_fresh(&k->watch, why) || k8s_pods_of_worker(&k->watch.pods, worker) != NULL;
}

static int64_t rank(void *self, const char *worker)
{
    const struct k8s *k = self;
    const struct k8s_pod *pod = k->stateful ? k8s_pods_of_worker(&k->watch.pods, worker) : NULL;

    return pod == NULL ? 0 : pod->ordinal + 1;
}

/* Pods are everybody's: whoever leads now goes on with them. */
static void retire(void *self)
{
    struct k8s *k = self;

    k8s_metrics_cancel(k);
    k8s_watch_stop(&k->watch);
}

/* ---- life -------------------------------------------------------------------------------------------- */

static void destroy(void *self)
{
    struct k8s *k = self;

    k8s_change_cancel(k);
    k8s_watch_stop(&k->watch);
    free(k->watch.ns);
    free(k->scale_path);
    free(k->pods_path);
    free(k->metrics_path);
    free(k->patched);
    k8s_config_done(&k->client.config);
    free(k);
}

static void stop(void *self, execd_fire_fn stopped, void *arg)
{
    struct k8s *k = self;

    k8s_call_cancel(k->current);
    k->current = NULL;
    k8s_change_cancel(k);
    retire(k);
    stopped(arg);
}

/* A DNS label or subdomain: it goes into paths as it is. */
static bool is_name(const char *text)
{
    const size_t n = strlen(text);

    return n >= 1 && n <= 253 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n &&
           text[0] != '.' && text[0] != '-';
}

static int32_t take_settings(struct k8s *k, const struct execd_value *v, struct execd_error *err)
{
    const struct execd_host *host = k->client.host;
    const char *ns = v[NAMESPACE].string;

    k->stateful = strcmp(v[KIND].string, "StatefulSet") == 0;
    if (!k->stateful && strcmp(v[KIND].string, "Deployment") != 0)
        return host->fail(err, EXECD_E_CONFIG, "kind is \"%.40s\"; it may be Deployment or StatefulSet",
                          v[KIND].string);
    k->kind = k->stateful ? "statefulsets" : "deployments";
    k->name = v[NAME].string;
    if (!is_name(k->name))
        return host->fail(err, EXECD_E_CONFIG, "name is \"%.80s\", which is no name of Kubernetes", k->name);
    if (ns != NULL && ns[0] != '\0') {
        if (!is_name(ns))
            return host->fail(err, EXECD_E_CONFIG, "namespace is \"%.80s\", which is no name of Kubernetes",
                              ns);
        k->watch.ns = strdup(ns);
        if (k->watch.ns == NULL)
            return host->fail(err, EXECD_E_AGAIN, "no memory");
    }
    k->context = v[CONTEXT].given != 0 ? v[CONTEXT].string : NULL;
    k->kubeconfig = v[KUBECONFIG].given != 0 ? v[KUBECONFIG].string : NULL;
    k->account_dir = v[ACCOUNT_DIR].string;
    k->client.deadline_ms = (uint64_t)v[DEADLINE].number;
    k->ordinals_start = v[ORDINALS_START].number;
    k->metrics_on = v[METRICS].number != 0;
    return EXECD_OK;
}

static int32_t create(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err)
{
    struct k8s *k = calloc(1, sizeof(*k));
    char why[K8S_WHY] = "";
    int32_t rc;

    if (k == NULL)
        return host->fail(err, EXECD_E_AGAIN, "no memory");
    k->client.host = host;
    k->client.ctx = ctx;
    k->watch.client = &k->client;
    rc = take_settings(k, values, err);
    if (rc == EXECD_OK &&
        k->kubeconfig != NULL) { /* now: later it may be unreadable, without our privileges */
        k->client.configured = k8s_config_kubeconfig(&k->client.config, k->kubeconfig, k->context, why);
        if (!k->client.configured)
            rc = host->fail(err, EXECD_E_CONFIG, "%s", why);
    }
    if (rc != EXECD_OK) {
        destroy(k);
        return rc;
    }
    *ret_self = k;
    return EXECD_OK;
}

static const struct execd_scaler_ops ops = {.size = sizeof(ops),
                                            .decide = decide,
                                            .apply = apply,
                                            .current = current,
                                            .change = change,
                                            .owns = owns,
                                            .retire = retire,
                                            .rank = rank};

static const struct execd_plugin plugin = {EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_SCALER, 3u),
                                           .name = "k8s",
                                           .version = EXECD_VERSION,
                                           .options = options,
                                           .option_count = sizeof(options) / sizeof(options[0]),
                                           .option_stride = sizeof(options[0]),
                                           .create = create,
                                           .stop = stop,
                                           .destroy = destroy,
                                           .scaler = &ops};
EXECD_PLUGIN_DEFINE(plugin)
