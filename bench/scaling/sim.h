/* sim.h - a fleet of workers in simulated time, and what decides how large it is.
 *
 * Discrete events: jobs arrive and end, pods become ready, a controller looks every so often.  execd's
 * policies are the very object code that scaler plugins link (plugins/scaler-policy); beside them the
 * formulas of Kubernetes' HPA, with cpu and with an external metric as KEDA's redis scalers feed it, as both
 * are documented.  Everything random comes from one seed, so a run can be repeated. */
#ifndef BENCH_SCALING_SIM_H
#define BENCH_SCALING_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scaler_policy.h"

/* ---- chance (sim_shape.c) ---- */

struct sim_random {
    uint64_t state;
};
double sim_uniform(struct sim_random *r); /* in [0, 1) */
double sim_exponential(struct sim_random *r, double mean);

/* ---- jobs (sim_shape.c) ---- */

struct sim_job {
    double at, service; /* s */
    double began;       /* of its first start; negative: not yet */
};
struct sim_shape {
    const char *name, *what;
    double (*rate)(double t);                /* jobs a second */
    double (*service)(struct sim_random *r); /* s */
    double batch_at;                         /* s; with... */
    size_t batch;                            /* so many jobs at once */
};
extern const struct sim_shape sim_shapes[];
extern const size_t sim_shape_count;
#define SIM_ARRIVALS_S 3600.0
/* In the order of their arrival; the caller's. */
struct sim_job *sim_jobs(const struct sim_shape *shape, struct sim_random *r, size_t *ret_count);

/* ---- the fleet (sim.c) ---- */

struct sim_setting {
    uint32_t min, max, slots, jobs_per_pod;
    double start_s;  /* mean of a pod's start; half to one and a half of it */
    double target_s; /* of waiting */
    double grace_s;  /* after SIGTERM, for those that end pods without asking */
};
#define SIM_SLOTS_MAX 64
enum sim_pod_state { SIM_GONE, SIM_STARTING, SIM_READY, SIM_DRAINING, SIM_ENDING };
struct sim_pod {
    enum sim_pod_state state;
    uint32_t busy;
    uint32_t epoch;             /* of its place: events of an earlier one are none of its */
    size_t jobs[SIM_SLOTS_MAX]; /* of each slot; SIZE_MAX: none */
    size_t idle_at;             /* where it stands among those with a free slot; SIZE_MAX: it does not */
    double born;
};
struct sim_numbers { /* since the controller looked last */
    uint64_t arrived, finished, service_ms;
};
struct sim;
struct sim_controller {
    const char *name;
    double every_s;
    uint32_t (*decide)(struct sim *s); /* replicas wanted */
    bool drains;                       /* as execd's scaler; else pods get SIGTERM and grace_s */
};
extern const struct sim_controller sim_controllers[];
extern const size_t sim_controller_count;

#define SIM_SAMPLES 1000
struct sim {
    struct sim_setting set;
    const struct sim_controller *controller;
    struct sim_random random;
    double now;

    struct sim_job *jobs;
    size_t job_count, next_job, done;
    size_t *queue; /* indices; [queue_head, queue_tail) */
    size_t queue_head, queue_tail;

    struct sim_pod *pods;     /* places, reused */
    size_t place_count, live; /* live: asked for and not told to end */
    size_t *idle, idle_count;
    uint64_t running;

    struct sim_event *heap;
    size_t heap_count, heap_room;

    struct sim_numbers since;
    double looked;
    struct execd_sample samples[SIM_SAMPLES]; /* age_ms holds the time in ms until it is shown */
    uint32_t sample_count;
    struct {
        double at;
        uint32_t replicas;
    } advice[64]; /* of the HPA's window */
    uint32_t advice_count;

    /* what it cost */
    double pod_seconds;
    uint64_t killed, moves;
};
struct sim_result {
    double p50, p95, p99, late; /* s; share of jobs that waited longer than the target */
    double pod_seconds;
    double moves, killed;
};
/* `jobs` are the caller's and are written to. */
struct sim_result sim_run(const struct sim_setting *set, const struct sim_controller *c, struct sim_job *jobs,
                          size_t count, uint64_t seed);
/* For controllers: pods in a state. */
uint32_t sim_count(const struct sim *s, enum sim_pod_state state);
void *sim_memory(size_t n, size_t size); /* zeroed; ends the program if there is none */

#endif
