/* wire.h - JSON to and from job structs; every limit on untrusted input; the only room with cJSON.
 *
 * Theory of operation.  A body is first checked by a strict RFC 8259 reader of our
 * own (wire_check.c: UTF-8, grammar, depth, no duplicate keys, no U+0000), which
 * needs no memory but a bounded stack; only then cJSON builds the tree.  Every
 * refusal is a `struct wire_problem` that names item index, field, value and bound.
 * Program output leaves as a JSON string if it is valid UTF-8 (U+0000 included,
 * escaped), else as base64; no byte is lost or changed.  Pure: no I/O. */
#ifndef EXECD_WIRE_H
#define EXECD_WIRE_H

#include "base/base.h"
#include "job/job.h"

struct wire_problem { /* RFC 9457 */
    int status;       /* 400, 404, 413, 422, ... */
    char type[48];    /* short code: "invalid-json", "unknown-field", "out-of-range", ... */
    char detail[320];
    int item;       /* index in the batch, -1 if it has none */
    char field[64]; /* "" if none */
    char value[96]; /* what was sent, cut; "" if none */
    char bound[96]; /* "1..60000 ms"; "" if none */
};
int wire_problem_set(struct wire_problem *p, int status, const char *type, const char *fmt, ...) PRINTF(4, 5);
/* application/problem+json; `type` becomes "urn:execd:problem:<type>". */
int wire_problem_json(const struct wire_problem *p, struct buf *out);

struct wire_rules {
    size_t batch_max, source_max, stdin_max, expected_max, args_max, args_bytes_max;
    struct job_limits defaults, min, max;
    bool cpu_follows_wall; /* without a cpu_timeout of its own a job may use as much cpu time as wall time */
    /* Minimum memory of a language; 0 if unknown id. */
    uint64_t (*language_memory_min)(void *arg, int32_t language_id, bool *ret_known);
    void *language_arg;
    bool callbacks_allowed;
    int (*url_check)(const char *url, struct err *reterr); /* net_callback_check */
};

/* {"submissions":[...]} or one object.  On success the jobs (tokens and created_ms filled,
 * tenant "") are the caller's; 0 or -1 with *problem filled, and then nothing is returned. */
int wire_batch_read(struct bytes body, const struct wire_rules *rules, struct job ***ret_jobs,
                    size_t *ret_count, struct wire_problem *problem) NODISCARD;
int wire_submission_read(struct bytes body, const struct wire_rules *rules, struct job **ret,
                         struct wire_problem *problem) NODISCARD;
int wire_tokens_json(struct job *const *jobs, size_t count, struct buf *out);
int wire_token_json(const struct job *job, struct buf *out); /* {"token":..., "status":"queued"} */

struct wire_job { /* what GET /v1/jobs/{token} and the webhook show */
    const struct job *job;
    enum job_status status;
    const struct job_result *result; /* NULL until terminal */
    uint64_t started_ms;
    uint32_t attempt;
};
int wire_job_json(const struct wire_job *v, struct buf *out);

struct wire_attempt { /* to deliver a webhook */
    uint32_t attempt;
    uint64_t began_ms, took_ms; /* Unix ms; ms */
    int status;                 /* of the receiver's answer; 0: there was none */
    const char *outcome, *reason;
    uint64_t next_ms; /* when the next was due, Unix ms; 0: never */
};
struct wire_deliveries { /* what GET /v1/jobs/{token}/deliveries shows */
    const char *token, *state;
    uint32_t attempts;
    uint64_t next_ms; /* Unix ms; 0: none is due */
    const struct wire_attempt *log;
    size_t count;
};
int wire_deliveries_json(const struct wire_deliveries *d, struct buf *out);
struct wire_decision {           /* of a scaler, with what it was made from */
    uint64_t at_ms, interval_ms; /* Unix ms; ms */
    uint64_t queued[JOB_PRIORITY_COUNT], running, oldest_wait_ms, arrived, finished, service_ms;
    uint32_t workers, slots, draining, cpu_permille, replicas, wanted, target;
    bool blind;
    const char *reason;
};
struct wire_scaling {   /* what GET /v1/scaling shows */
    const char *leader; /* NULL: nobody scales */
    uint64_t epoch, lease_left_ms;
    uint64_t min, max, jobs_per_pod, check_interval_ms;
    const char *policy;
    char *const *leaving; /* workers that are to claim no more */
    size_t leaving_count;
    const struct wire_decision *decisions; /* the latest first */
    size_t decision_count;
};
int wire_scaling_json(const struct wire_scaling *s, struct buf *out);
struct wire_letter {       /* a dead letter */
    const struct job *job; /* for wire_letter_json() whole */
    uint64_t ended_ms, bytes;
    uint32_t attempts;
};
/* {"total":..., "jobs":[...]}; one with source_code, args and tests. */
int wire_letters_json(const struct wire_letter *l, size_t count, size_t all, struct buf *out);
int wire_letter_json(const struct wire_letter *l, struct buf *out);

struct wire_language {
    int32_t id;
    const char *name, *version;
    const char *file_name;
    bool ready;
};
int wire_languages_json(const struct wire_language *l, size_t count, struct buf *out);

struct wire_check {
    const char *name;
    bool ok;
    const char *detail;
};
int wire_health_json(bool healthy, const struct wire_check *checks, size_t count, struct buf *out);

/* ---- for clients (execctl) ---- */
struct wire_request { /* what execctl submits; unset numbers are 0 and left out */
    int32_t language_id;
    struct bytes source, stdin_data;
    const char *const *args;
    uint64_t timeout_ms, memory_mb;
};
int wire_request_json(const struct wire_request *r,
                      struct buf *out); /* base64 with "encoding" where not UTF-8 */
struct wire_answer {                    /* a parsed GET /v1/jobs/{token}; owns its bytes */
    char token[UUID_SIZE];
    enum job_status status;
    struct buf out, err, compile;
    int exit_code, signal;
    double execution_ms, cpu_ms;
    uint64_t memory_bytes;
    char message[256];
};
int wire_answer_read(struct bytes body, struct wire_answer *ret, struct err *reterr) NODISCARD;
void wire_answer_done(struct wire_answer *a);
/* Calls `state` once, then `attempt` for each of the answer's deliveries; strings are borrowed.  `at` is the
 * time as the server wrote it. */
struct wire_delivery_reader {
    void (*state)(void *arg, const char *state, uint32_t attempts, const char *next_at);
    void (*attempt)(void *arg, const struct wire_attempt *a, const char *at);
    void *arg;
};
int wire_deliveries_read(struct bytes body, const struct wire_delivery_reader *fn,
                         struct err *reterr) NODISCARD;
struct wire_letter_line { /* of GET /v1/dead, for people */
    char token[UUID_SIZE], ended_at[40];
    int32_t language_id;
    uint64_t attempts, bytes;
};
/* Calls fn for each; the total goes to *ret_all. */
int wire_letters_read(struct bytes body, void (*fn)(void *arg, const struct wire_letter_line *l), void *arg,
                      uint64_t *ret_all, struct err *reterr) NODISCARD;
int wire_problem_text(struct bytes body, struct buf *out); /* one line for a person from problem+json */
/* calls fn for each language of GET /languages */
int wire_languages_read(struct bytes body,
                        void (*fn)(void *arg, int32_t id, const char *name, const char *version), void *arg,
                        struct err *reterr) NODISCARD;

#endif
