/* api_metrics.c - numbers in Prometheus' text format 0.0.4, from what api_fleet.c has. */
#include "api_internal.h"

#include <inttypes.h>

#include "warm/warm.h"

/* A failure to append sticks; only the end of the answer looks at it. */
struct page {
    struct buf text;
    int rc;
};

static void add(struct page *p, const char *fmt, ...) PRINTF(2, 3);
static void add(struct page *p, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(line))
        p->rc = -ENOBUFS;
    else if (p->rc == 0)
        p->rc = buf_add(&p->text, line, (size_t)n);
}

static void head(struct page *p, const char *name, const char *type, const char *help)
{
    add(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct page *p, const char *name, const char *type, const char *help, uint64_t value)
{
    head(p, name, type, help);
    add(p, "%s %" PRIu64 "\n", name, value);
}

#define LABEL_MAX 224
/* Backslash, quote and newline escaped; cut where it does not fit. */
static const char *label(const char *value, char out[LABEL_MAX])
{
    size_t n = 0;

    for (; *value != '\0' && n + 3 < LABEL_MAX; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            out[n++] = '\\';
        out[n++] = *value == '\n' ? 'n' : *value;
    }
    out[utf8_cut(out, n)] = '\0';
    return out;
}

static void add_queue(struct page *p, const struct store_stats *s)
{
    uint64_t now = clock_wall_ms();
    uint64_t age = s->oldest_queued_ms == 0 || s->oldest_queued_ms > now ? 0 : now - s->oldest_queued_ms;

    head(p, "execd_queue_length", "gauge", "Jobs that wait.");
    for (int i = 0; i < JOB_PRIORITY_COUNT; i++)
        add(p, "execd_queue_length{priority=\"%s\"} %" PRIu64 "\n", job_priority_name((enum job_priority)i),
            s->queued[i]);
    number(p, "execd_queue_bytes", "gauge", "Bytes of the jobs that wait.", s->queued_bytes);
    head(p, "execd_queue_oldest_age_seconds", "gauge",
         "How long the oldest of them has waited; 0 if none does.");
    add(p, "execd_queue_oldest_age_seconds %.3f\n", (double)age / 1000);
    number(p, "execd_jobs_running", "gauge", "Jobs that a worker holds.", s->running);
    number(p, "execd_jobs_accepted_total", "counter", "Jobs accepted.", s->accepted);
    number(p, "execd_jobs_recovered_total", "counter", "Jobs taken back from workers that were lost.",
           s->recovered);
    number(p, "execd_results_late_total", "counter",
           "Results of workers whose lease was over: thrown away, another run counts.", s->late);
    number(p, "execd_jobs_dead_total", "counter",
           "Jobs that ended because they cost queue.max_attempts workers: dead letters.", s->dead);
}

static void add_workers(struct page *p, const struct store_stats *s)
{
    static const struct {
        const char *name, *help;
    } gauges[] = {
        {"execd_worker_slots", "Jobs that the worker runs at once."},
        {"execd_worker_running", "Jobs that it runs now."},
        {"execd_worker_draining", "1 if it claims no more."},
        {"execd_worker_cpu_ratio",
         "Share of its host's processor time that it and its cells used since its last beat."},
        {"execd_worker_memory_bytes", "Memory of it and its cells."},
    };
    char text[LABEL_MAX];

    number(p, "execd_workers", "gauge", "Workers with a heartbeat.", s->worker_count);
    for (size_t g = 0; g < COUNT_OF(gauges); g++) {
        head(p, gauges[g].name, "gauge", gauges[g].help);
        for (size_t i = 0; i < s->worker_count; i++) {
            const struct store_worker *w = &s->workers[i];
            const double values[] = {w->slots, w->running, w->draining, w->cpu_ratio,
                                     (double)w->memory_bytes};

            add(p, "%s{worker=\"%s\"} %.15g\n", gauges[g].name, label(w->id, text), values[g]);
        }
    }
}

_Static_assert((int)WARM_WAY_COUNT <= STORE_WARM_WAYS && (int)WARM_MISS_COUNT <= STORE_WARM_MISSES,
               "a heartbeat has room for what is counted");

/* Calls fn for each language of each worker that has warm runtimes. */
static void each_warm(struct page *p, const struct store_stats *s,
                      void (*fn)(struct page *p, const char *worker, const struct store_warm *v))
{
    char text[LABEL_MAX];

    for (size_t i = 0; i < s->worker_count; i++)
        for (size_t n = 0; n < s->workers[i].warm_count; n++)
            fn(p, label(s->workers[i].id, text), &s->workers[i].warm[n]);
}

static void add_warm_runtimes(struct page *p, const char *worker, const struct store_warm *v)
{
    const struct {
        const char *name;
        uint32_t count;
    } states[] = {{"booting", v->booting}, {"idle", v->idle}, {"busy", v->busy}};

    for (size_t i = 0; i < COUNT_OF(states); i++)
        add(p, "execd_warm_runtimes{worker=\"%s\",language=\"%d\",state=\"%s\"} %u\n", worker, v->language_id,
            states[i].name, states[i].count);
}

static void add_warm_memory(struct page *p, const char *worker, const struct store_warm *v)
{
    add(p, "execd_warm_memory_bytes{worker=\"%s\",language=\"%d\"} %" PRIu64 "\n", worker, v->language_id,
        v->memory_bytes);
}

static void add_warm_steps(struct page *p, const char *worker, const struct store_warm *v)
{
    for (uint32_t way = 1; way < WARM_WAY_COUNT; way++)
        add(p, "execd_warm_steps_total{worker=\"%s\",language=\"%d\",way=\"%s\"} %" PRIu64 "\n", worker,
            v->language_id, plugin_warm_way(way), v->steps[way]);
}

static void add_warm_misses(struct page *p, const char *worker, const struct store_warm *v)
{
    for (int i = 0; i < WARM_MISS_COUNT; i++)
        add(p, "execd_warm_fallbacks_total{worker=\"%s\",language=\"%d\",reason=\"%s\"} %" PRIu64 "\n",
            worker, v->language_id, warm_miss_name((enum warm_miss)i), v->misses[i]);
}

static void add_warm(struct page *p, const struct store_stats *s)
{
    head(p, "execd_warm_runtimes", "gauge", "Runtimes that were started before their job came.");
    each_warm(p, s, add_warm_runtimes);
    head(p, "execd_warm_memory_bytes", "gauge", "What those may use at most: the sum of their limits.");
    each_warm(p, s, add_warm_memory);
    head(p, "execd_warm_steps_total", "counter", "Runs and compilations that a warm runtime stood in for.");
    each_warm(p, s, add_warm_steps);
    head(p, "execd_warm_fallbacks_total", "counter",
         "Runs and compilations that started their program themselves although a warm runtime may stand in "
         "for it.");
    each_warm(p, s, add_warm_misses);
}

static void add_scaling(struct page *p, const struct store_stats *s)
{
    if (s->scale_epoch == 0) /* no scaler ever led */
        return;
    number(p, "execd_scaling_replicas", "gauge", "Replicas that there were at the scaler's last decision.",
           s->scale_replicas);
    number(p, "execd_scaling_wanted", "gauge",
           "Replicas that its policy wanted, before anything held them up.", s->scale_wanted);
    number(p, "execd_scaling_decisions_total", "counter",
           "Decisions; none are made while Redis does not answer.", s->scale_decisions);
    number(p, "execd_scaling_epoch", "counter", "Leaders that there were among the scalers.", s->scale_epoch);
}

static uint64_t ended(const struct store_language_stats *l)
{
    uint64_t n = 0;

    for (int i = 0; i < JOB_STATUS_COUNT; i++)
        n += job_status_terminal((enum job_status)i) ? l->by_status[i] : 0;
    return n;
}

static void add_histogram(struct page *p, const struct store_language_stats *l)
{
    const char *name = "execd_job_execution_seconds";

    for (unsigned b = 0; b + 1 < STORE_BUCKETS; b++)
        add(p, "%s_bucket{language=\"%d\",le=\"%g\"} %" PRIu64 "\n", name, l->language_id,
            store_bucket_seconds(b), l->run_buckets[b]);
    add(p, "%s_bucket{language=\"%d\",le=\"+Inf\"} %" PRIu64 "\n", name, l->language_id, l->run_count);
    add(p, "%s_sum{language=\"%d\"} %.6f\n", name, l->language_id, l->run_seconds_sum);
    add(p, "%s_count{language=\"%d\"} %" PRIu64 "\n", name, l->language_id, l->run_count);
}

static void add_jobs(struct page *p, const struct store_stats *s)
{
    head(p, "execd_jobs_total", "counter", "Jobs that ended, by verdict and language.");
    for (size_t i = 0; i < s->language_count; i++) {
        for (int v = 0; v < JOB_STATUS_COUNT; v++) {
            if (job_status_terminal((enum job_status)v))
                add(p, "execd_jobs_total{status=\"%s\",language=\"%d\"} %" PRIu64 "\n",
                    job_status_name((enum job_status)v), s->languages[i].language_id,
                    s->languages[i].by_status[v]);
        }
    }
    head(p, "execd_job_success_ratio", "gauge", "Share of the jobs that ended which completed.");
    for (size_t i = 0; i < s->language_count; i++) {
        uint64_t all = ended(&s->languages[i]);

        if (all > 0)
            add(p, "execd_job_success_ratio{language=\"%d\"} %.6f\n", s->languages[i].language_id,
                (double)s->languages[i].by_status[JOB_COMPLETED] / (double)all);
    }
    head(p, "execd_compile_cache_total", "counter", "Compile steps, by whether their output was known.");
    for (size_t i = 0; i < s->language_count; i++)
        for (int c = JOB_CACHE_NONE + 1; c < JOB_CACHE_COUNT; c++)
            add(p, "execd_compile_cache_total{result=\"%s\",language=\"%d\"} %" PRIu64 "\n",
                job_cache_name((enum job_cache)c), s->languages[i].language_id, s->languages[i].by_cache[c]);
    head(p, "execd_job_execution_seconds", "histogram", "Wall time of the programs that ran.");
    for (size_t i = 0; i < s->language_count; i++)
        add_histogram(p, &s->languages[i]);
}

static void add_webhooks(struct page *p, const struct store_stats *s)
{
    number(p, "execd_webhook_outbox", "gauge", "Webhooks that wait for delivery.", s->outbox);
    number(p, "execd_webhook_dead", "gauge", "Webhooks that were given up and are still kept.",
           s->outbox_dead);
    head(p, "execd_webhooks_total", "counter", "Webhooks settled, by outcome.");
    add(p, "execd_webhooks_total{outcome=\"delivered\"} %" PRIu64 "\n", s->webhook_delivered);
    add(p, "execd_webhooks_total{outcome=\"failed\"} %" PRIu64 "\n", s->webhook_failed);
}

static void add_language(void *arg, const struct wire_language *l)
{
    char name[LABEL_MAX], version[LABEL_MAX];

    add(arg, "execd_language_info{language=\"%d\",name=\"%s\",version=\"%s\"} %d\n", l->id,
        label(l->name, name), label(l->version == NULL ? "" : l->version, version), l->ready);
}

static void add_process(struct page *p, struct api *api, bool redis)
{
    head(p, "execd_build_info", "gauge", "Always 1.");
    add(p, "execd_build_info{version=\"" EXECD_VERSION "\"} 1\n");
    number(p, "execd_redis_up", "gauge",
           "1 if Redis answers this process; without it only its own numbers follow.", redis);
    number(p, "execd_http_requests_open", "gauge", "Requests of this process that are not answered yet.",
           api->call_count);
    head(p, "execd_http_responses_total", "counter", "Answers of this process, by hundreds of the status.");
    for (unsigned i = 2; i < COUNT_OF(api->answered); i++)
        add(p, "execd_http_responses_total{class=\"%uxx\"} %" PRIu64 "\n", i, api->answered[i]);
    head(p, "execd_language_info", "gauge", "Languages by id; 1 if a worker serves it.");
    api_languages_each(api, add_language, p);
}

static void on_metrics(struct api_call *call, const struct store_stats *stats)
{
    struct page p = {.rc = 0};

    add_process(&p, call->api, stats != NULL);
    if (stats != NULL) {
        add_queue(&p, stats);
        add_workers(&p, stats);
        add_warm(&p, stats);
        add_scaling(&p, stats);
        add_jobs(&p, stats);
        add_webhooks(&p, stats);
    }
    if (p.rc != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the metrics"});
    else
        api_answer(call, 200, "text/plain; version=0.0.4; charset=utf-8",
                   (struct bytes){p.text.data, p.text.len});
    buf_done(&p.text);
}

void api_metrics(struct api_call *call)
{
    api_fleet_ask(call, on_metrics);
}
