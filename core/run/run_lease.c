/* run_lease.c - leases of the jobs that a worker holds, and which of these it has begun.
 *
 * A job that is lost with its worker has lost an attempt if it was begun, and only then.  Redis takes for
 * begun what was claimed for a free slot.  Of a job that was claimed ahead it is said when its slot is free:
 * with the result of the job before it, as a rule, so that it costs no call; otherwise at once by a call of
 * its own. A program takes longer to start than those words to Redis, but nothing waits for them: what is
 * lost on the way is said again with the next heartbeat, and a job whose workers die before that has a bound
 * too (reap.lua). */
#include "run_worker.h"

#include "log/log.h"

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

        if (a == NULL || a->ended || (!leases[i].lost && !leases[i].cancelled))
            continue;
        a->lost = leases[i].lost;
        a->cancelled = leases[i].cancelled;
        if (a->rj != NULL)
            run_job_cancel(a->rj);
        else
            run_give_back(a); /* the script knows that it is cancelled, or another's */
    }
}

static void lease_of(const struct active *a, struct store_lease *ret)
{
    memcpy(ret->token, a->job->token, UUID_SIZE);
    ret->epoch = a->epoch;
    ret->begun = a->begun_ns != 0;
}

void run_lease_extend(struct run *run)
{
    CLEAN_FREE struct store_lease *leases = NULL;
    struct active *a;
    size_t n = 0;

    if (run->active_count == 0)
        return;
    leases = mem_zero(run->active_count, sizeof(*leases));
    TAILQ_FOREACH (a, &run->active, link)
        lease_of(a, &leases[n++]);
    store_extend(run->o.store, run->id, leases, n, on_extended, run);
}

size_t run_lease_untold(struct run *run, struct store_lease **ret)
{
    struct active *a;
    size_t n = 0;

    *ret = NULL;
    TAILQ_FOREACH (a, &run->active, link) {
        if (!a->untold || a->begun_ns == 0)
            continue;
        if (*ret == NULL)
            *ret = mem_zero(run->active_count, sizeof(**ret));
        a->untold = false;
        lease_of(a, &(*ret)[n++]);
    }
    return n;
}

void run_lease_tell(struct run *run)
{
    CLEAN_FREE struct store_lease *begun = NULL;
    const size_t n = run_lease_untold(run, &begun);

    if (n > 0)
        store_extend(run->o.store, run->id, begun, n, on_extended, run);
}
