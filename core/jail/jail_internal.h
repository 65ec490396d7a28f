/* jail_internal.h - for this folder only. */
#ifndef EXECD_JAIL_INTERNAL_H
#define EXECD_JAIL_INTERNAL_H

#include <sys/queue.h>

#include "cell/cell.h"
#include "jail.h"

struct jail_run {
    TAILQ_ENTRY(jail_run) link;
    struct jail *jail;
    uint32_t id;
    jail_done_fn done;
    void *arg;
};
TAILQ_HEAD(jail_runs, jail_run);

struct jail {
    struct loop *loop;
    int fd;
    pid_t pid;
    struct loop_io *io;
    struct jail_facts facts;
    unsigned cells, busy;
    uint32_t next_id;
    struct jail_runs runs;
    loop_fn lost_fn;
    void *lost_arg;
    bool lost;
};

/* jail.c: hears the jailer. */
void jail_read(struct jail *j);
/* A bundle with one word an entry. */
int jail_bundle_word(struct jail_bundle *b, uint32_t kind, const char *word, struct err *reterr);

#endif
