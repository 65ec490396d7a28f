/* run.c - the worker: claims, leases, heartbeat, drain. */
#include "run_internal.h"

#include <fcntl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log/log.h"
#include "log/trace.h"

enum {
    CLAIM_POLL_MS = 1000,  /* when no hint came */
    RECORD_FIRST_MS = 100, /* offering a result again while Redis is away */
    RECORD_MAX_MS = 2000,
    REFUSALS_MAX = 20, /* of a result, before it is left to its lease */
    DRAIN_RECORD_MS = 5000,
};

struct active { /* a claimed job */
    TAILQ_ENTRY(active) link;
    struct run *run;
    struct job *job;
    uint32_t epoch;
    struct run_job *rj;       /* NULL once it ended */
    struct job_result result; /* being recorded */
    struct loop_timer *record_timer;
    uint64_t record_delay_ms;
    unsigned refusals; /* by a Redis that does answer */
    bool ended;        /* it runs no more: only its result is not recorded yet */
    bool recording;    /* a store call is on its way */
    bool kept;         /* on the disk, while Redis does not take it */
    bool lost;         /* the lease is another's: throw the result away */
    bool cancelled;    /* by its client */
    bool hand_back;    /* the drain's time is up */
};
TAILQ_HEAD(active_list, active);

struct run {
    struct run_options o;
    struct run_job_context ctx;
    struct run_check *check;
    struct warm *warm;
    struct run_prove *prove;
    char id[64];
    int32_t *languages;
    size_t language_count;
    struct active_list active;
    unsigned active_count, ended_count;
    size_t asked; /* for so many jobs by the last question */
    bool started, claiming, draining, drained;
    bool hinted;          /* since the last question something may have been queued */
    bool dry;             /* the last answer was less than was asked for */
    unsigned warm_ending; /* parts of it that have not ended: the self-tests, the runtimes */
    struct loop_timer *claim_timer, *beat_timer, *drain_timer;
    uint64_t started_ms, claim_asked_ns;
    uint64_t last_beat_ns, last_cpu_ns;
    run_ready_fn ready;
    void *ready_arg;
    loop_fn on_drained;
    void *drained_arg;
};

static void claim(struct run *run);
static void record(struct active *a);

/* ---- end of a job ------------------------------------------------------------------- */

static void on_gone(void *arg, const struct err *err)
{
    struct run *run = arg;
    loop_fn fn = run->on_drained;

    (void)err; /* our heartbeat's key expires by itself */
    run->on_drained = NULL;
    if (fn != NULL)
        fn(run->drained_arg);
}

/* The last word of a worker: its heartbeat is withdrawn. */
static void drained_later(void *arg)
{
    struct run *run = arg;

    loop_timer_cancel(run->beat_timer);
    if (run->started)
        store_worker_gone(run->o.store, run->id, on_gone, run);
    else
        on_gone(run, NULL);
}

static void drain_check(struct run *run)
{
    if (run->draining && !run->drained && run->active_count == 0 && !run->claiming && run->warm_ending == 0) {
        run->drained = true;
        loop_post(run->o.loop, drained_later, run);
    }
}

static void tell_crowded(struct run *run)
{
    warm_crowded(run->warm, run->active_count - run->ended_count >= run->o.slots);
}

static void active_free(struct active *a)
{
    struct run *run = a->run;

    TAILQ_REMOVE(&run->active, a, link);
    run->active_count--;
    run->ended_count -= a->ended;
    loop_timer_free(a->record_timer);
    job_result_done(&a->result);
    job_free(a->job);
    free(a);
    tell_crowded(run);
    drain_check(run);
    claim(run);
}

/* Redis is away, full, or fails: the result is worth more than one try. */
static bool record_again(struct active *a, const struct err *err)
{
    if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)
        return false;
    if (err->code != ERR_AGAIN && ++a->refusals == REFUSALS_MAX)
        return false;
    if (!a->kept && !a->hand_back)
        store_spool_keep(a->run->o.spool, a->job->token, a->epoch, &a->result);
    a->kept = true;
    if (a->refusals == 1)
        LOG_ERROR("result_not_taken", F_STR("token", a->job->token), F_STR("reason", err->text));
    loop_timer_arm(a->record_timer, a->record_delay_ms);
    a->record_delay_ms = MIN(a->record_delay_ms * 2, (uint64_t)RECORD_MAX_MS);
    return true;
}

static void on_recorded(void *arg, const struct err *err)
{
    struct active *a = arg;

    a->recording = false;
    if (err != NULL && record_again(a, err))
        return;
    if (a->kept)
        store_spool_drop(a->run->o.spool, a->job->token, a->epoch);
    TRACE(a->job->token, "recorded");
    if (err != NULL)
        LOG_WARN("result_refused", F_STR("token", a->job->token), F_UINT("epoch", a->epoch),
                 F_STR("reason", err->text));
    else
        LOG_INFO(a->hand_back ? "job_handed_back" : "job_finished", F_STR("token", a->job->token),
                 F_INT("language_id", a->job->language_id),
                 F_STR("status", job_status_name(a->result.status)), F_UINT("epoch", a->epoch),
                 F_UINT("ms", a->result.finished_ms - a->result.started_ms));
    active_free(a);
}

static void record(struct active *a)
{
    a->recording = true;
    if (a->hand_back)
        store_release(a->run->o.store, a->job->token, a->epoch, on_recorded, a);
    else
        store_finish(a->run->o.store, a->job->token, a->epoch, &a->result, on_recorded, a);
}

static void on_record_timer(void *arg)
{
    record(arg);
}

void run_offer(struct run *run)
{
    struct active *a;

    TAILQ_FOREACH (a, &run->active, link)
        if (a->ended && !a->recording) {
            a->record_delay_ms = RECORD_FIRST_MS;
            loop_timer_arm(a->record_timer, 0);
        }
}

/* Want of the machine's, which the next worker may not have: the lease decides. */
static bool transient(int code)
{
    return code == ERR_AGAIN || code == -EMFILE || code == -ENFILE || code == -ENOMEM || code == -ENOBUFS;
}

static void on_job_done(void *arg, struct job_result *result, const struct err *err)
{
    struct active *a = arg;

    a->rj = NULL;
    if (err != NULL && err->code == ERR_AGAIN && (a->hand_back || a->cancelled))
        err = NULL; /* killed as it should be */
    if (a->lost || (err != NULL && transient(err->code))) {
        /* Not ours any more, or the jailer is gone: the lease decides who runs it next. */
        LOG_WARN("job_abandoned", F_STR("token", a->job->token), F_UINT("epoch", a->epoch),
                 F_STR("reason", a->lost ? "its lease was lost" : err->text));
        active_free(a);
        return;
    }
    a->result = *result;
    memset(result, 0, sizeof(*result));
    if (a->cancelled)
        a->hand_back = false;
    else if (a->result.status != JOB_CANCELLED)
        a->hand_back = false; /* it ended by itself before the kill reached it */
    if (err != NULL) {
        LOG_ERROR("job_failed", F_STR("token", a->job->token), F_STR("reason", err->text));
        a->result.status = JOB_INTERNAL_ERROR;
        free(a->result.message);
        a->result.message = mem_printf("execd could not run this job: %s", err->text);
    }
    a->record_delay_ms = RECORD_FIRST_MS;
    TRACE(a->job->token, "judged");
    a->ended = true;
    a->run->ended_count++;
    tell_crowded(a->run);
    record(a);
    claim(a->run);
}

/* ---- claim ------------------------------------------------------------------------------ */

static void begin(struct run *run, struct store_claim *c)
{
    struct active *a = NEW(struct active);
    struct plugin_lang *lang = plugin_lang_find(run->o.plugins, c->job->language_id);

    a->run = run;
    a->job = c->job;
    a->epoch = c->epoch;
    a->record_timer = loop_timer_new(run->o.loop, on_record_timer, a);
    TAILQ_INSERT_TAIL(&run->active, a, link);
    run->active_count++;
    tell_crowded(run);
    TRACE_AT(a->job->token, "claim_asked", run->claim_asked_ns);
    TRACE(a->job->token, "claimed");
    a->rj = run_job_start(&run->ctx, lang, a->job, on_job_done, a);
    if (run->draining) { /* it was claimed while the drain began */
        a->hand_back = true;
        run_job_cancel(a->rj);
    }
}

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct run *run = arg;

    run->claiming = false;
    run->dry = err != NULL || (count < run->asked && !more);
    if (err != NULL && err->code != ERR_AGAIN)
        LOG_ERROR("claim_failed", F_STR("reason", err->text));
    for (size_t i = 0; i < count; i++)
        begin(run, &claims[i]);
    drain_check(run);
    claim(run);
}

/* A slot is free as soon as its job has ended: then the result and the question for the next job reach Redis
 * together, and are one write to its disk.  Results that Redis does not take keep the worker from claiming.
 * A queue that was found empty is asked again when a hint has come, or the poll's time. */
static void claim(struct run *run)
{
    unsigned running = run->active_count - run->ended_count;

    if (!run->started || run->draining || run->claiming)
        return;
    if (running >= run->o.slots || run->ended_count > run->o.slots)
        return;
    if ((run->dry && !run->hinted) || !store_connected(run->o.store))
        return;
    run->claiming = true;
    run->hinted = false;
    run->asked = run->o.slots - running;
    run->claim_asked_ns = clock_mono_ns();
    store_claim(run->o.store, run->id, run->languages, run->language_count, run->asked, on_claimed, run);
}

static void on_ready_hint(void *arg)
{
    struct run *run = arg;

    run->hinted = true; /* also while an answer is on its way, which may know nothing of it */
    claim(run);
}

static void on_claim_timer(void *arg)
{
    struct run *run = arg;

    loop_timer_arm(run->claim_timer, CLAIM_POLL_MS);
    on_ready_hint(run);
}

/* ---- heartbeat and leases ------------------------------------------------------------------ */

static struct active *active_find(struct run *run, const char *token, uint32_t epoch)
{
    struct active *a;

    TAILQ_FOREACH (a, &run->active, link)
        if (a->epoch == epoch && strcmp(a->job->token, token) == 0)
            return a;
    return NULL;
}

static void on_extended(void *arg, const struct err *err, struct store_lease *leases, size_t count)
{
    struct run *run = arg;

    if (err != NULL) {
        if (err->code != ERR_AGAIN)
            LOG_ERROR("extend_failed", F_STR("reason", err->text));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct active *a = active_find(run, leases[i].token, leases[i].epoch);

        if (a == NULL || a->rj == NULL || (!leases[i].lost && !leases[i].cancelled))
            continue;
        a->lost = leases[i].lost;
        a->cancelled = leases[i].cancelled;
        run_job_cancel(a->rj);
    }
}

static void extend(struct run *run)
{
    struct store_lease *leases;
    struct active *a;
    size_t n = 0;

    if (run->active_count == 0)
        return;
    leases = mem_zero(run->active_count, sizeof(*leases));
    TAILQ_FOREACH (a, &run->active, link) {
        memcpy(leases[n].token, a->job->token, UUID_SIZE);
        leases[n++].epoch = a->epoch;
    }
    store_extend(run->o.store, run->id, leases, n, on_extended, run);
    free(leases);
}

static void ignore_done(void *arg, const struct err *err)
{
    (void)arg;
    (void)err; /* heartbeats are repeated */
}

static void tell_languages(struct run *run)
{
    struct store_language *l = mem_zero(MAX(run->language_count, (size_t)1), sizeof(*l));

    for (size_t i = 0; i < run->language_count; i++) {
        l[i].id = run->languages[i];
        snprintf(l[i].version, sizeof(l[i].version), "%s",
                 plugin_lang_version(plugin_lang_find(run->o.plugins, run->languages[i])));
    }
    store_languages_put(run->o.store, l, run->language_count, ignore_done, run);
    free(l);
}

static uint64_t own_cpu_ns(void)
{
    struct rusage ru;

    getrusage(RUSAGE_SELF, &ru);
    return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000u;
}

/* Resident bytes (proc(5), statm's second field). */
static uint64_t own_memory(void)
{
    CLEAN(fclosep) FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long size = 0, resident = 0;

    if (f == NULL || fscanf(f, "%llu %llu", &size, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void beat_warm(const struct run *run, struct store_worker *w)
{
    struct warm_stats stats[STORE_WARM_MAX];

    w->warm_count = warm_stats(run->warm, stats, COUNT_OF(stats));
    for (size_t i = 0; i < w->warm_count; i++) {
        struct store_warm *to = &w->warm[i];
        const struct warm_stats *from = &stats[i];

        to->language_id = from->language_id;
        to->booting = from->booting;
        to->idle = from->idle;
        to->busy = from->busy;
        to->memory_bytes = from->memory_bytes;
        memcpy(to->steps, from->steps, sizeof(from->steps));
        memcpy(to->misses, from->misses, sizeof(from->misses));
    }
}

static void beat(struct run *run)
{
    struct store_worker w = {
        .slots = run->o.slots, .running = run->active_count - run->ended_count, .draining = run->draining};
    uint64_t now = clock_mono_ns(), memory, cpu;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    jail_usage(run->o.jail, &memory, &cpu);
    cpu += own_cpu_ns();
    snprintf(w.id, sizeof(w.id), "%s", run->id);
    if (run->last_beat_ns != 0 && now > run->last_beat_ns)
        w.cpu_ratio =
            (double)(cpu - run->last_cpu_ns) / ((double)(now - run->last_beat_ns) * (double)MAX(cores, 1L));
    run->last_beat_ns = now;
    run->last_cpu_ns = cpu;
    w.memory_bytes = own_memory() + memory;
    w.started_ms = run->started_ms;
    w.seen_ms = clock_wall_ms();
    w.enforced = jail_facts(run->o.jail)->enforced;
    w.missing = jail_facts(run->o.jail)->missing;
    beat_warm(run, &w);
    store_heartbeat(run->o.store, &w, run->o.conf->heartbeat_ms * 3, ignore_done, run);
}

static void on_beat_timer(void *arg)
{
    struct run *run = arg;

    loop_timer_arm(run->beat_timer, run->o.conf->heartbeat_ms);
    beat(run);
    extend(run);
    tell_languages(run);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void collect_languages(struct run *run)
{
    size_t n = plugin_lang_count(run->o.plugins);

    run->languages = mem_zero(MAX(n, (size_t)1), sizeof(*run->languages));
    for (size_t i = 0; i < n; i++) {
        int32_t id = plugin_lang_id(plugin_lang_at(run->o.plugins, i));

        if (run_check_serves(run->check, id))
            run->languages[run->language_count++] = id;
    }
}

static void on_checked(void *arg, const struct err *err)
{
    struct run *run = arg;

    if (err == NULL)
        collect_languages(run);
    run->ready(run->ready_arg, err);
}

/* host:pid:random, unique among the workers of one Redis. */
static void make_id(struct run *run)
{
    char host[33] = "";
    uint32_t salt;

    gethostname(host, sizeof(host) - 1);
    for (char *p = host; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p) == NULL)
            *p = '_';
    random_bytes(&salt, sizeof(salt));
    snprintf(run->id, sizeof(run->id), "%s:%d:%08x", host[0] != '\0' ? host : "host", (int)getpid(), salt);
}

struct run *run_new(const struct run_options *o, run_ready_fn ready, void *arg)
{
    struct run *run = NEW(struct run);

    run->o = *o;
    run->ctx = (struct run_job_context){.loop = o->loop, .jail = o->jail, .conf = o->conf};
    run->ready = ready;
    run->ready_arg = arg;
    TAILQ_INIT(&run->active);
    make_id(run);
    run->check = run_check_start(&run->ctx, o->plugins, o->slots, on_checked, run);
    run->ctx.cache = o->cache; /* from here on: checks compile */
    return run;
}

/* ---- warm runtimes ------------------------------------------------------------------------------- */

static void warm_begin(struct run *run)
{
    const struct warm_options wo = {.loop = run->o.loop,
                                    .jail = run->o.jail,
                                    .conf = run->o.conf,
                                    .slots = run->o.slots,
                                    .prove = run_prove_pool,
                                    .prove_arg = run->prove = run_prove_new(&run->ctx, run->check)};

    run->warm = run->ctx.warm = warm_new(&wo);
    run_prove_start(run->prove, run->warm, run->o.plugins);
}

static void on_warm_ended(void *arg)
{
    struct run *run = arg;

    run->warm_ending--;
    drain_check(run);
}

static void warm_end(struct run *run)
{
    if (run->warm == NULL)
        return;
    run->warm_ending = 2;
    warm_stop(run->warm, on_warm_ended, run);
    run_prove_stop(run->prove, on_warm_ended, run);
}

void run_try_warm(struct run *run, loop_fn fn, void *arg)
{
    warm_begin(run);
    warm_on_settled(run->warm, fn, arg);
}

void run_describe_warm(const struct run *run, int32_t language_id, char *out, size_t size)
{
    warm_describe(run->warm, language_id, out, size);
}

/* ---- start and end --------------------------------------------------------------------------------- */

void run_start(struct run *run)
{
    run->started = true;
    LOG_INFO("worker_started", F_STR("worker", run->id), F_UINT("slots", run->o.slots),
             F_UINT("languages", run->language_count));
    run->started_ms = clock_wall_ms();
    run->claim_timer = loop_timer_new(run->o.loop, on_claim_timer, run);
    run->beat_timer = loop_timer_new(run->o.loop, on_beat_timer, run);
    store_on_ready(run->o.store, on_ready_hint, run);
    warm_begin(run);
    on_beat_timer(run);
    on_claim_timer(run);
}

/* The time for running jobs is over: kill them and hand them back. */
static void on_drain_timer(void *arg)
{
    struct run *run = arg;
    struct active *a;
    bool killed = false;

    TAILQ_FOREACH (a, &run->active, link) {
        if (a->rj == NULL || a->hand_back)
            continue;
        a->hand_back = true;
        killed = true;
        run_job_cancel(a->rj);
    }
    if (killed) {
        loop_timer_arm(run->drain_timer, DRAIN_RECORD_MS);
    } else if (!run->drained) { /* Redis does not take what is left; leases and epochs settle it */
        LOG_WARN("drain_incomplete", F_UINT("jobs", run->active_count));
        run->drained = true;
        drained_later(run);
    }
}

void run_drain(struct run *run, loop_fn fn, void *arg)
{
    run->draining = true;
    run->on_drained = fn;
    run->drained_arg = arg;
    warm_end(run);
    run->drain_timer = loop_timer_new(run->o.loop, on_drain_timer, run);
    loop_timer_arm(run->drain_timer, run->o.conf->drain_ms);
    if (run->started) {
        store_on_ready(run->o.store, NULL, NULL);
        beat(run);
    }
    drain_check(run);
}

void run_drain_now(struct run *run)
{
    if (run->draining && !run->drained)
        loop_timer_arm(run->drain_timer, 0);
}

bool run_serves(const struct run *run, int32_t language_id)
{
    return run_check_serves(run->check, language_id);
}

const char *run_worker_id(const struct run *run)
{
    return run->id;
}

void run_free(struct run *run)
{
    struct active *a;

    if (run == NULL)
        return;
    while ((a = TAILQ_FIRST(&run->active)) != NULL) { /* results that Redis did not take */
        TAILQ_REMOVE(&run->active, a, link);
        loop_timer_free(a->record_timer);
        job_result_done(&a->result);
        job_free(a->job);
        free(a);
    }
    loop_timer_free(run->claim_timer);
    loop_timer_free(run->beat_timer);
    loop_timer_free(run->drain_timer);
    run_prove_free(run->prove);
    warm_free(run->warm);
    run_check_free(run->check);
    free(run->languages);
    free(run);
}
