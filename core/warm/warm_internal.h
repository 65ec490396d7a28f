/* warm_internal.h - what the files of warm/ share. */
#ifndef EXECD_WARM_INTERNAL_H
#define EXECD_WARM_INTERNAL_H

#include "warm.h"

#include <sys/queue.h>

#include <execd/plugin.h>

#include "log/log.h"

enum {
    BOOT_MS = 30000,          /* a runtime that is not ready by then never will be */
    WAIT_PREBOOT_MS = 2000,   /* how long a step waits for one that boots... */
    WAIT_SERVICE_MS = 5000,   /* ... or compiles for another step */
    RIPE_MS = 1000,           /* a zygote that has not served yet is believed to be ready after so long */
    REFILL_MS = 30,           /* a successor boots when its job ends, or after so long */
    DECAY_MS = 10000,         /* a pool wants one less after so long without a step that found none... */
    DECAY_SERVICE_MS = 60000, /* ... of what takes a second of cpu to start */
    EVICT_MS = 1000,          /* a pool that was asked so much earlier than another gives room to it */
    PAUSE_FIRST_MS = 100,     /* after a runtime that failed; doubled each time */
    PAUSE_MAX_MS = 60000,
    QUIET_MS = 60000,    /* between two lines about a pool that fails and works by turns */
    VARIANTS_MAX = 4,    /* of a language and way that get runtimes at a time */
    CANDIDATES_MAX = 16, /* ... and that are remembered */
    VARIANT_ASKS = 2,    /* so often a variant is asked for before it gets one */
    FILES_MAX = 65536,   /* kept by one compile step, as execd-init's bound */
    SAID_MAX = 200,      /* of a runtime's last words, for the log */
};
_Static_assert((int)WARM_WAY_ZYGOTE == (int)EXECD_WARM_ZYGOTE &&
                   (int)WARM_WAY_PREBOOT == (int)EXECD_WARM_PREBOOT &&
                   (int)WARM_WAY_SERVICE == (int)EXECD_WARM_SERVICE,
               "the ways are the header's");

/* ---- warm_frame.c ---------------------------------------------------------------- */

struct warm_frame {
    uint32_t kind;
    struct bytes payload; /* until the next call */
};
struct warm_reader {
    int64_t max[EXECD_FRAME_EXIT + 1]; /* by kind: the longest payload now; -1: it does not belong here */
    unsigned char head[8];
    size_t head_len;
    uint32_t kind, length;
    struct buf payload;
    bool given;
};
void warm_reader_refuse_all(struct warm_reader *r);
/* 1: *ret is a frame; 0: *in is used up; -EPROTO, -ENOMEM. */
int warm_reader_next(struct warm_reader *r, struct bytes *in, struct warm_frame *ret);
void warm_reader_done(struct warm_reader *r);
/* Appends a frame whose payload is both, one after the other. */
int warm_frame_put(struct buf *out, uint32_t kind, struct bytes first, struct bytes second);
int warm_frame_put_words(struct buf *out, uint32_t kind, const char *const *words); /* NULL-terminated */

/* ---- one runtime (warm_boot.c, warm_job.c, warm_service.c) -------------------------------------- */

enum warm_state {
    WARM_BOOTING,
    WARM_IDLE,
    WARM_BUSY,  /* given to a step; a zygote, which serves many, is never that */
    WARM_ENDING /* killed; its cell is not gone yet */
};

struct warm_service; /* the conversation about one step (warm_service.c) */
struct warm_runtime {
    TAILQ_ENTRY(warm_runtime) link; /* of its pool, oldest first */
    struct warm_pool *pool;
    enum warm_state state;
    struct jail_run *run;
    uint64_t born_ms, given_ms, uses;
    unsigned users; /* steps in it now: of a zygote many */
    bool expired;   /* to be replaced: serves only until another one does */
    bool stale;     /* what it holds of the cells' files may be there no more: serves nobody */
    bool job;       /* a pre-booted one that became a job: not ours to count any more */
    bool proof;     /* given to a self-test, which is not counted */
    bool failed;    /* its end was told as a failure already */
    bool served;    /* a zygote: a step ran in a fork of it */
    bool gone;      /* its cell is, but a step still has to hear of that */

    int sock;                 /* our end of descriptor EXECD_WARM_FD; -1 for a zygote */
    int stdin_fd, said_fd[2]; /* stdin's memfd; our ends of stdout and stderr (a service's: one for both) */
    struct loop_io *sock_io, *said_io;
    struct warm_reader reader;
    char said[SAID_MAX + 1]; /* its last words */

    jail_done_fn done; /* of the job that it became */
    void *arg;
    struct warm_service *service; /* NULL unless it compiles */
};
TAILQ_HEAD(warm_runtimes, warm_runtime);

/* Starts one in the pool; its end comes to warm_runtime_ended(). */
int warm_boot(struct warm_pool *pool, struct err *reterr) NODISCARD;
/* It is of no more use; counts against its pool if it `failed`.  The object lives until its cell is gone. */
void warm_runtime_end(struct warm_runtime *rt, const char *failed);
/* Takes an idle one that still is what it was; false: it is not, and ends. */
bool warm_runtime_take(struct warm_runtime *rt);
void warm_runtime_free(struct warm_runtime *rt);
void warm_runtime_hang_up(struct warm_runtime *rt); /* closes what it was spoken to by */
void warm_runtime_bury(struct warm_runtime *rt);    /* its cell is gone, and whoever used it knows */
/* warm_service.c: bytes from a service that is busy; its end. */
void warm_service_hear(struct warm_runtime *rt, struct bytes in);
void warm_service_fail(struct warm_runtime *rt, enum warm_miss why);
void warm_service_writable(struct warm_runtime *rt);
void warm_service_free(struct warm_runtime *rt); /* without a word */

/* ---- pools (warm_pool.c, warm_turn.c) -------------------------------------------------- */

enum warm_pool_proof { POOL_UNPROVEN, POOL_PROVING, POOL_PROVEN, POOL_REFUSED };

struct warm_ask {
    TAILQ_ENTRY(warm_ask) link;
    struct warm_pool *pool;
    uint64_t until_ms;
    warm_given_fn given;
    void *arg;
    bool proof; /* of a self-test */
};
TAILQ_HEAD(warm_asks, warm_ask);

struct warm_language {
    int32_t id;
    uint64_t steps[WARM_WAY_COUNT], misses[WARM_MISS_COUNT];
};

struct warm_pool {
    TAILQ_ENTRY(warm_pool) link;
    struct warm *warm;
    struct plugin_lang *lang;
    struct warm_language *counts;
    enum warm_way way;
    uint32_t variant;
    bool expected; /* from the start */
    bool active;   /* may have runtimes; else it is only remembered that somebody asked */
    enum warm_pool_proof proof;
    char refusal[160];
    struct warm_runtimes runtimes;
    struct warm_asks asks; /* who waits */
    unsigned target, times_asked;
    uint64_t asked_ms, raised_ms; /* last */
    struct plugin_plan *plan;     /* made before the first boot */
    int bundle;
    struct job_limits limits, proof_limits; /* of a runtime before its job; of the self-test */
    uint64_t uses_max, age_max_ms;
    unsigned failures;                      /* and other losses, since the last time that it worked */
    bool told;                              /* one of these was logged */
    uint64_t boot_after_ms, quiet_until_ms; /* no failure is logged before that */
};
TAILQ_HEAD(warm_pools, warm_pool);

#define WARM_LANGUAGES_MAX 64
struct warm {
    struct warm_options o;
    struct warm_bounds bounds;
    struct warm_pools pools;
    struct warm_language languages[WARM_LANGUAGES_MAX];
    size_t language_count;
    struct loop_timer *turn;
    uint64_t crowded_until_ms; /* warm_crowded() */
    bool stopping;
    loop_fn on_stopped, on_settled;
    void *stopped_arg, *settled_arg;
};

struct warm_pool *warm_pool_find(struct warm *w, const struct plugin_lang *lang, enum warm_way way,
                                 uint32_t variant);
/* Would a boot now take its cpu time from a job that runs? */
bool warm_is_crowded(const struct warm *w);
/* NULL: no room for another one. */
struct warm_pool *warm_pool_add(struct warm *w, struct plugin_lang *lang, const struct plugin_step *step,
                                const struct job_limits *limits);
void warm_pool_free(struct warm_pool *pool);
/* Whether it may have runtimes now; makes it so where room for another variant is. */
bool warm_pool_activate(struct warm_pool *pool);
/* A runtime was lost to its step: the next one starts after a pause, each longer than the one before until
 * one works, so that whoever has runtimes ended again and again does not have one start after the other. */
void warm_pool_pause(struct warm_pool *pool);
/* One failed of itself: a pause, and it is told, once until one works. */
void warm_pool_failed(struct warm_pool *pool, const char *why);
void warm_pool_worked(struct warm_pool *pool);
/* The oldest idle one that still is what it was; one that is past its time only where there is none else. */
struct warm_runtime *warm_pool_take(struct warm_pool *pool, bool proof);
void warm_count_miss(const struct warm_pool *pool, enum warm_miss why);
uint64_t warm_pool_memory(const struct warm_pool *pool); /* of one runtime */
/* A runtime that is neither a job nor past its time. */
bool warm_runtime_counts(const struct warm_runtime *rt);
/* May it take the place of one that is past its time?  A zygote is given steps as soon as it is started, and
 * the first of them wait for it. */
bool warm_runtime_ripe(const struct warm_runtime *rt);
/* It serves no more and ends without a successor: it is stale, or none came for too long. */
bool warm_runtime_retired(const struct warm_runtime *rt);
/* Things changed: look at all pools in the next turn of the loop. */
void warm_turn_soon(struct warm *w);
void warm_turn(void *warm); /* the timer's */

#endif
