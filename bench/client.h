/* client.h - what the files of bench-client share. */
#ifndef EXECD_BENCH_CLIENT_H
#define EXECD_BENCH_CLIENT_H

#include "base/base.h"

void die(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));

/* ---- client_http.c: one connection, one request at a time --------------------------- */

struct bodies { /* requests to send, in turn */
    char **lines;
    size_t count;
    uint64_t next;   /* which one is next */
    uint64_t serial; /* takes the place of COUNTER where a body has one, so that no two are the same */
};
#define COUNTER "@@@@@@@@@@@@"

struct http {
    int fd;
    const char *path;
    struct buf out, in;
    int status;        /* of the last answer */
    struct bytes body; /* of the last answer; in `in` */
    uint64_t sent_ns;
};
/* A line a body, read whole. */
void bodies_read(struct bodies *b, const char *file);
void http_open(struct http *h, int port, const char *path);
void http_close(struct http *h);
void http_send(struct http *h, struct bodies *b);
/* The same; false: the server has closed the connection. */
bool http_try_send(struct http *h, struct bodies *b);
/* Reads what is there (all that is to come, where the socket blocks): true when the answer is complete. */
bool http_read(struct http *h, bool block);
enum http_state { HTTP_MORE, HTTP_WHOLE, HTTP_GONE };
enum http_state http_try_read(struct http *h, bool block);
/* Is it a success that has each of the texts (NULL-terminated)? */
bool http_good(const struct http *h, const char *const *texts);

/* ---- client.c ---------------------------------------------------------------------- */

struct samples {
    uint64_t *ns;
    size_t count, cap;
};
void sample(struct samples *s, uint64_t ns);
void print_samples(const char *name, const struct samples *s); /* as a member of a JSON object */

/* ---- client_flood.c: more than can be done ------------------------------------------- */

struct flood {
    int port;
    const char *path, *bodies;
    const char *const *expect; /* in an answer that is good; NULL-terminated */
    unsigned long clients;     /* connections; whoever comes when none is free is counted, and not sent */
    double rate, seconds;
};
void flood(const struct flood *o);

/* ---- client_spawn.c: programs started by hand -------------------------------------- */

/* Runs the commands one after another (separated by ";" in the NULL-terminated list), their output read to
 * its end; nanoseconds.  A command that fails ends the measurement: it would be no measure of anything. */
uint64_t spawn_all(char *const *words);

#endif
