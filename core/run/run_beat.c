/* run_beat.c - what a worker tells of itself: that it lives, what it runs, what it uses. */
#include "run_worker.h"

#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#define HOST_MAX 43u /* of a name that has room for a pid and the random part as well */

/* host:pid:random, unique among the workers of one Redis.  Of a long name the end: that is where names that a
 * machine made up, as those of pods, differ. */
void run_make_id(struct run *run)
{
    char name[HOST_NAME_MAX + 1] = "", *host = name;
    uint32_t salt;

    gethostname(name, sizeof(name) - 1);
    if (strlen(name) > HOST_MAX)
        host += strlen(name) - HOST_MAX;
    for (char *p = host; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p) == NULL)
            *p = '_';
    random_bytes(&salt, sizeof(salt));
    snprintf(run->id, sizeof(run->id), "%.*s:%d:%08x", (int)HOST_MAX, host[0] != '\0' ? host : "host",
             (int)getpid(), salt);
}

static void ignore_done(void *arg, const struct err *err)
{
    (void)arg;
    (void)err; /* heartbeats are repeated */
}

void run_tell_languages(struct run *run)
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

static void on_beat(void *arg, const struct err *err, bool leave)
{
    if (err == NULL) /* else what it was told last holds, and the beat is repeated */
        run_rest(arg, leave);
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

void run_beat(struct run *run)
{
    struct store_worker w = {
        .slots = run->o.slots, .running = run_running(run), .draining = run->draining || run->resting};
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
    w.cores = (uint32_t)MAX(cores, 1L);
    w.memory_max = (uint64_t)MAX(sysconf(_SC_PHYS_PAGES), 0L) * (uint64_t)sysconf(_SC_PAGESIZE);
    w.held = run->active_count;
    w.drained = run_empty(run);
    w.enforced = jail_facts(run->o.jail)->enforced;
    w.missing = jail_facts(run->o.jail)->missing;
    beat_warm(run, &w);
    store_heartbeat(run->o.store, &w, run->o.conf->heartbeat_ms * 3, on_beat, run);
}
