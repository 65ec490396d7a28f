/* k8s_pods.c - the pods that there are, found by the name that their workers have for their host. */
#include "k8s.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define PODS_MAX 20000u

static int by_host(const void *a, const void *b)
{
    const struct k8s_pod *x = a, *y = b;

    return strcmp(x->host, y->host);
}

static void host_of(const char *name, char host[K8S_HOST + 1])
{
    const size_t len = strlen(name);
    const char *from = len > K8S_HOST ? name + len - K8S_HOST : name;

    memcpy(host, from, strlen(from) + 1);
}

static void pod_free(struct k8s_pod *pod)
{
    free(pod->name);
    free(pod->owner);
    free(pod);
}

static void pod_remove(struct k8s_pods *p, struct k8s_pod *pod)
{
    tdelete(pod, &p->tree, by_host);
    *pod->link = pod->next;
    if (pod->next != NULL)
        pod->next->link = pod->link;
    p->count--;
    pod_free(pod);
}

static struct k8s_pod *find(const struct k8s_pods *p, const struct k8s_pod *like)
{
    void *const *at = tfind(like, &p->tree, by_host);

    return at == NULL ? NULL : *at;
}

struct k8s_pod *k8s_pods_by_name(const struct k8s_pods *p, const char *name)
{
    struct k8s_pod like;

    host_of(name, like.host);
    return find(p, &like);
}

struct k8s_pod *k8s_pods_of_worker(const struct k8s_pods *p, const char *worker)
{
    const size_t n = strcspn(worker, ":");
    struct k8s_pod like, *pod;

    if (n == 0 || n > K8S_HOST)
        return NULL;
    memcpy(like.host, worker, n);
    like.host[n] = '\0';
    pod = find(p, &like);
    return pod == NULL || pod->deleting ? NULL : pod;
}

static struct k8s_pod *add(struct k8s_pods *p, const char *name)
{
    struct k8s_pod *pod = p->count >= PODS_MAX ? NULL : calloc(1, sizeof(*pod));

    if (pod == NULL)
        return NULL;
    host_of(name, pod->host);
    pod->name = strdup(name);
    if (pod->name == NULL || tsearch(pod, &p->tree, by_host) == NULL) {
        pod_free(pod);
        return NULL;
    }
    pod->next = p->first;
    pod->link = &p->first;
    if (p->first != NULL)
        p->first->link = &pod->next;
    p->first = pod;
    p->count++;
    return pod;
}

/* ---- what an object says ---------------------------------------------------------------------- */

static const char *owner_of(const cJSON *object)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, k8s_at(object, "metadata.ownerReferences"))
    {
        if (cJSON_IsTrue(k8s_at(o, "controller")))
            return k8s_string(o, "uid");
    }
    return NULL;
}

static bool is_ready(const cJSON *object)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, k8s_at(object, "status.conditions"))
    {
        const char *type = k8s_string(c, "type"), *status = k8s_string(c, "status");

        if (type != NULL && strcmp(type, "Ready") == 0)
            return status != NULL && strcmp(status, "True") == 0;
    }
    return false;
}

/* As a container may use: what limits it, else what it requests, else we do not know. */
static int64_t cpu_max(const cJSON *object)
{
    int64_t sum = 0, millis;
    const cJSON *c;

    cJSON_ArrayForEach(c, k8s_at(object, "spec.containers"))
    {
        const char *text = k8s_string(c, "resources.limits.cpu");

        text = text != NULL ? text : k8s_string(c, "resources.requests.cpu");
        if (text == NULL || !k8s_quantity_millis(text, &millis) || millis < 0 || millis > INT32_MAX)
            return 0;
        sum += millis;
    }
    return sum;
}

static int64_t ordinal_of(const char *name)
{
    const char *dash = strrchr(name, '-');
    char *end;
    long long n;

    if (dash == NULL || strchr("0123456789", dash[1]) == NULL || dash[1] == '\0')
        return -1;
    n = strtoll(dash + 1, &end, 10);
    return *end == '\0' && n >= 0 && n <= INT32_MAX ? (int64_t)n : -1;
}

static bool has_our_cost(const cJSON *object)
{
    const cJSON *cost = cJSON_GetObjectItemCaseSensitive(k8s_at(object, "metadata.annotations"), K8S_COST);
    const char *text = cJSON_GetStringValue(cost);

    return text != NULL && strcmp(text, K8S_COST_FIRST) == 0;
}

/* Of what a controller counts: a pod that was told to end, or has ended, is none of its replicas. */
static void take(struct k8s_pod *pod, const cJSON *object)
{
    const char *phase = k8s_string(object, "status.phase");

    pod->started = phase != NULL && strcmp(phase, "Pending") != 0;
    pod->deleting = k8s_string(object, "metadata.deletionTimestamp") != NULL ||
                    (phase != NULL && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0));
    pod->ready = is_ready(object);
    pod->costed = has_our_cost(object);
    pod->cpu_max_millis = cpu_max(object);
    pod->ordinal = ordinal_of(pod->name);
}

static bool take_owner(struct k8s_pod *pod, const cJSON *object)
{
    const char *owner = owner_of(object);
    char *copy;

    if (owner == NULL || (pod->owner != NULL && strcmp(pod->owner, owner) == 0))
        return true;
    copy = strdup(owner);
    if (copy == NULL)
        return false;
    free(pod->owner);
    pod->owner = copy;
    return true;
}

bool k8s_pods_put(struct k8s_pods *p, const cJSON *object, void (*told)(void *arg, const struct k8s_pod *pod),
                  void *arg)
{
    const char *name = k8s_string(object, "metadata.name");
    struct k8s_pod *pod = name == NULL ? NULL : k8s_pods_by_name(p, name);
    const bool known = pod != NULL;
    bool was;

    if (name == NULL || (!known && (pod = add(p, name)) == NULL))
        return false;
    was = pod->deleting;
    pod->generation = p->generation;
    take(pod, object);
    if (told != NULL && known && !was && pod->deleting && !pod->costed)
        told(arg, pod);
    return take_owner(pod, object);
}

void k8s_pods_remove(struct k8s_pods *p, const cJSON *object)
{
    const char *name = k8s_string(object, "metadata.name");
    struct k8s_pod *pod = name == NULL ? NULL : k8s_pods_by_name(p, name);

    if (pod != NULL)
        pod_remove(p, pod);
}

void k8s_pods_begin(struct k8s_pods *p)
{
    p->generation++;
}

void k8s_pods_end(struct k8s_pods *p)
{
    for (struct k8s_pod *pod = p->first, *next; pod != NULL; pod = next) {
        next = pod->next;
        if (pod->generation != p->generation)
            pod_remove(p, pod);
    }
}

void k8s_pods_clear(struct k8s_pods *p)
{
    while (p->first != NULL)
        pod_remove(p, p->first);
}
