/* loop.h - the event loop: timers, descriptors, signals, children, one thread-safe door.
 *
 * Theory of operation.  A thin layer over libevent's core (event_base); the only
 * room that includes <event2/event.h>.  Everything except loop_post() and
 * loop_work*() belongs to the loop's thread.  Callbacks never run from inside the
 * call that armed them.  Any object may be freed from inside its own callback.
 *
 * `loop_fake.c` (target room_loop_fake) is a twin for tests whose clock jumps from
 * timer to timer; it has timers, posts and run. */
#ifndef EXECD_LOOP_H
#define EXECD_LOOP_H

#include "base/base.h"

struct loop;
struct loop_timer;
struct loop_io;
struct loop_signal;
struct loop_child;
struct event_base;

typedef void (*loop_fn)(void *arg);

int loop_new(struct loop **ret, struct err *reterr) NODISCARD;
void loop_free(struct loop *loop);                     /* after every object of it was freed */
void loop_run(struct loop *loop);                      /* returns after loop_stop() */
void loop_stop(struct loop *loop);                     /* from a callback */
uint64_t loop_now_ms(struct loop *loop);               /* monotonic */
struct event_base *loop_event_base(struct loop *loop); /* for net/ (evhttp) alone */

/* One-shot timers: a new one is idle; arming again replaces the deadline. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *arg);
void loop_timer_arm(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_cancel(struct loop_timer *t); /* idle again; idle ones are fine */
bool loop_timer_armed(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void (*loop_io_fn)(void *arg, int events);
/* Level-triggered; the fd stays the caller's and must outlive the object. */
struct loop_io *loop_io_new(struct loop *loop, int fd, int events, loop_io_fn fn, void *arg);
void loop_io_set(struct loop_io *io, int events); /* 0 pauses */
void loop_io_free(struct loop_io *io);

struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn fn, void *arg);
void loop_signal_free(struct loop_signal *s);

/* Watches an own child through a pidfd and reaps it.  `status` as of waitpid(2). */
typedef void (*loop_child_fn)(void *arg, int status);
int loop_child_new(struct loop *loop, pid_t pid, loop_child_fn fn, void *arg, struct loop_child **ret,
                   struct err *reterr) NODISCARD;
int loop_child_kill(struct loop_child *c, int signo); /* by pidfd; 0 or -errno */
void loop_child_free(struct loop_child *c);           /* stops watching, does not reap */

/* Any thread: fn(arg) runs on the loop's thread in a later turn. */
void loop_post(struct loop *loop, loop_fn fn, void *arg);
/* Runs work(arg) on a helper thread, then done(arg) on the loop.  For the few
 * calls that have no asynchronous form (getaddrinfo).  At most 4 at once; more
 * wait in line.  There is no cancel: arg must live until done(). */
void loop_work(struct loop *loop, loop_fn work, loop_fn done, void *arg);
/* The same for work that must not be lost: where loop_free() comes first, it waits until all such work is
 * done, without its done(); what could not be begun within LOOP_ENDING_MS is dropped. */
#define LOOP_ENDING_MS 5000
void loop_work_surely(struct loop *loop, loop_fn work, loop_fn done, void *arg);

#endif
