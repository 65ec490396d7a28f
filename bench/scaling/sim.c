/* sim.c - pods, slots and the queue between them (theory of operation: sim.h). */
#include "sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum sim_what { FINISH, READY, LOOK, KILL };
struct sim_event {
    double at;
    enum sim_what what;
    size_t place;
    uint32_t epoch, slot;
};

void *sim_memory(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size);

    if (p == NULL) {
        fputs("bench-scaling: no memory\n", stderr);
        exit(1);
    }
    return p;
}

/* ---- events: a binary heap by time ------------------------------------------------------- */

static void push(struct sim *s, struct sim_event e)
{
    size_t i = s->heap_count++;

    if (s->heap_count > s->heap_room) {
        s->heap_room = s->heap_room * 2 + 64;
        s->heap = realloc(s->heap, s->heap_room * sizeof(e));
        if (s->heap == NULL)
            exit(1);
    }
    for (; i > 0 && s->heap[(i - 1) / 2].at > e.at; i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = e;
}

static struct sim_event pop(struct sim *s)
{
    const struct sim_event first = s->heap[0], last = s->heap[--s->heap_count];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < s->heap_count) {
        if (child + 1 < s->heap_count && s->heap[child + 1].at < s->heap[child].at)
            child++;
        if (s->heap[child].at >= last.at)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return first;
}

/* ---- pods ------------------------------------------------------------------------------------ */

/* Stands among those that may claim exactly while it is ready and has a free slot. */
static void idle_update(struct sim *s, struct sim_pod *p)
{
    const bool should = p->state == SIM_READY && p->busy < s->set.slots;
    const size_t place = (size_t)(p - s->pods);

    if (should && p->idle_at == SIZE_MAX) {
        p->idle_at = s->idle_count;
        s->idle[s->idle_count++] = place;
    } else if (!should && p->idle_at != SIZE_MAX) {
        const size_t moved = s->idle[--s->idle_count];

        s->idle[p->idle_at] = moved;
        s->pods[moved].idle_at = p->idle_at;
        p->idle_at = SIZE_MAX;
    }
}

static void gone(struct sim *s, struct sim_pod *p)
{
    s->pod_seconds += s->now - p->born;
    p->state = SIM_GONE;
    p->epoch++;
    idle_update(s, p);
}

static void start_pod(struct sim *s)
{
    size_t place = 0;
    struct sim_pod *p;

    while (s->pods[place].state != SIM_GONE)
        place++;
    p = &s->pods[place];
    p->state = SIM_STARTING;
    p->busy = 0;
    p->born = s->now;
    for (uint32_t i = 0; i < s->set.slots; i++)
        p->jobs[i] = SIZE_MAX;
    s->live++;
    push(s, (struct sim_event){s->now + s->set.start_s * (0.5 + sim_uniform(&s->random)), READY, place,
                               p->epoch, 0});
}

/* SIGTERM: it claims no more, and has grace_s for what runs. */
static void end_pod(struct sim *s, struct sim_pod *p)
{
    s->live--;
    if (p->busy == 0) {
        gone(s, p);
        return;
    }
    p->state = SIM_ENDING;
    idle_update(s, p);
    push(s, (struct sim_event){s->now + s->set.grace_s, KILL, (size_t)(p - s->pods), p->epoch, 0});
}

/* Its jobs go back to the head of the queue, and begin anew. */
static void kill_pod(struct sim *s, struct sim_pod *p)
{
    for (uint32_t i = 0; i < s->set.slots; i++)
        if (p->jobs[i] != SIZE_MAX) {
            if (s->queue_head == 0) {
                fputs("bench-scaling: jobs are killed twice each: --start or --max makes no sense\n", stderr);
                exit(1);
            }
            s->queue[--s->queue_head] = p->jobs[i];
            s->killed++;
            s->running--;
        }
    gone(s, p);
}

/* ---- claims ----------------------------------------------------------------------------------- */

/* Whoever asks first: any of those that have a free slot. */
static void claim(struct sim *s)
{
    while (s->queue_head < s->queue_tail && s->idle_count > 0) {
        const size_t place = s->idle[(size_t)(sim_uniform(&s->random) * (double)s->idle_count)];
        struct sim_pod *p = &s->pods[place];
        const size_t job = s->queue[s->queue_head++];
        uint32_t slot = 0;

        while (p->jobs[slot] != SIZE_MAX)
            slot++;
        p->jobs[slot] = job;
        p->busy++;
        s->running++;
        if (s->jobs[job].began < 0)
            s->jobs[job].began = s->now;
        push(s, (struct sim_event){s->now + s->jobs[job].service, FINISH, place, p->epoch, slot});
        idle_update(s, p);
    }
}

static void finish(struct sim *s, struct sim_pod *p, uint32_t slot)
{
    s->since.finished++;
    s->since.service_ms += (uint64_t)(1000 * s->jobs[p->jobs[slot]].service);
    p->jobs[slot] = SIZE_MAX;
    p->busy--;
    s->running--;
    s->done++;
    if (p->state == SIM_ENDING && p->busy == 0)
        gone(s, p);
    idle_update(s, p);
}

/* ---- the controller's moves ---------------------------------------------------------------------- */

uint32_t sim_count(const struct sim *s, enum sim_pod_state state)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s->place_count; i++)
        n += s->pods[i].state == state;
    return n;
}

/* Kubernetes takes those that are not ready first, then the youngest; it knows nothing of jobs. */
static void shrink_blindly(struct sim *s, size_t surplus)
{
    for (size_t n = 0; n < surplus; n++) {
        struct sim_pod *victim = NULL;

        for (size_t i = 0; i < s->place_count; i++) {
            struct sim_pod *p = &s->pods[i];

            if ((p->state == SIM_STARTING || p->state == SIM_READY) &&
                (victim == NULL || (p->state == SIM_STARTING) > (victim->state == SIM_STARTING) ||
                 (p->state == victim->state && p->born > victim->born)))
                victim = p;
        }
        if (victim == NULL)
            return;
        end_pod(s, victim);
    }
}

/* As core/scale/scale_plan.c: the least busy are told to claim no more, and ended when they hold nothing. */
static void shrink_gently(struct sim *s, size_t surplus)
{
    for (uint32_t busy = 0; busy <= s->set.slots && surplus > 0; busy++)
        for (size_t i = 0; i < s->place_count && surplus > 0; i++)
            if (s->pods[i].state == SIM_READY && s->pods[i].busy == busy) {
                s->pods[i].state = SIM_DRAINING;
                idle_update(s, &s->pods[i]);
                surplus--;
            }
}

static size_t take_back(struct sim *s, size_t wanted)
{
    size_t n = 0;

    for (size_t i = 0; i < s->place_count && n < wanted; i++)
        if (s->pods[i].state == SIM_DRAINING) {
            s->pods[i].state = SIM_READY;
            idle_update(s, &s->pods[i]);
            n++;
        }
    return n;
}

static void end_drained(struct sim *s)
{
    for (size_t i = 0; i < s->place_count; i++)
        if (s->pods[i].state == SIM_DRAINING && s->pods[i].busy == 0)
            end_pod(s, &s->pods[i]);
}

static void move(struct sim *s, uint32_t target)
{
    size_t stay = s->live - sim_count(s, SIM_DRAINING);

    s->moves += target != stay;
    if (target > stay)
        stay += take_back(s, target - stay);
    while (s->live < target && stay++ < target)
        start_pod(s);
    if (target < stay && s->controller->drains)
        shrink_gently(s, stay - target);
    else if (target < stay)
        shrink_blindly(s, stay - target);
    end_drained(s);
}

/* ---- a run ------------------------------------------------------------------------------------------ */

static void look(struct sim *s)
{
    uint32_t target = s->controller->decide(s);

    target = target < s->set.min ? s->set.min : target > s->set.max ? s->set.max : target;
    move(s, target);
    s->since = (struct sim_numbers){0};
    s->looked = s->now;
    push(s, (struct sim_event){s->now + s->controller->every_s, LOOK, 0, 0, 0});
}

static void handle(struct sim *s, const struct sim_event *e)
{
    struct sim_pod *p = &s->pods[e->place];

    s->now = e->at;
    if (e->what == LOOK) {
        look(s);
    } else if (p->epoch == e->epoch) {
        if (e->what == FINISH)
            finish(s, p, e->slot);
        else if (e->what == KILL)
            kill_pod(s, p);
        else if (p->state == SIM_STARTING)
            p->state = SIM_READY;
        idle_update(s, p);
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct sim_result sum_up(struct sim *s)
{
    double *waits = sim_memory(s->job_count, sizeof(*waits));
    const size_t n = s->job_count;
    size_t late = 0;
    struct sim_result r;

    for (size_t i = 0; i < n; i++) {
        waits[i] = s->jobs[i].began - s->jobs[i].at;
        late += waits[i] > s->set.target_s;
    }
    qsort(waits, n, sizeof(*waits), by_value);
    r = (struct sim_result){.p50 = waits[n / 2],
                            .p95 = waits[n * 95 / 100],
                            .p99 = waits[n * 99 / 100],
                            .late = (double)late / (double)n,
                            .pod_seconds = s->pod_seconds,
                            .moves = (double)s->moves,
                            .killed = (double)s->killed};
    free(waits);
    return r;
}

/* Ten minutes longer than jobs arrive, so that what was started for the last ones is paid for. */
#define PAID_S (SIM_ARRIVALS_S + 600)

struct sim_result sim_run(const struct sim_setting *set, const struct sim_controller *c, struct sim_job *jobs,
                          size_t count, uint64_t seed)
{
    struct sim *s = sim_memory(1, sizeof(*s));
    struct sim_result r;

    s->set = *set;
    s->controller = c;
    s->random.state = seed;
    s->jobs = jobs;
    s->job_count = count;
    s->queue = sim_memory(3 * count + 1, sizeof(*s->queue)); /* killed ones go back to its head */
    s->queue_head = s->queue_tail = 2 * count;
    s->place_count = 2 * (size_t)set->max + 16; /* those that end have places too */
    s->pods = sim_memory(s->place_count, sizeof(*s->pods));
    s->idle = sim_memory(s->place_count, sizeof(*s->idle));
    for (size_t i = 0; i < s->place_count; i++)
        s->pods[i].idle_at = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        jobs[i].began = -1;
    push(s, (struct sim_event){0, LOOK, 0, 0, 0});
    while (s->done < count || s->now < PAID_S) {
        const double arrival = s->next_job < count ? jobs[s->next_job].at : INFINITY;

        if (arrival <= s->heap[0].at) {
            s->now = arrival;
            s->queue[s->queue_tail++] = s->next_job++;
            s->since.arrived++;
        } else {
            const struct sim_event e = pop(s);

            handle(s, &e);
        }
        claim(s);
    }
    for (size_t i = 0; i < s->place_count; i++)
        if (s->pods[i].state != SIM_GONE)
            s->pod_seconds += s->now - s->pods[i].born;
    r = sum_up(s);
    free(s->heap);
    free(s->pods);
    free(s->idle);
    free(s->queue);
    free(s);
    return r;
}
