/* sim_shape.c - when jobs arrive and how long they take. */
#include "sim.h"

#include <math.h>
#include <stdlib.h>

/* splitmix64: one state, the same on every machine. */
static uint64_t next(struct sim_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double sim_uniform(struct sim_random *r)
{
    return (double)(next(r) >> 11) * 0x1p-53;
}

double sim_exponential(struct sim_random *r, double mean)
{
    return -mean * log1p(-sim_uniform(r));
}

/* ---- rates ------------------------------------------------------------------------------- */

static double steady(double t)
{
    (void)t;
    return 20;
}

static double daily(double t) /* a day in an hour */
{
    return 3 + 37 * (1 - cos(2 * M_PI * t / SIM_ARRIVALS_S)) / 2;
}

static double bursts(double t)
{
    return fmod(t, 600) >= 300 && fmod(t, 600) < 360 ? 60 : 4;
}

static double flash(double t)
{
    return t >= 1200 && t < 1500 ? 120 : 5;
}

static double calm(double t)
{
    (void)t;
    return 2;
}

/* ---- times ------------------------------------------------------------------------------- */

static double two_seconds(struct sim_random *r)
{
    return sim_exponential(r, 2);
}

/* Pareto from 0.4 s on with shape 1.3, cut at 120 s: a mean of about 1.5 s, and few have most of the work. */
static double heavy(struct sim_random *r)
{
    return fmin(0.4 * pow(1 - sim_uniform(r), -1 / 1.3), 120);
}

const struct sim_shape sim_shapes[] = {
    {"steady", "20 jobs a second of 2 s", steady, two_seconds, 0, 0},
    {"daily", "3 to 40 jobs a second and back", daily, two_seconds, 0, 0},
    {"bursts", "4 a second, each ten minutes 60 for a minute", bursts, two_seconds, 0, 0},
    {"flash crowd", "5 a second, then 120 for five minutes", flash, two_seconds, 0, 0},
    {"batch", "2 a second, and 100,000 at once", calm, two_seconds, 600, 100000},
    {"heavy tail", "20 a second of 0.4 to 120 s", steady, heavy, 0, 0},
};
const size_t sim_shape_count = sizeof(sim_shapes) / sizeof(sim_shapes[0]);

/* Arrivals come independently: a Poisson process of the highest rate, thinned to the rate of the moment. */
struct sim_job *sim_jobs(const struct sim_shape *shape, struct sim_random *r, size_t *ret_count)
{
    const double highest = 120;
    const size_t room = (size_t)(highest * SIM_ARRIVALS_S * 1.2) + shape->batch;
    struct sim_job *jobs = sim_memory(room, sizeof(*jobs));
    bool sent = shape->batch == 0;
    size_t n = 0;
    double t = 0;

    while (n + shape->batch < room) {
        t += sim_exponential(r, 1 / highest);
        if (t > SIM_ARRIVALS_S)
            break;
        for (size_t i = 0; !sent && t >= shape->batch_at && i < shape->batch; i++)
            jobs[n++] = (struct sim_job){shape->batch_at, shape->service(r), -1};
        sent = sent || t >= shape->batch_at;
        if (sim_uniform(r) < shape->rate(t) / highest)
            jobs[n++] = (struct sim_job){t, shape->service(r), -1};
    }
    *ret_count = n;
    return jobs;
}
