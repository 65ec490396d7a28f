/* loop_internal.h - for this folder only. */
#ifndef EXECD_LOOP_INTERNAL_H
#define EXECD_LOOP_INTERNAL_H

#include <pthread.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "loop.h"

struct loop_task { /* posted or worked */
    TAILQ_ENTRY(loop_task) link;
    loop_fn fn, done;
    void *arg;
    bool sure; /* done at the loop's end too */
};
TAILQ_HEAD(loop_tasks, loop_task);

struct loop {
    struct event_base *base;
    int wake_fd; /* eventfd: something was posted */
    struct event *wake;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work_there;
    struct loop_tasks posted, work;
    unsigned threads, threads_idle, work_count;
    unsigned loose; /* helpers that do work which may be lost: one never does */
    bool ending;
    uint64_t ending_until_ns; /* work that is begun later is dropped */
    pthread_t helpers[4];
};

int loop_post_open(struct loop *loop, struct err *reterr);
void loop_post_close(struct loop *loop);
struct event *loop_event_new(struct loop *loop, int fd, short what, event_callback_fn fn, void *arg);

#endif
