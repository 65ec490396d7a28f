/* jail_internal.h - for this folder only. */
#ifndef EXECD_JAIL_INTERNAL_H
#define EXECD_JAIL_INTERNAL_H

#include <sys/queue.h>
#include <sys/stat.h>

#include "cell/cell.h"
#include "jail.h"

struct jail_run {
    TAILQ_ENTRY(jail_run) link;
    struct jail *jail;
    uint32_t id;
    uint64_t answer_by_ms; /* later than this, and we ask whether the jailer lives; UINT64_MAX: it waits */
    bool waits;
    jail_done_fn done;
    void *arg;
};
TAILQ_HEAD(jail_runs, jail_run);

struct jail_process {
    int fd; /* our end; -1 once the jail has it */
    pid_t pid;
    struct cgroup_place *place;
    struct bytes probe, zygote; /* the programs' files, freed once they have run */
};

struct jail {
    struct loop *loop;
    int fd;
    struct jail_process *process;
    struct loop_io *io;
    struct loop_timer *watchdog;
    uint64_t pong_by_ms; /* 0: not asked */
    struct jail_facts facts;
    unsigned cells, busy;
    uint32_t next_id;
    struct jail_runs runs;
    loop_fn lost_fn;
    void *lost_arg;
    bool lost;
};

/* jail.c: hears the jailer; notices that it answers no more. */
void jail_read(struct jail *j);
void jail_watch(void *jail);
/* Writes START. */
int jail_send_start(struct jail *j, uint32_t id, const struct jail_step *s, struct err *reterr);
/* jail_verify.c: runs execd-probe in cells and adds what it found to the facts; 0 also where something lacks.
 */
int jail_verify(struct jail *j, struct bytes probe, struct bytes zygote, uint32_t uid_base,
                struct err *reterr);

/* jail_facts.c */
void jail_facts_begin(struct jail_facts *f, const struct cgroup_facts *cg, bool as_root);
void jail_facts_miss(struct jail_facts *f, unsigned protection, const char *why);
/* ERR_CONFIG with the name of each protection that is missing and not accepted. */
int jail_facts_judge(const struct jail_facts *f, uint32_t accepted, struct err *reterr);
/* jail_bundle.c: any entry (cell_wire.h); a bundle with one word an entry. */
int jail_bundle_put(struct jail_bundle *b, uint32_t kind, uint32_t mode, const char *path, struct bytes body,
                    struct err *reterr);
int jail_bundle_word(struct jail_bundle *b, uint32_t kind, const char *word, struct err *reterr);

/* jail_scan.c: what a cell must not have below the folder `path` of `root`: files with the set-user-id or
 * set-group-id bit or with capabilities, and what is neither file, folder nor link.  found() gets the rest of
 * each path, "/a/b"; what it returns but 0 ends the scan.  ERR_CONFIG: a folder cannot be read that cells
 * might; more than *left things, which is counted down, are there; something is another's. */
typedef int (*jail_scan_fn)(void *arg, const char *rest, struct err *reterr);
struct jail_scan {
    jail_scan_fn found;
    void *arg;
    bool guarded; /* nobody but root and who starts execd may own or write a file or folder of it */
    size_t *left; /* how many more may be looked at */
};
int jail_scan(const struct jail_scan *o, int root, const char *path, struct err *reterr) NODISCARD;
/* Whether somebody else owns such a thing, or may write it; to say so of `path` and what is below it, `rest`.
 */
bool jail_scan_others(const struct stat *st);
int jail_scan_refuse(const char *path, const char *rest, const struct stat *st, struct err *reterr);
/* Whether this file has such a bit or capabilities. */
bool jail_scan_privileged(int dir, const char *name, mode_t mode);

/* Any byte may stand where the other side should have put a bool, and only 0 and 1 may be read as one. */
static inline void jail_bool_settle(bool *b)
{
    unsigned char byte;

    memcpy(&byte, b, sizeof(byte));
    *b = byte != 0;
}

#endif
