/* scaler_policy.h - how many replicas an observation asks for; linked into each scaler plugin.
 *
 * Theory of operation.  Pure arithmetic on what the host hands to decide(): no state, no clock, no
 * I/O, so the same object code runs in execd, in the tests and in a simulator.  Three steps: what the jobs
 * ask for (`queue` or `objective`), what the cpu asks for, of these the more; then nothing goes below the
 * most that was wanted within stabilization_ms.
 *
 * `queue` counts: jobs that wait or run, so many to a replica.  `objective` calculates: arrivals a second
 * times the time of a job are the slots in use (Little's law), and Erlang's C formula says how many
 * there must be that 95 of 100 jobs begin within wait_target_ms; what waits already is to be worked off
 * within that time or that of a replica's start, whichever is longer. */
#ifndef SCALER_POLICY_H
#define SCALER_POLICY_H

#include <execd/plugin.h>

/* Fills replicas (within the observation's bounds), wanted and reason.  The observation's policy must be
 * there: a host of 1.2 or later. */
void scaler_policy_decide(const struct execd_observation *o, struct execd_advice *advice);

/* ---- the parts, for tests ---- */

/* The least number of slots of which, with `load` of them in use on average, 95 of 100 jobs find one within
 * `wait` mean job times (0 and more); Erlang C for up to SCALER_EXACT_MAX slots, the square-root rule beyond.
 */
#define SCALER_EXACT_MAX 10000u
double scaler_policy_slots(double load, double wait);

#endif
