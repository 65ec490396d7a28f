/* api_fixture.h - a real API on a real Redis, spoken to over real sockets, for the tests of api/. */
#ifndef EXECD_API_FIXTURE_H
#define EXECD_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api_internal.h"
#include "warm/warm.h"

struct fixture {
    struct loop *loop;
    struct loop_timer *guard; /* a test that hangs ends here */
    char dir[64], redis_url[160];
    int dir_fd;
    struct store_embedded *redis;
    struct conf *conf;
    struct plugin_set *plugins; /* NULL unless the test opens some; the teardown frees it */
    bool untold;                /* no worker has told what it runs */
    uint64_t lease_ms;          /* of the store; 0: a minute */
    struct store *store;
    struct api *api;
    struct net_client *client;
    bool flag;
};

/* One Redis for a group of tests, one store prefix, configuration and API for each. */
int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
/* Defaults, port 0, a fresh prefix; fx->conf may be changed before fixture_open(). */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Opens store (unless there is one), API and client; a worker has told of Python (71), unless fx->untold. */
void fixture_open(struct fixture *fx);
/* A worker tells of Python. */
void fixture_tell(struct fixture *fx);
/* Turns the loop until *flag. */
void fixture_spin(struct fixture *fx, const bool *flag);

struct answer {
    int status;
    uint64_t retry_after_s;
    struct buf body;
    bool done, failed;
    struct fixture *fx;
};
/* `header` is one line or NULL. */
void http_begin(struct fixture *fx, struct answer *a, const char *method, const char *path,
                const char *header, const char *body);
/* The same, waits for the answer.  Answers are emptied by answer_done(). */
void http(struct fixture *fx, struct answer *a, const char *method, const char *path, const char *header,
          const char *body);
void answer_done(struct answer *a);
void assert_has(const struct answer *a, const char *text);
void assert_has_not(const struct answer *a, const char *text);

/* Sends the text as it is, returns all that came until the server closed; the caller frees it. */
char *raw(struct fixture *fx, const char *request);
int raw_connect(struct fixture *fx);

/* The token that stands first in a body. */
void token_of(const struct answer *a, char out[UUID_SIZE]);
/* Submits one Python program with this header; fills the token. */
void submit(struct fixture *fx, const char *header, char token[UUID_SIZE]);
/* A worker in miniature: takes one job, and ends it with this output. */
void worker_beat(struct fixture *fx, const char *id);
struct store_claim worker_claim(struct fixture *fx);
void worker_finish(struct fixture *fx, const struct store_claim *claim, const char *out);

#endif
