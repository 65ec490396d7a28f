/* main.c - bench-scaling: each shape of load under each controller, as a table. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const char usage[] =
    "usage: bench-scaling [--seeds N] [--seed FIRST] [--start SECONDS] [--max PODS] [--slots N] [--target "
    "SECONDS]\n"
    "\n"
    "Simulates an hour of each load, N times with other chances, and prints means as a table.\n";

static void add(struct sim_result *sum, const struct sim_result *r, double share)
{
    sum->p50 += r->p50 * share;
    sum->p95 += r->p95 * share;
    sum->p99 += r->p99 * share;
    sum->late += r->late * share;
    sum->pod_seconds += r->pod_seconds * share;
    sum->moves += r->moves * share;
    sum->killed += r->killed * share;
}

static void run_shape(const struct sim_shape *shape, const struct sim_setting *set, uint64_t first,
                      unsigned seeds)
{
    struct sim_result sums[16] = {0};

    for (unsigned k = 0; k < seeds; k++) {
        struct sim_random random = {first + k};
        size_t count;
        struct sim_job *jobs = sim_jobs(shape, &random, &count);

        for (size_t c = 0; c < sim_controller_count; c++) {
            const struct sim_result r = sim_run(set, &sim_controllers[c], jobs, count, first + k);

            add(&sums[c], &r, 1.0 / seeds);
        }
        free(jobs);
    }
    printf("\n**%s**: %s\n\n", shape->name, shape->what);
    puts("| | wait p50 s | p95 | p99 | over target | pod-seconds | moves | jobs killed |\n"
         "|---|---|---|---|---|---|---|---|");
    for (size_t c = 0; c < sim_controller_count; c++)
        printf("| %s | %.2f | %.2f | %.2f | %.1f %% | %.0f | %.0f | %.0f |\n", sim_controllers[c].name,
               sums[c].p50, sums[c].p95, sums[c].p99, 100 * sums[c].late, sums[c].pod_seconds, sums[c].moves,
               sums[c].killed);
    fflush(stdout);
}

static double number(const char *name, const char *text, double min, double max)
{
    char *end;
    const double v = strtod(text, &end);

    if (end == text || *end != '\0' || !(v >= min && v <= max)) {
        fprintf(stderr, "bench-scaling: --%s %s: must be a number from %g to %g\n", name, text, min, max);
        exit(2);
    }
    return v;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 'f'},
                                            {"start", required_argument, NULL, 's'},
                                            {"max", required_argument, NULL, 'm'},
                                            {"slots", required_argument, NULL, 'l'},
                                            {"target", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    struct sim_setting set = {
        .min = 1, .max = 200, .slots = 4, .jobs_per_pod = 4, .start_s = 15, .target_s = 5, .grace_s = 30};
    unsigned seeds = 5;
    uint64_t first = 1;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == 'n')
            seeds = (unsigned)number("seeds", optarg, 1, 1000);
        else if (o == 'f')
            first = (uint64_t)number("seed", optarg, 0, 1e15);
        else if (o == 's')
            set.start_s = number("start", optarg, 0, 600);
        else if (o == 'm')
            set.max = (uint32_t)number("max", optarg, 1, 10000);
        else if (o == 'l')
            set.slots = set.jobs_per_pod = (uint32_t)number("slots", optarg, 1, SIM_SLOTS_MAX);
        else if (o == 't')
            set.target_s = number("target", optarg, 0.001, 3600);
        else {
            fputs(usage, stderr);
            return 2;
        }
    }
    printf("%u to %u pods of %u slots, a start of %g s, target %g s, %u seeds from %llu on\n", set.min,
           set.max, set.slots, set.start_s, set.target_s, seeds, (unsigned long long)first);
    for (size_t i = 0; i < sim_shape_count; i++)
        run_shape(&sim_shapes[i], &set, first, seeds);
    return 0;
}
