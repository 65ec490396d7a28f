/* ctl_internal.h - what the files of ctl/ share. */
#ifndef EXECD_CTL_INTERNAL_H
#define EXECD_CTL_INTERNAL_H

#include "ctl.h"

#include "base/base.h"
#include "loop/loop.h"
#include "net/net.h"
#include "wire/wire.h"

enum {                       /* beside what programs end with */
       CTL_EXIT_REFUSED = 1, /* the program does not compile, the server is not healthy */
       CTL_EXIT_USAGE = 2,
       CTL_EXIT_PENDING = 75, /* `result`: it has not ended (EX_TEMPFAIL) */
       CTL_EXIT_TIME = 124,
       CTL_EXIT_FAULT = 125, /* not the program's doing: no server, no access, internal error */
       CTL_EXIT_INTERRUPTED = 130,
       CTL_EXIT_MEMORY = 137,
       CTL_EXIT_OUTPUT = 153, /* 128 + SIGXFSZ, as a shell would say */
};

/* ---- options (ctl_options.c) ---------------------------------------------------- */

struct ctl;
struct ctl_command {
    const char *name;
    int (*run)(struct ctl *ctl);    /* exit status */
    int operands_min, operands_max; /* -1: any number */
    const char *options;            /* the letters of those it takes, see ctl_options.c */
    const char *help;
};
extern const struct ctl_command ctl_commands[]; /* ctl.c; ends with a NULL name */
extern const char ctl_help_text[];

struct ctl_options {
    const struct ctl_command *command;
    const char *url, *key_file, *language, *stdin_file;
    uint64_t timeout_ms, memory_mb, wait_s; /* 0: not given */
    bool json;
    char **operands;
    int operand_count;
    char **args; /* what came behind "--"; NULL-terminated */
};
/* -1: go on; otherwise an exit status (the help or the complaint was printed). */
int ctl_options_parse(int argc, char **argv, struct ctl_options *ret);

/* ---- the client (ctl_http.c) -------------------------------------------------------- */

struct ctl {
    struct ctl_options o;
    struct buf url;           /* without a slash at the end */
    struct buf authorization; /* the header, empty without a key */
    char header[64];          /* one more of each request while it is not empty */
    struct loop *loop;
    struct net_client *client;
    struct loop_signal *signals[2];
    bool interrupted;
};
int ctl_open(struct ctl *ctl, struct err *reterr) NODISCARD;
void ctl_close(struct ctl *ctl);

struct ctl_answer {
    int status;
    struct buf body;
    uint64_t retry_after_s;
};
void ctl_answer_done(struct ctl_answer *a);
/* 0 whatever the status; an error if there was no answer or an interrupt came first. */
int ctl_http(struct ctl *ctl, const char *method, const char *path, struct bytes body, uint64_t deadline_ms,
             struct ctl_answer *ret, struct err *reterr) NODISCARD;
/* The error that an answer which is no success tells. */
int ctl_http_refusal(const struct ctl_answer *a, struct err *reterr);
/* Pauses; an interrupt ends it. */
void ctl_sleep(struct ctl *ctl, uint64_t ms);

/* ---- words for people (ctl_say.c) ------------------------------------------------------ */

/* "execctl: text" on stderr; returns `status`. */
int ctl_fail(int status, const char *fmt, ...) PRINTF(2, 3);
/* One line on a terminal that overwrites itself, nothing elsewhere; NULL clears it. */
void ctl_progress(const char *fmt, ...) PRINTF(1, 2);
/* Writes it all to stdout or stderr; -1 and a complaint if that fails. */
int ctl_write(FILE *f, struct bytes b);

/* ---- verdicts (ctl_verdict.c) -------------------------------------------------------------- */

int ctl_exit_status(const struct wire_answer *a);
/* What a shell would say on stderr; "" where the program said it all. */
void ctl_verdict_text(const struct wire_answer *a, char *out, size_t size);

/* ---- jobs (ctl_job.c) --------------------------------------------------------------------- */

/* Exit statuses of the commands. */
int ctl_run(struct ctl *ctl);
int ctl_submit(struct ctl *ctl);
int ctl_result(struct ctl *ctl);
int ctl_deliveries(struct ctl *ctl); /* ctl_delivery.c */
int ctl_redeliver(struct ctl *ctl);
int ctl_dead(struct ctl *ctl);      /* ctl_dead.c */
int ctl_languages(struct ctl *ctl); /* ctl_info.c */
int ctl_health(struct ctl *ctl);

/* ctl_language.c: --language, or what the file's name says.  Asks the server where a name was given. */
int ctl_language_find(struct ctl *ctl, const char *file, int32_t *ret, struct err *reterr) NODISCARD;
/* ctl_file.c: a whole file ("-": stdin) of at most `max` bytes. */
int ctl_file_read(const char *path, size_t max, struct buf *ret, struct err *reterr) NODISCARD;

#endif
