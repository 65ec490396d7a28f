/* scale_plan.c - who goes and who stays.
 *
 * Replicas that were told to leave still count for the backend, and no longer for us: what stays is compared
 * with what is wanted.  Nobody is ended who holds a job, and nobody but those that said so after they were
 * told. */
#include "scale_internal.h"

#include <stdlib.h>

/* The least busy first: they are the first to hold nothing.  Of equals the youngest: the others are warmer.
 */
static int by_load(const void *a, const void *b)
{
    const struct scale_worker *const *x = a, *const *y = b;

    if ((*x)->held != (*y)->held)
        return (*x)->held < (*y)->held ? -1 : 1;
    if ((*x)->started_ms != (*y)->started_ms)
        return (*x)->started_ms > (*y)->started_ms ? -1 : 1;
    return strcmp((*x)->id, (*y)->id);
}

/* Where the backend has an order: those that it would end first go first, and come back last. */
static int by_going(const void *a, const void *b)
{
    const struct scale_worker *const *x = a, *const *y = b;

    return (*x)->rank == (*y)->rank ? by_load(a, b) : (*x)->rank > (*y)->rank ? -1 : 1;
}

static int by_return(const void *a, const void *b)
{
    const struct scale_worker *const *x = a, *const *y = b;

    return (*x)->rank == (*y)->rank ? by_load(a, b) : (*x)->rank < (*y)->rank ? -1 : 1;
}

static void order(struct scale_plan *p, const struct scale_worker *w, bool leave)
{
    p->orders[p->order_count++] = (struct store_order){w->id, leave};
}

/* Those that drain go on: they are nearer than new ones. */
static size_t take_back(struct scale_plan *p, const struct scale_worker **leaving, size_t count,
                        size_t wanted)
{
    size_t n = MIN(count, wanted);

    for (size_t i = 0; i < n; i++)
        order(p, leaving[i], false);
    return n;
}

static void send_away(struct scale_plan *p, const struct scale_worker **staying, size_t count, size_t surplus)
{
    for (size_t i = 0; i < MIN(count, surplus); i++)
        order(p, staying[i], true);
}

void scale_plan_make(const struct scale_worker *workers, size_t count, uint32_t replicas, uint32_t target,
                     struct scale_plan *ret)
{
    const struct scale_worker **staying = mem_zero(MAX(count, (size_t)1), sizeof(*staying));
    const struct scale_worker **leaving = mem_zero(MAX(count, (size_t)1), sizeof(*leaving));
    size_t stay = 0, leave = 0, kept, back = 0;

    *ret = (struct scale_plan){.orders = mem_zero(MAX(count, (size_t)1), sizeof(*ret->orders)),
                               .ending = mem_zero(MAX(count, (size_t)1), sizeof(*ret->ending)),
                               .replicas = replicas};
    for (size_t i = 0; i < count; i++)
        if (workers[i].leaving)
            leaving[leave++] = &workers[i];
        else if (!workers[i].draining) /* else somebody else ends it: it is no longer ours to count on */
            staying[stay++] = &workers[i];
    qsort(leaving, leave, sizeof(*leaving), by_return);
    qsort(staying, stay, sizeof(*staying), by_going);
    kept = replicas > leave ? replicas - leave : 0;
    if (target > kept)
        back = take_back(ret, leaving, leave, target - kept);
    else
        send_away(ret, staying, stay, kept - target);
    for (size_t i = back; i < leave; i++)
        if (leaving[i]->drained)
            ret->ending[ret->ending_count++] = leaving[i]->id;
    if (target > replicas)
        ret->replicas = target;
    else
        ret->replicas -= (uint32_t)MIN(ret->ending_count, (size_t)replicas);
    ret->change = ret->replicas != replicas;
    free(staying);
    free(leaving);
}

void scale_plan_done(struct scale_plan *p)
{
    free(p->orders);
    free(p->ending);
    *p = (struct scale_plan){0};
}
