/* run_window.c - how many jobs a worker holds, and when it asks for more.
 *
 * Asking takes Redis a turn of its loop and a write to its disk, some milliseconds, in which a slot whose job
 * is shorter would have nothing to do.  So where jobs are short the slots' next ones are claimed ahead: as
 * many as are begun within AHEAD_US.  More would be of no use here, and might have been begun elsewhere.
 *
 * A question costs as much for one job as for many, so it waits until half of what is held ahead is gone;
 * the other half lasts until the answer. */
#include "run_worker.h"

enum {
    USUAL_MAX_US = 25000, /* longer jobs are not claimed ahead: the question for the next costs nothing */
    AHEAD_US = 10000,
    AHEAD_MAX = 4 /* for each slot */
};

unsigned run_window(unsigned slots, uint64_t usual_us)
{
    const uint64_t ahead = AHEAD_US / MAX(usual_us, (uint64_t)1);

    return usual_us > USUAL_MAX_US ? slots
                                   : slots + slots * (unsigned)MAX(MIN(ahead, (uint64_t)AHEAD_MAX), 1u);
}

unsigned run_window_wants(unsigned slots, unsigned window, unsigned held)
{
    const unsigned missing = window > held ? window - held : 0;

    return held < slots || 2 * missing >= window - slots ? missing : 0;
}

unsigned run_window_unrecorded(unsigned slots, unsigned window, unsigned shards)
{
    return shards <= 1 ? window : run_window(slots, 0) * shards;
}
