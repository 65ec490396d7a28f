/* scale.h - how many workers there are to be: one scaler of the fleet asks its plugin, and does what it
 * advises.
 *
 * Theory of operation.  Every scaling.checkIntervalMs each scaler asks Redis whether it leads; the one that
 * does gets what there is to see in the same step.  It asks the backend how many replicas there are, asks the
 * plugin's policy how many there should be, holds the answer to minPods and maxPods, and works out what to do
 * (scale_plan.c): more replicas at once; fewer by telling the least busy workers to claim no more, and ending
 * them when they hold nothing; and if more are wanted meanwhile, those that drain are told to go on.  All
 * that is written down in Redis with its reason (store_scale_decide()) before it is done, and only if this
 * scaler leads still: a leader that was forgotten by all can decide nothing.
 *
 * What was decided before is kept in Redis and read by each new leader, so windows of time outlive leaders.
 * Whoever cannot see (Redis does not answer, the backend does not, no worker is heard of) lowers nothing.
 *
 * Thread: the loop's. */
#ifndef EXECD_SCALE_H
#define EXECD_SCALE_H

#include "base/base.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include "plugin/plugin.h"
#include "store/store.h"

struct scale;

struct scale_options {
    struct loop *loop;
    struct store *store;
    const struct conf *conf;
    struct execd_ctx *scaler; /* of plugin_set_scaler() */
};
/* All of `o` outlives scale_free(). */
struct scale *scale_start(const struct scale_options *o);
/* Decides nothing more, and lets another lead at once. */
void scale_stop(struct scale *s);
/* After scale_stop() and after store_free(), which answers what is still owed; before plugin_set_free(). NULL
 * is fine. */
void scale_free(struct scale *s);

#endif
