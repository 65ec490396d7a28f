/* scale_internal.h - what the files of scale/ share. */
#ifndef EXECD_SCALE_INTERNAL_H
#define EXECD_SCALE_INTERNAL_H

#include "scale.h"

#include <execd/plugin.h>

/* ---- scale_plan.c: from a number to what is done; pure ------------------------------------ */

struct scale_worker { /* one of the backend's replicas, as its last heartbeat said */
    const char *id;
    int64_t rank;        /* the backend ends those with the highest first; 0 where we choose */
    uint32_t held;       /* jobs */
    uint64_t started_ms; /* Unix ms */
    bool leaving;        /* we have told it to claim no more */
    bool draining;       /* it does not claim */
    bool drained;        /* nor does it hold anything */
};
struct scale_plan {
    struct store_order *orders; /* for as many as there are workers; ids are borrowed */
    size_t order_count;
    const char **ending; /* drained workers that are to be ended */
    size_t ending_count;
    uint32_t replicas; /* that the backend is to have */
    bool change;       /* ... which is not what it has */
};
/* `replicas` as the backend has it, `target` within the operator's bounds. */
void scale_plan_make(const struct scale_worker *workers, size_t count, uint32_t replicas, uint32_t target,
                     struct scale_plan *ret);
void scale_plan_done(struct scale_plan *p);

/* ---- scale_past.c: what was seen and decided before ------------------------------------------- */

struct scale_past {
    struct execd_sample *samples; /* STORE_DECISIONS_MAX; age_ms is filled by scale_past_ages() */
    uint64_t *at_ms;
    size_t count;               /* oldest first */
    struct store_decision last; /* zeroed if there is none */
};
void scale_past_new(struct scale_past *p);
void scale_past_done(struct scale_past *p);
void scale_past_add(struct scale_past *p, const struct store_decision *d);
/* What a new leader finds in Redis, the latest first, instead of what it had. */
void scale_past_load(struct scale_past *p, const struct store_decision *decisions, size_t count);
void scale_past_ages(struct scale_past *p, uint64_t now_ms);

/* ---- scale_see.c: the scene as the plugin sees it ------------------------------------------------ */

struct scale_view {           /* our copy of a scene, the backend's replicas alone */
    struct store_scene scene; /* its lists are ours */
    struct store_worker *workers;
    char **leaving;
    struct execd_worker *shown;
    struct scale_worker *planned;
    size_t count;
};
void scale_view_take(struct scale_view *v, const struct store_scene *scene, struct execd_ctx *scaler);
void scale_view_done(struct scale_view *v);
/* Of a backend that does not tell.  asked: what it was last asked for by this leader, -1 if it was not. */
uint32_t scale_view_replicas(const struct scale_view *v, const struct scale_past *past, int64_t asked);
/* The numbers of a decision that is to be made: all but wanted, target and reason. */
void scale_view_measure(const struct scale_view *v, const struct scale_past *past, const struct conf *conf,
                        uint32_t replicas, struct store_decision *d);
/* Asks the plugin; fills wanted, target (within the bounds) and reason.  ERR_*: the plugin refused. */
int scale_view_decide(const struct scale_view *v, struct scale_past *past, const struct conf *conf,
                      struct execd_ctx *scaler, struct store_decision *d, struct err *reterr);

#endif
