/* k8s_watch.c - list, then watch from where the list was:
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 *
 * A watch ends after some minutes by itself and is begun again from the last version that it told of,
 * bookmarks included.  A version that the server has forgotten (410, as a status or inside the stream) begins
 * with a list again; what was known holds until that has ended. */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PAGE 100                  /* pods to a list's page: to parse one takes a few ms */
#define LIST_MAX (16u << 20)      /* bytes of a page */
#define LINE_MAX_BYTES (4u << 20) /* bytes of one event */
#define WATCH_S 300u              /* at least, and up to twice as long */
#define SLACK_MS 30000u           /* for the server to end a watch by itself */
#define PAUSE_MS 800u             /* before a next try; twice as long each time, */
#define PAUSE_MAX_MS 30000u       /* at most */
#define GOOD_MS 120000u           /* a watch that held so long was a good one */
#define STALE_MS 60000u           /* without a watch what is known is no longer what is there */
#define SHORT_MS 1000u            /* a watch that ends sooner and without an event is not begun at once */

static void next_step(void *arg);

/* Between `base` and twice that: many of us must not come at once. */
static uint64_t jitter(uint64_t base)
{
    uint32_t r = 0;

    if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
        r = 0;
    return base + base * (r >> 16) / 65536u;
}

static void later(struct k8s_watch *w, uint64_t delay_ms)
{
    const struct execd_host *host = w->client->host;

    w->timer = host->timer(w->client->ctx, delay_ms, next_step, w, NULL);
}

static void lost(struct k8s_watch *w)
{
    if (w->lost_ms == 0)
        w->lost_ms = w->client->host->now_ms(w->client->ctx);
}

/* Told when it changes: the same reason each second helps nobody. */
static void complain(struct k8s_watch *w, const char *why)
{
    if (strncmp(w->why, why, sizeof(w->why) / 2) != 0)
        w->client->host->log(w->client->ctx, EXECD_LOG_WARN, "pods: %s", why);
    k8s_why(w->why, "%s", why);
}

static void retry(struct k8s_watch *w, const char *why)
{
    const uint32_t shift = w->failures < 6 ? w->failures : 6;
    const uint64_t pause = (uint64_t)PAUSE_MS << shift;

    lost(w);
    complain(w, why);
    w->failures++;
    later(w, jitter(pause < PAUSE_MAX_MS / 2 ? pause : PAUSE_MAX_MS / 2));
}

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = text == NULL || text[0] == '\0' ? NULL : strdup(text);
}

static void list_anew(struct k8s_watch *w)
{
    set_text(&w->version, NULL);
    set_text(&w->token, NULL);
    w->listing = false;
}

static void on_ending(void *arg, const struct k8s_pod *pod)
{
    struct k8s_watch *w = arg;

    w->client->host->log(w->client->ctx, EXECD_LOG_INFO,
                         "pod %s ends, and was not drained by us: what it does not finish is done by others",
                         pod->name);
}

/* ---- a list ------------------------------------------------------------------------------------ */

/* True: it was the last page. */
static bool take_page(struct k8s_watch *w, const cJSON *json, char why[K8S_WHY])
{
    const cJSON *item;

    cJSON_ArrayForEach(item, k8s_at(json, "items"))
    {
        if (!k8s_pods_put(&w->pods, item, on_ending, w)) {
            k8s_why(why, "there is no memory for pods, or there are too many (%u)", (unsigned)w->pods.count);
            return false;
        }
    }
    set_text(&w->token, k8s_string(json, "metadata.continue"));
    if (w->token != NULL)
        return false;
    set_text(&w->version, k8s_string(json, "metadata.resourceVersion"));
    if (w->version == NULL)
        k8s_why(why, "a list of pods without metadata.resourceVersion");
    return w->version != NULL;
}

static void on_list(void *arg, enum k8s_fault fault, const cJSON *json, const char *said)
{
    struct k8s_watch *w = arg;
    char why[K8S_WHY] = "";

    w->call = NULL;
    if (fault != K8S_FINE) {
        list_anew(w); /* a page's token may be forgotten, too */
        retry(w, said);
    } else if (take_page(w, json, why)) {
        k8s_pods_end(&w->pods);
        w->listing = false;
        w->synced = true;
        next_step(w);
    } else if (w->token != NULL && why[0] == '\0') {
        next_step(w);
    } else {
        list_anew(w);
        retry(w, why);
    }
}

static void list(struct k8s_watch *w)
{
    char *token = k8s_escape(w->token == NULL ? "" : w->token), why[K8S_WHY] = "no memory";
    char *path = token == NULL ? NULL
                               : k8s_printf("/api/v1/namespaces/%s/pods?labelSelector=%s&limit=%d%s%s", w->ns,
                                            w->selector, PAGE, w->token == NULL ? "" : "&continue=", token);
    const struct k8s_request r = {.method = "GET", .path = path, .body_max = LIST_MAX};

    if (!w->listing)
        k8s_pods_begin(&w->pods);
    w->listing = true;
    if (path != NULL)
        w->call = k8s_call(w->client, &r, on_list, w, why);
    free(token);
    free(path);
    if (w->call == NULL)
        retry(w, why);
}

/* ---- a watch ----------------------------------------------------------------------------------- */

static void take_event(struct k8s_watch *w, const cJSON *event)
{
    const char *type = k8s_string(event, "type");
    const cJSON *object = k8s_at(event, "object");
    const char *version = k8s_string(object, "metadata.resourceVersion");
    char why[K8S_WHY];

    if (type != NULL && version != NULL && (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)) {
        w->broken = !k8s_pods_put(&w->pods, object, on_ending, w);
    } else if (type != NULL && version != NULL && strcmp(type, "DELETED") == 0) {
        k8s_pods_remove(&w->pods, object);
    } else if (type == NULL || version == NULL || strcmp(type, "BOOKMARK") != 0) {
        k8s_why(why, "the watch says %.20s: %.120s", type == NULL ? "nothing" : type,
                k8s_string(object, "message") == NULL ? "" : k8s_string(object, "message"));
        if (k8s_integer(object, "code", 0) != 410)
            complain(w, why);
        w->broken = true;
        return;
    }
    set_text(&w->version, version);
}

static void take_line(struct k8s_watch *w, const char *bytes, size_t len)
{
    cJSON *event;

    if (len == 0 || w->broken)
        return;
    event = cJSON_ParseWithLength(bytes, len);
    if (event == NULL)
        w->broken = true;
    else
        take_event(w, event);
    cJSON_Delete(event);
}

/* What is left of a line until the rest comes. */
static bool keep(struct k8s_watch *w, const char *bytes, size_t len)
{
    if (w->line.len + len > LINE_MAX_BYTES)
        return false;
    if (w->line.len + len > w->line_room) {
        const size_t room = (w->line.len + len) * 2;
        char *grown = realloc(w->line.ptr, room);

        if (grown == NULL)
            return false;
        w->line.ptr = grown;
        w->line_room = room;
    }
    memcpy(w->line.ptr + w->line.len, bytes, len);
    w->line.len += len;
    return true;
}

static void on_piece(void *arg, struct execd_bytes piece)
{
    struct k8s_watch *w = arg;
    const char *at = piece.ptr, *end = piece.ptr + piece.len, *stop;

    w->lost_ms = 0;
    while (!w->broken && at < end && (stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (w->line.len == 0) {
            take_line(w, at, (size_t)(stop - at));
        } else {
            w->broken = !keep(w, at, (size_t)(stop - at));
            take_line(w, w->line.ptr, w->line.len);
            w->line.len = 0;
        }
        at = stop + 1;
    }
    if (!w->broken && at < end)
        w->broken = !keep(w, at, (size_t)(end - at));
    if (!w->broken)
        return;
    k8s_call_cancel(w->call); /* what it told us of cannot be gone on from */
    w->call = NULL;
    list_anew(w);
    lost(w);
    later(w, jitter(PAUSE_MS));
}

static void on_watch(void *arg, enum k8s_fault fault, const cJSON *json, const char *why)
{
    struct k8s_watch *w = arg;
    const uint64_t held = w->client->host->now_ms(w->client->ctx) - w->begun_ms;

    (void)json;
    w->call = NULL;
    if (held >= GOOD_MS)
        w->failures = 0;
    if (fault == K8S_FINE && held >= SHORT_MS) { /* its time was up */
        w->failures = 0;
        w->lost_ms = 0;
        next_step(w);
    } else if (fault == K8S_FINE) {
        retry(w, "the watch ends as soon as it has begun");
    } else {
        if (fault != K8S_UNREACHED && fault != K8S_BUSY && fault != K8S_SERVER)
            list_anew(w); /* 410 above all */
        retry(w, why);
    }
}

static void watch(struct k8s_watch *w)
{
    const uint64_t seconds = jitter(WATCH_S);
    char why[K8S_WHY] = "no memory", *version = k8s_escape(w->version);
    char *path = version == NULL
                     ? NULL
                     : k8s_printf("/api/v1/namespaces/%s/pods?watch=1&labelSelector=%s&resourceVersion=%s"
                                  "&allowWatchBookmarks=true&timeoutSeconds=%u",
                                  w->ns, w->selector, version, (unsigned)seconds);
    const struct k8s_request r = {.method = "GET",
                                  .path = path,
                                  .body_max = 2 * LINE_MAX_BYTES,
                                  .deadline_ms = seconds * 1000 + SLACK_MS,
                                  .piece = on_piece};

    w->broken = false;
    w->line.len = 0;
    w->begun_ms = w->client->host->now_ms(w->client->ctx);
    if (path != NULL)
        w->call = k8s_call(w->client, &r, on_watch, w, why);
    free(version);
    free(path);
    if (w->call == NULL) {
        retry(w, why);
        return;
    }
    w->lost_ms = 0;
    w->why[0] = '\0';
}

static void next_step(void *arg)
{
    struct k8s_watch *w = arg;

    w->timer = 0;
    if (w->version == NULL)
        list(w);
    else
        watch(w);
}

/* ---- from outside --------------------------------------------------------------------------------- */

void k8s_watch_start(struct k8s_watch *w, const char *selector)
{
    char *escaped = k8s_escape(selector);

    if (escaped == NULL || (w->running && strcmp(escaped, w->selector) == 0)) {
        free(escaped);
        return;
    }
    k8s_watch_stop(w);
    w->selector = escaped;
    w->running = true;
    lost(w);
    next_step(w);
}

void k8s_watch_stop(struct k8s_watch *w)
{
    if (w->timer != 0)
        w->client->host->timer_cancel(w->client->ctx, w->timer);
    k8s_call_cancel(w->call);
    k8s_pods_clear(&w->pods);
    free(w->selector);
    set_text(&w->version, NULL);
    set_text(&w->token, NULL);
    k8s_text_done(&w->line);
    *w = (struct k8s_watch){.client = w->client, .ns = w->ns};
}

bool k8s_watch_fresh(const struct k8s_watch *w, char why[K8S_WHY])
{
    const struct k8s_client *c = w->client;

    if (!w->synced)
        k8s_why(why, "pods are not listed yet%s%.150s", w->why[0] == '\0' ? "" : ": ", w->why);
    else if (w->lost_ms != 0 && c->host->now_ms(c->ctx) - w->lost_ms > STALE_MS)
        k8s_why(why, "pods are not watched for %u s: %.150s",
                (unsigned)((c->host->now_ms(c->ctx) - w->lost_ms) / 1000), w->why);
    else
        return true;
    return false;
}
