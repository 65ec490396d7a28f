/* k8s_metrics.c - metrics.k8s.io, where it is there: the cpu of pods whose workers do not tell it themselves.
 *
 * A worker that has a cgroup tells its cpu with each heartbeat, which is fresher than what a metrics server
 * has; so nothing is asked for while all of them do.  No metrics server is no fault: there is no cpu then. */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>

#define EACH_MS 15000u       /* a metrics server has nothing newer */
#define ABSENT_MS 300000u    /* until a server that was not there is asked for again */
#define STALE_MS 120000u     /* what is older says nothing */
#define LIST_MAX (16u << 20) /* bytes */

static void take_pod(struct k8s *k, const cJSON *item)
{
    const char *name = k8s_string(item, "metadata.name");
    struct k8s_pod *pod = name == NULL ? NULL : k8s_pods_by_name(&k->watch.pods, name);
    int64_t sum = 0, millis;
    const cJSON *c;

    if (pod == NULL)
        return;
    cJSON_ArrayForEach(c, k8s_at(item, "containers"))
    {
        const char *text = k8s_string(c, "usage.cpu");

        if (text == NULL || !k8s_quantity_millis(text, &millis) || millis < 0 || millis > INT32_MAX)
            return;
        sum += millis;
    }
    pod->cpu_millis = sum;
    pod->cpu_read_ms = (int64_t)k->client.host->now_ms(k->client.ctx);
}

static void on_metrics(void *arg, enum k8s_fault fault, const cJSON *json, const char *why)
{
    struct k8s *k = arg;
    const struct execd_host *host = k->client.host;
    const bool absent = fault != K8S_FINE && fault != K8S_UNREACHED;
    const cJSON *item;

    k->metrics = NULL;
    k->metrics_next_ms = host->now_ms(k->client.ctx) + (absent ? ABSENT_MS : EACH_MS);
    if (fault != K8S_FINE)
        host->log(k->client.ctx, fault == K8S_MISSING ? EXECD_LOG_INFO : EXECD_LOG_WARN,
                  "no cpu from metrics.k8s.io: %s", why);
    cJSON_ArrayForEach(item, k8s_at(json, "items")) take_pod(k, item);
}

void k8s_metrics_read(struct k8s *k)
{
    const uint64_t now = k->client.host->now_ms(k->client.ctx);
    char why[K8S_WHY];
    char *path;
    struct k8s_request r = {.method = "GET", .body_max = LIST_MAX};

    if (!k->metrics_on || !k->metrics_wanted || k->metrics != NULL || now < k->metrics_next_ms ||
        k->watch.selector == NULL)
        return;
    path = k8s_printf("%s?labelSelector=%s", k->metrics_path, k->watch.selector);
    r.path = path;
    if (path != NULL)
        k->metrics = k8s_call(&k->client, &r, on_metrics, k, why);
    free(path);
    k->metrics_next_ms = now + EACH_MS;
}

void k8s_metrics_cancel(struct k8s *k)
{
    k8s_call_cancel(k->metrics);
    k->metrics = NULL;
    k->metrics_wanted = false;
    k->metrics_next_ms = 0;
}

static void fill(struct k8s *k, struct execd_worker *w)
{
    const int64_t now = (int64_t)k->client.host->now_ms(k->client.ctx);
    const struct k8s_pod *pod;

    if (w->cpu_millis_max != 0)
        return;
    k->metrics_wanted = true;
    pod = k8s_pods_of_worker(&k->watch.pods, w->id);
    if (pod == NULL || pod->cpu_read_ms == 0 || now - pod->cpu_read_ms > (int64_t)STALE_MS ||
        pod->cpu_max_millis == 0)
        return;
    w->cpu_millis = (uint64_t)pod->cpu_millis;
    w->cpu_millis_max = (uint64_t)pod->cpu_max_millis;
}

static bool make_room(struct k8s *k, uint32_t count)
{
    struct execd_worker *grown;

    if (count <= k->patched_room)
        return true;
    grown = realloc(k->patched, (size_t)count * 2 * sizeof(*grown));
    if (grown == NULL)
        return false;
    k->patched = grown;
    k->patched_room = count * 2;
    return true;
}

struct execd_observation k8s_metrics_fill(struct k8s *k, const struct execd_observation *o)
{
    struct execd_observation filled = {0};
    const char *from = (const char *)o->workers;

    memcpy(&filled, o, o->size < sizeof(filled) ? o->size : sizeof(filled));
    filled.size = sizeof(filled);
    if (!k->metrics_on || !make_room(k, o->worker_count)) /* then without the cpu of those */
        return filled;
    for (uint32_t i = 0; i < o->worker_count; i++, from += o->worker_stride) {
        k->patched[i] = (struct execd_worker){0};
        memcpy(&k->patched[i], from,
               o->worker_stride < sizeof(k->patched[i]) ? o->worker_stride : sizeof(k->patched[i]));
        fill(k, &k->patched[i]);
    }
    filled.workers = k->patched;
    filled.worker_stride = sizeof(k->patched[0]);
    return filled;
}
