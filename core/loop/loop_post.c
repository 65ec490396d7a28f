/* loop_post.c - the one thread-safe door, and helper threads for calls that have no asynchronous form. */
#include "loop_internal.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct loop_task *task_new(loop_fn fn, loop_fn done, void *arg)
{
    struct loop_task *t = NEW(struct loop_task);

    t->fn = fn;
    t->done = done;
    t->arg = arg;
    return t;
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof(one)); /* a full counter wakes as well */

    (void)ignored;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    struct loop_tasks mine = TAILQ_HEAD_INITIALIZER(mine);
    struct loop_task *t;
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof(count));

    (void)ignored;
    (void)what;
    pthread_mutex_lock(&loop->mutex);
    TAILQ_CONCAT(&mine, &loop->posted, link);
    pthread_mutex_unlock(&loop->mutex);
    while ((t = TAILQ_FIRST(&mine)) != NULL) { /* what these post runs in a later turn */
        loop_fn fn = t->fn;
        void *task_arg = t->arg;

        TAILQ_REMOVE(&mine, t, link);
        free(t);
        fn(task_arg);
    }
}

void loop_post(struct loop *loop, loop_fn fn, void *arg)
{
    struct loop_task *t = task_new(fn, NULL, arg);

    pthread_mutex_lock(&loop->mutex);
    TAILQ_INSERT_TAIL(&loop->posted, t, link);
    pthread_mutex_unlock(&loop->mutex);
    wake(loop);
}

/* What a helper may begin: names that nobody resolves take them for many seconds, and what is to be done
 * surely must not wait behind that. */
static struct loop_task *work_pick(struct loop *loop)
{
    struct loop_task *t = TAILQ_FIRST(&loop->work);

    while (t != NULL && !t->sure && loop->loose == COUNT_OF(loop->helpers) - 1)
        t = TAILQ_NEXT(t, link);
    return t;
}

/* What is next; NULL at the end.  Called with the mutex held. */
static struct loop_task *work_next(struct loop *loop)
{
    struct loop_task *t;

    loop->threads_idle++;
    while ((t = work_pick(loop)) == NULL && !loop->ending)
        pthread_cond_wait(&loop->work_there, &loop->mutex);
    loop->threads_idle--;
    if (t == NULL || (loop->ending && clock_mono_ns() >= loop->ending_until_ns))
        return NULL;
    TAILQ_REMOVE(&loop->work, t, link);
    loop->work_count--;
    loop->loose += t->sure ? 0 : 1;
    return t;
}

/* A helper: takes work, hands its result to the loop, ends with the loop. */
static void *help(void *arg)
{
    struct loop *loop = arg;
    struct loop_task *t;

    pthread_mutex_lock(&loop->mutex);
    while ((t = work_next(loop)) != NULL) {
        bool loose = !t->sure;

        pthread_mutex_unlock(&loop->mutex);
        t->fn(t->arg);
        loop_post(loop, t->done, t->arg);
        free(t);
        pthread_mutex_lock(&loop->mutex);
        loop->loose -= loose ? 1 : 0;
        pthread_cond_signal(&loop->work_there); /* another may begin now what none might before */
    }
    pthread_mutex_unlock(&loop->mutex);
    return NULL;
}

/* With every signal blocked, so that the loop's thread gets them all.  Called with the mutex held. */
static void helper_add(struct loop *loop)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&loop->helpers[loop->threads], NULL, help, loop) == 0)
        loop->threads++;
    else if (loop->threads == 0)
        abort(); /* as without memory: nothing could ever do this work */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void work_add(struct loop *loop, struct loop_task *t)
{
    pthread_mutex_lock(&loop->mutex);
    TAILQ_INSERT_TAIL(&loop->work, t, link);
    loop->work_count++;
    if (loop->threads_idle < loop->work_count && loop->threads < COUNT_OF(loop->helpers))
        helper_add(loop);
    pthread_cond_signal(&loop->work_there);
    pthread_mutex_unlock(&loop->mutex);
}

void loop_work(struct loop *loop, loop_fn work, loop_fn done, void *arg)
{
    work_add(loop, task_new(work, done, arg));
}

void loop_work_surely(struct loop *loop, loop_fn work, loop_fn done, void *arg)
{
    struct loop_task *t = task_new(work, done, arg);

    t->sure = true;
    work_add(loop, t);
}

int loop_post_open(struct loop *loop, struct err *reterr)
{
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        return err_sys(reterr, "eventfd for the loop");
    TAILQ_INIT(&loop->posted);
    TAILQ_INIT(&loop->work);
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->work_there, NULL);
    loop->wake = loop_event_new(loop, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    event_add(loop->wake, NULL);
    return 0;
}

static void tasks_drop(struct loop_tasks *tasks)
{
    struct loop_task *t;

    while ((t = TAILQ_FIRST(tasks)) != NULL) {
        TAILQ_REMOVE(tasks, t, link);
        free(t);
    }
}

static void unsure_drop(struct loop_tasks *tasks)
{
    struct loop_task *t, *next;

    for (t = TAILQ_FIRST(tasks); t != NULL; t = next) {
        next = TAILQ_NEXT(t, link);
        if (t->sure)
            continue;
        TAILQ_REMOVE(tasks, t, link);
        free(t);
    }
}

void loop_post_close(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    loop->ending = true;
    loop->ending_until_ns = clock_mono_ns() + LOOP_ENDING_MS * UINT64_C(1000000);
    unsure_drop(&loop->work);
    pthread_cond_broadcast(&loop->work_there);
    pthread_mutex_unlock(&loop->mutex);
    for (unsigned i = 0; i < loop->threads; i++)
        pthread_join(loop->helpers[i], NULL);
    tasks_drop(&loop->posted);
    tasks_drop(&loop->work);
    event_free(loop->wake);
    close(loop->wake_fd);
    pthread_cond_destroy(&loop->work_there);
    pthread_mutex_destroy(&loop->mutex);
}
