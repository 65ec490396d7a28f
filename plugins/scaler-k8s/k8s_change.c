/* k8s_change.c - the count, and who goes.
 *
 * More: read the scale, write it.  Fewer: read it; it must be what the host decided on, else another has
 * changed it and the host looks again.  Find the pods of those that leave; look whether the controller would
 * take these and no other; mark them, and unmark those that were marked for a change that did not come; read
 * the scale once more, look again, write it with the version that was read.  A 409 is a reason to read again:
 * a Deployment's status changes its version all the time.  Nothing is begun after change.within_ms, when
 * another may decide.
 *
 * Whom a ReplicaSet ends first (pkg/controller, ActivePodsWithRanks): not assigned, not started, not ready,
 * then the lowest deletion cost.  So a pod that is not ready would go before those that are marked; which is
 * fine for one whose worker was never heard of. */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>

#define CONFLICTS_MAX 8
#define APPLY_MS 30000u /* where the host sets no bound */
#define SEEN_MS 20u     /* between looks at what the watch has told */
#define NAMES_MAX 60    /* bytes of a pod's name in a reason */

enum step { READ, MARK, READ_AGAIN, WRITE };

struct k8s_change {
    struct k8s *k8s;
    execd_apply_fn done;
    void *arg;
    struct k8s_call *call;
    enum step step;
    bool any;          /* of apply(): the count alone, whoever goes */
    uint32_t replicas; /* that there are to be */
    uint32_t expected; /* that there are, if nobody else changed it */
    char **leaving;    /* names of pods; of workers until they were looked up */
    uint32_t leaving_count;
    uint32_t conflicts;
    uint64_t until_ms;
    uint64_t timer; /* until the watch is looked at again; 0: none */
    char *marking;  /* the pod that is being marked or unmarked */
};

static void change_free(struct k8s_change *ch)
{
    for (uint32_t i = 0; i < ch->leaving_count; i++)
        free(ch->leaving[i]);
    free(ch->leaving);
    free(ch->marking);
    free(ch);
}

/* rc EXECD_OK: why is not looked at. */
static void finish(struct k8s_change *ch, int32_t rc, uint32_t replicas, const char *why)
{
    ch->k8s->change = NULL;
    ch->done(ch->arg, rc, replicas, rc == EXECD_OK ? NULL : why);
    change_free(ch);
}

static void give_up(struct k8s_change *ch, const char *why)
{
    finish(ch, EXECD_E_AGAIN, 0, why);
}

static void read_scale(struct k8s_change *ch, enum step step);
static void mark_next(struct k8s_change *ch);

static uint64_t left_ms(const struct k8s_change *ch)
{
    const struct k8s_client *c = &ch->k8s->client;
    const uint64_t now = c->host->now_ms(c->ctx);

    return ch->until_ms > now ? ch->until_ms - now : 0;
}

static void call(struct k8s_change *ch, struct k8s_request *r, k8s_call_fn fn)
{
    const uint64_t left = left_ms(ch);
    char why[K8S_WHY];

    if (left == 0) {
        give_up(ch, "the time of this change is up; another execd may decide now");
        return;
    }
    r->deadline_ms = left < ch->k8s->client.deadline_ms ? left : ch->k8s->client.deadline_ms;
    ch->call = k8s_call(&ch->k8s->client, r, fn, ch, why);
    if (ch->call == NULL)
        give_up(ch, why);
}

/* ---- would the right ones go? --------------------------------------------------------------------- */

static bool is_leaving(const struct k8s_change *ch, const struct k8s_pod *pod)
{
    for (uint32_t i = 0; i < ch->leaving_count; i++)
        if (strcmp(ch->leaving[i], pod->name) == 0)
            return true;
    return false;
}

static bool fits_deployment(const struct k8s_change *ch, char why[K8S_WHY])
{
    const char *owner = NULL;

    for (const struct k8s_pod *p = ch->k8s->watch.pods.first; p != NULL; p = p->next) {
        if (p->deleting)
            continue;
        if (owner != NULL && p->owner != NULL && strcmp(owner, p->owner) != 0) {
            k8s_why(why,
                    "a rollout is under way: pods of two templates are there, and nobody can say whose go");
            return false;
        }
        owner = p->owner != NULL ? p->owner : owner;
        if ((p->started || p->heard) && !p->ready && !is_leaving(ch, p)) {
            k8s_why(why, "pod %.*s is not ready, so it would be ended before those that are drained",
                    NAMES_MAX, p->name);
            return false;
        }
    }
    return true;
}

/* The highest ordinals go.  Those that are not there yet, or are told to leave, may. */
static bool ordinals_fit(const struct k8s_change *ch, int64_t replicas, uint32_t fewer)
{
    const int64_t first = ch->k8s->ordinals_start + replicas - fewer;

    for (const struct k8s_pod *p = ch->k8s->watch.pods.first; p != NULL; p = p->next)
        if (!p->deleting && p->ordinal >= first && !is_leaving(ch, p))
            return false;
    return true;
}

/* How many of those that leave the controller would take now, and no others; 0 with the reason why none. */
static uint32_t count_fitting(const struct k8s_change *ch, char why[K8S_WHY])
{
    uint32_t n = ch->leaving_count;

    if (!ch->k8s->stateful)
        return fits_deployment(ch, why) ? n : 0;
    while (n > 0 && !ordinals_fit(ch, ch->expected, n))
        n--;
    if (n == 0)
        k8s_why(why, "the pods with the highest ordinals, which go first, are not drained yet");
    return n;
}

/* Marking takes its time: a rollout may have begun meanwhile, a pod be ready no more, or one that leaves be
 * gone, and replaced already. */
static bool still_fits(const struct k8s_change *ch, char why[K8S_WHY])
{
    if (!k8s_watch_fresh(&ch->k8s->watch, why))
        return false;
    for (uint32_t i = 0; i < ch->leaving_count; i++) {
        const struct k8s_pod *pod = k8s_pods_by_name(&ch->k8s->watch.pods, ch->leaving[i]);

        if (pod == NULL || pod->deleting) {
            k8s_why(why, "pod %.*s went before the count was lowered", NAMES_MAX, ch->leaving[i]);
            return false;
        }
    }
    k8s_why(why, "other pods than those that are drained would go now");
    return count_fitting(ch, why) >= ch->expected - ch->replicas;
}

/* Names of workers become names of pods; those whose pod is gone or ends are no replicas any more. */
static void look_up(struct k8s_change *ch)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < ch->leaving_count; i++) {
        const struct k8s_pod *pod = k8s_pods_of_worker(&ch->k8s->watch.pods, ch->leaving[i]);
        char *name = pod == NULL ? NULL : strdup(pod->name);

        free(ch->leaving[i]);
        if (name != NULL)
            ch->leaving[found++] = name;
    }
    ch->leaving_count = found;
}

/* ---- write ------------------------------------------------------------------------------------------- */

static void on_written(void *arg, enum k8s_fault fault, const cJSON *json, const char *why)
{
    struct k8s_change *ch = arg;

    ch->call = NULL;
    if (fault == K8S_CONFLICT && ++ch->conflicts < CONFLICTS_MAX)
        read_scale(ch, READ_AGAIN);
    else if (fault != K8S_FINE)
        give_up(ch, why);
    else
        finish(ch, EXECD_OK, (uint32_t)k8s_integer(json, "spec.replicas", 0), NULL);
}

static char *scale_body(const char *version, uint32_t replicas)
{
    cJSON *o = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(o, "metadata");
    cJSON *spec = cJSON_AddObjectToObject(o, "spec");
    char *text = NULL;

    if (cJSON_AddStringToObject(meta, "resourceVersion", version) != NULL &&
        cJSON_AddNumberToObject(spec, "replicas", replicas) != NULL)
        text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

static void write_scale(struct k8s_change *ch, const char *version)
{
    char *body = scale_body(version, ch->replicas);
    char *path = k8s_printf("%s?fieldManager=execd-scaler", ch->k8s->scale_path);
    struct k8s_request r = {
        .method = "PATCH", .path = path, .content_type = "application/merge-patch+json", .body = body};

    ch->step = WRITE;
    if (body == NULL || path == NULL)
        give_up(ch, "no memory");
    else
        call(ch, &r, on_written);
    free(body);
    free(path);
}

/* ---- mark -------------------------------------------------------------------------------------------- */

static void on_marked(void *arg, enum k8s_fault fault, const cJSON *json, const char *why)
{
    struct k8s_change *ch = arg;
    struct k8s_pod *pod = k8s_pods_by_name(&ch->k8s->watch.pods, ch->marking);

    (void)json;
    ch->call = NULL;
    if (pod != NULL && fault == K8S_MISSING && !is_leaving(ch, pod))
        pod->deleting = true; /* gone, and nothing is lost by that */
    else if (fault != K8S_FINE) {
        give_up(ch, why);
        return;
    }
    if (pod != NULL)
        pod->asked = true;
    mark_next(ch);
}

static void on_seen(void *arg)
{
    struct k8s_change *ch = arg;

    ch->timer = 0;
    mark_next(ch);
}

/* The controller learns of marks as we do, by a watch: what ours has not told of, its may not have either. */
static void wait_for_watch(struct k8s_change *ch)
{
    const struct k8s_client *c = &ch->k8s->client;

    if (left_ms(ch) == 0)
        give_up(ch, "the time of this change is up, and the watch has not told of the pods' marks");
    else
        ch->timer = c->host->timer(c->ctx, SEEN_MS, on_seen, ch, NULL);
}

static void mark(struct k8s_change *ch, const struct k8s_pod *pod, bool leaves)
{
    char *path = k8s_printf("%s/%s?fieldManager=execd-scaler", ch->k8s->pods_path, pod->name);
    struct k8s_request r = {.method = "PATCH",
                            .path = path,
                            .content_type = "application/merge-patch+json",
                            .body = leaves ? "{\"metadata\":{\"annotations\":{\"" K8S_COST
                                             "\":\"" K8S_COST_FIRST "\"}}}"
                                           : "{\"metadata\":{\"annotations\":{\"" K8S_COST "\":null}}}"};

    free(ch->marking);
    ch->marking = strdup(pod->name);
    if (path == NULL || ch->marking == NULL)
        give_up(ch, "no memory");
    else
        call(ch, &r, on_marked);
    free(path);
}

/* One after the other; then the count.  A StatefulSet looks at no marks. */
static void mark_next(struct k8s_change *ch)
{
    bool waiting = false;

    ch->step = MARK;
    for (const struct k8s_pod *p = ch->k8s->watch.pods.first; p != NULL && !ch->k8s->stateful; p = p->next) {
        if (p->deleting || p->costed == is_leaving(ch, p))
            continue;
        if (!p->asked) {
            mark(ch, p, !p->costed);
            return;
        }
        waiting = true;
    }
    if (waiting)
        wait_for_watch(ch);
    else
        read_scale(ch, READ_AGAIN);
}

/* ---- read -------------------------------------------------------------------------------------------- */

static void begin_fewer(struct k8s_change *ch)
{
    char why[K8S_WHY];
    uint32_t n;

    if (!k8s_watch_fresh(&ch->k8s->watch, why)) {
        give_up(ch, why);
        return;
    }
    look_up(ch);
    n = ch->leaving_count;
    if (n == 0) {
        give_up(ch, "the pods of the workers that leave are gone already");
        return;
    }
    if ((n = count_fitting(ch, why)) == 0) {
        give_up(ch, why);
        return;
    }
    ch->replicas = ch->expected - n;
    for (struct k8s_pod *p = ch->k8s->watch.pods.first; p != NULL; p = p->next)
        p->asked = false;
    mark_next(ch);
}

static void on_read(void *arg, enum k8s_fault fault, const cJSON *json, const char *said)
{
    struct k8s_change *ch = arg;
    const char *version = k8s_string(json, "metadata.resourceVersion");
    const uint32_t now = (uint32_t)k8s_integer(json, "spec.replicas", 0); /* 0 is left out */
    const bool fewer = ch->leaving_count > 0;
    char why[K8S_WHY];

    ch->call = NULL;
    if (fault != K8S_FINE) {
        give_up(ch, said);
    } else if (version == NULL) {
        give_up(ch, "a scale without metadata.resourceVersion");
    } else if (now == ch->replicas || (!ch->any && !fewer && now > ch->replicas)) {
        finish(ch, EXECD_OK, now, NULL); /* somebody has done it, and more */
    } else if (fewer && now != ch->expected) {
        k8s_why(why, "%s was changed by another: %u replicas, not %u", ch->k8s->name, (unsigned)now,
                (unsigned)ch->expected);
        give_up(ch, why);
    } else if (fewer && ch->step == READ) {
        begin_fewer(ch);
    } else if (fewer && !still_fits(ch, why)) {
        give_up(ch, why);
    } else {
        write_scale(ch, version);
    }
}

static void read_scale(struct k8s_change *ch, enum step step)
{
    struct k8s_request r = {.method = "GET", .path = ch->k8s->scale_path};

    ch->step = step;
    call(ch, &r, on_read);
}

/* ---- from outside -------------------------------------------------------------------------------------- */

static bool copy_leaving(struct k8s_change *ch, const struct execd_change *c)
{
    ch->leaving = calloc(c->leaving_count + 1u, sizeof(*ch->leaving));
    for (uint32_t i = 0; ch->leaving != NULL && i < c->leaving_count; i++) {
        ch->leaving[i] = strdup(c->leaving[i]);
        if (ch->leaving[i] == NULL)
            return false;
        ch->leaving_count++;
    }
    return ch->leaving != NULL;
}

/* The first request is begun in a later turn: whatever becomes of it, done() comes after this call. */
static void on_begin(void *arg)
{
    struct k8s *k = arg;

    if (k->change != NULL && k->change->call == NULL)
        read_scale(k->change, READ);
}

int32_t k8s_change_begin(struct k8s *k, const struct execd_change *c, bool any, execd_apply_fn done,
                         void *arg, struct execd_error *err)
{
    const struct execd_host *host = k->client.host;
    const bool bounded = EXECD_HAS(c, struct execd_change, within_ms) && c->within_ms > 0;
    struct k8s_change *ch = calloc(1, sizeof(*ch));

    if (ch == NULL)
        return host->fail(err, EXECD_E_AGAIN, "no memory for a change");
    *ch = (struct k8s_change){.k8s = k,
                              .done = done,
                              .arg = arg,
                              .any = any,
                              .replicas = c->replicas,
                              .expected = c->replicas + c->leaving_count,
                              .until_ms = host->now_ms(k->client.ctx) + (bounded ? c->within_ms : APPLY_MS)};
    if (!copy_leaving(ch, c)) {
        change_free(ch);
        return host->fail(err, EXECD_E_AGAIN, "no memory for a change");
    }
    if (host->post(k->client.ctx, on_begin, k, NULL) != EXECD_OK) {
        change_free(ch);
        return host->fail(err, EXECD_E_AGAIN, "this plugin is stopping");
    }
    k->change = ch;
    return EXECD_OK;
}

void k8s_change_cancel(struct k8s *k)
{
    if (k->change == NULL)
        return;
    k8s_call_cancel(k->change->call);
    if (k->change->timer != 0)
        k->client.host->timer_cancel(k->client.ctx, k->change->timer);
    change_free(k->change);
    k->change = NULL;
}
