/* keeper_internal.h - what both ends of the keeper's socket agree on. */
#ifndef EXECD_SCALE_KEEPER_INTERNAL_H
#define EXECD_SCALE_KEEPER_INTERNAL_H

#include "keeper.h"

#define KEEPER_MAX KEEPER_NUMBER_MAX

enum keeper_what {
    KEEPER_START = 1, /* to it */
    KEEPER_TERM,
    KEEPER_KILL,
    KEEPER_STARTED, /* from it: value is the pid */
    KEEPER_ENDED,   /* value is the status of waitpid(2), or -errno of the start */
};
struct keeper_message {
    uint32_t what, number;
    int64_t value;
};

/* keeper_child.c: the process; does not return. */
void keeper_child(const struct keeper_options *o, int fd) __attribute__((noreturn));

#endif
