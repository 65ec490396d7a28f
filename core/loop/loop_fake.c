/* loop_fake.c - the loop's twin for tests: the same timers and posts, on a clock that jumps.
 *
 * loop_run() runs what was posted, then goes to the next timer's time, and so on until loop_stop(); so a test
 * of a five-second patience takes no time and ends the same way on every machine.  Where the real loop would
 * wait for ever, because nothing is armed, this one returns.  Nothing ever happens on a descriptor; signals
 * and children have no twin.
 *
 * A room's test takes it by naming room_loop_fake before the room (plugin/plugin_host_test). */
#include <pthread.h>
#include <sys/queue.h>

#include "loop.h"

struct loop_timer {
    TAILQ_ENTRY(loop_timer) link;
    struct loop *loop;
    loop_fn fn;
    void *arg;
    bool armed;
    uint64_t at_ms, turn; /* those of one time fire in the order they were armed in */
};

struct post {
    STAILQ_ENTRY(post) link;
    loop_fn fn;
    void *arg;
};

struct loop {
    uint64_t now_ms, turn;
    bool stopped;
    TAILQ_HEAD(, loop_timer) timers;
    pthread_mutex_t mutex; /* of the posts, which come from any thread */
    STAILQ_HEAD(, post) posts;
};

int loop_new(struct loop **ret, struct err *reterr)
{
    struct loop *loop = NEW(struct loop);

    (void)reterr;
    loop->now_ms = 1;
    TAILQ_INIT(&loop->timers);
    STAILQ_INIT(&loop->posts);
    pthread_mutex_init(&loop->mutex, NULL);
    *ret = loop;
    return 0;
}

static struct post *take_post(struct loop *loop)
{
    struct post *p;

    pthread_mutex_lock(&loop->mutex);
    p = STAILQ_FIRST(&loop->posts);
    if (p != NULL)
        STAILQ_REMOVE_HEAD(&loop->posts, link);
    pthread_mutex_unlock(&loop->mutex);
    return p;
}

void loop_free(struct loop *loop)
{
    struct post *p;

    while ((p = take_post(loop)) != NULL)
        free(p);
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}

static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->turn < b->turn);
}

static struct loop_timer *next_timer(const struct loop *loop)
{
    struct loop_timer *t, *next = NULL;

    TAILQ_FOREACH (t, &loop->timers, link)
        if (t->armed && (next == NULL || earlier(t, next)))
            next = t;
    return next;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        struct post *p = take_post(loop);
        struct loop_timer *t = p == NULL ? next_timer(loop) : NULL;

        if (p != NULL) {
            p->fn(p->arg);
            free(p);
        } else if (t != NULL) {
            t->armed = false;
            loop->now_ms = MAX(loop->now_ms, t->at_ms);
            t->fn(t->arg);
        } else {
            return;
        }
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

uint64_t loop_now_ms(struct loop *loop)
{
    return loop->now_ms;
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *arg)
{
    struct loop_timer *t = NEW(struct loop_timer);

    t->loop = loop;
    t->fn = fn;
    t->arg = arg;
    TAILQ_INSERT_TAIL(&loop->timers, t, link);
    return t;
}

void loop_timer_arm(struct loop_timer *t, uint64_t delay_ms)
{
    t->armed = true;
    t->at_ms = t->loop->now_ms + delay_ms;
    t->turn = t->loop->turn++;
}

void loop_timer_cancel(struct loop_timer *t)
{
    t->armed = false;
}

bool loop_timer_armed(const struct loop_timer *t)
{
    return t->armed;
}

void loop_timer_free(struct loop_timer *t)
{
    if (t == NULL)
        return;
    TAILQ_REMOVE(&t->loop->timers, t, link);
    free(t);
}

struct loop_io {
    struct loop *loop;
    int events;
};

struct loop_io *loop_io_new(struct loop *loop, int fd, int events, loop_io_fn fn, void *arg)
{
    struct loop_io *io = NEW(struct loop_io);

    (void)fd;
    (void)fn;
    (void)arg;
    *io = (struct loop_io){loop, events};
    return io;
}

void loop_io_set(struct loop_io *io, int events)
{
    io->events = events;
}

void loop_io_free(struct loop_io *io)
{
    free(io);
}

void loop_post(struct loop *loop, loop_fn fn, void *arg)
{
    struct post *p = NEW(struct post);

    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&loop->mutex);
    STAILQ_INSERT_TAIL(&loop->posts, p, link);
    pthread_mutex_unlock(&loop->mutex);
}
