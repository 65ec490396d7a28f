/* policy_internal.h - what the files of the policies share. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "scaler_policy.h"

/* What is wanted, and why in a few words. */
struct wish {
    double replicas;
    char why[96];
};

#define SAMPLE_EACH(o, s)                                                                                    \
    for (uint32_t i_ = 0;                                                                                    \
         i_ < (o)->sample_count &&                                                                           \
         ((s) = (const struct execd_sample *)(const void *)((const char *)(o)->samples +                     \
                                                            (size_t)i_ * (o)->sample_stride),                \
         1);                                                                                                 \
         i_++)
#define WORKER_EACH(o, w)                                                                                    \
    for (uint32_t i_ = 0;                                                                                    \
         i_ < (o)->worker_count &&                                                                           \
         ((w) = (const struct execd_worker *)(const void *)((const char *)(o)->workers +                     \
                                                            (size_t)i_ * (o)->worker_stride),                \
         1);                                                                                                 \
         i_++)

/* Slots of one replica: of the workers there are, else of the latest that were seen; 0: nobody knows. */
double policy_slots_each(const struct execd_observation *o);

void policy_queue(const struct execd_observation *o, struct wish *wish);
void policy_objective(const struct execd_observation *o, struct wish *wish);
void policy_cpu(const struct execd_observation *o, struct wish *wish);

#endif
