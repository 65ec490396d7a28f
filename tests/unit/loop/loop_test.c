/* loop_test.c - timers, descriptors, signals, children, posts, helper threads. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop.h"

static struct loop *loop;
static char order[64];

static void note(char c)
{
    size_t n = strlen(order);

    order[n] = c;
    order[n + 1] = '\0';
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void on_a(void *arg)
{
    (void)arg;
    note('a');
}

static void on_b(void *arg)
{
    (void)arg;
    note('b');
}

static void test_timers(void **state)
{
    struct loop_timer *a = loop_timer_new(loop, on_a, NULL), *b = loop_timer_new(loop, on_b, NULL);
    struct loop_timer *end = loop_timer_new(loop, stop, NULL);

    (void)state;
    loop_timer_arm(b, 20);
    loop_timer_arm(a, 40);
    loop_timer_arm(a, 5); /* replaces */
    assert_true(loop_timer_armed(a));
    loop_timer_arm(end, 60);
    assert_string_equal(order, "");
    loop_run(loop);
    assert_string_equal(order, "ab");
    assert_false(loop_timer_armed(a));
    loop_timer_arm(a, 1);
    loop_timer_cancel(a);
    loop_timer_cancel(a);
    loop_timer_arm(end, 10);
    loop_run(loop);
    assert_string_equal(order, "ab");
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(end);
    loop_timer_free(NULL);
}

static void free_itself(void *arg)
{
    struct loop_timer **t = arg;

    loop_timer_free(*t);
    *t = NULL;
    loop_stop(loop);
}

static void test_timer_frees_itself(void **state)
{
    struct loop_timer *t = loop_timer_new(loop, free_itself, &t);

    (void)state;
    loop_timer_arm(t, 0);
    loop_run(loop);
    assert_null(t);
}

struct io {
    struct loop_io *io;
    int fd, seen;
};

static void on_io(void *arg, int events)
{
    struct io *x = arg;
    char c;

    x->seen |= events;
    if ((events & LOOP_READ) != 0)
        assert_int_equal(read(x->fd, &c, 1), 1);
    loop_io_set(x->io, 0);
    loop_stop(loop);
}

static void test_io(void **state)
{
    int p[2];
    struct io r = {0}, w = {0};

    (void)state;
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    r.fd = p[0];
    r.io = loop_io_new(loop, p[0], LOOP_READ, on_io, &r);
    w.io = loop_io_new(loop, p[1], 0, on_io, &w); /* paused */
    assert_int_equal(write(p[1], "x", 1), 1);
    loop_run(loop);
    assert_int_equal(r.seen, LOOP_READ);
    assert_int_equal(w.seen, 0);
    loop_io_set(w.io, LOOP_WRITE);
    loop_run(loop);
    assert_int_equal(w.seen, LOOP_WRITE);
    loop_io_free(r.io);
    loop_io_free(w.io);
    close(p[0]);
    close(p[1]);
}

static void test_signal(void **state)
{
    struct loop_signal *s = loop_signal_new(loop, SIGUSR1, stop, NULL);

    (void)state;
    raise(SIGUSR1);
    loop_run(loop);
    loop_signal_free(s);
}

static void on_child(void *arg, int status)
{
    *(int *)arg = status;
    loop_stop(loop);
}

static void test_child(void **state)
{
    struct loop_child *c;
    struct err err = {0};
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(7);
    assert_int_equal(loop_child_new(loop, pid, on_child, &status, &c, &err), 0);
    loop_run(loop);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(loop_child_kill(c, SIGTERM), -ESRCH); /* reaped: nobody else is meant */
    loop_child_free(c);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    assert_int_equal(loop_child_new(loop, pid, on_child, &status, &c, &err), 0);
    assert_int_equal(loop_child_kill(c, SIGKILL), 0);
    loop_run(loop);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    loop_child_free(c);
}

static void post_again(void *arg)
{
    (void)arg;
    note('1');
    loop_post(loop, stop, NULL);
    note('2');
}

static void *post_from_thread(void *arg)
{
    loop_post(arg, post_again, NULL);
    return NULL;
}

static void test_post(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post_from_thread, loop), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
    assert_string_equal(order, "12"); /* what is posted runs in a later turn */
}

static pthread_t main_thread;
static unsigned worked, finished;

static void work(void *arg)
{
    (void)arg;
    assert_false(pthread_equal(pthread_self(), main_thread));
    __atomic_add_fetch(&worked, 1, __ATOMIC_SEQ_CST);
}

static void work_done(void *arg)
{
    (void)arg;
    assert_true(pthread_equal(pthread_self(), main_thread));
    if (++finished == 20)
        loop_stop(loop);
}

static void test_work(void **state)
{
    (void)state;
    main_thread = pthread_self();
    for (int i = 0; i < 20; i++)
        loop_work(loop, work, work_done, NULL);
    loop_run(loop);
    assert_int_equal(worked, 20);
}

static void never_done(void *arg)
{
    (void)arg;
    fail_msg("the loop is gone");
}

static void slow_work(void *arg)
{
    usleep(20000); /* so that most of it waits when the loop ends */
    work(arg);
}

/* Work that waits at the loop's end: dropped, unless it was to be done surely. */
static void test_work_at_the_end(void **state)
{
    struct loop *other;
    struct err err = {0};

    (void)state;
    main_thread = pthread_self();
    worked = 0;
    assert_int_equal(loop_new(&other, &err), 0);
    for (int i = 0; i < 20; i++)
        loop_work_surely(other, slow_work, never_done, NULL);
    loop_free(other);
    assert_int_equal(worked, 20);
    assert_int_equal(loop_new(&other, &err), 0);
    for (int i = 0; i < 20; i++)
        loop_work(other, slow_work, never_done, NULL);
    loop_free(other);
    assert_in_range(worked, 20, 24); /* what helpers had begun */
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void gate_passed(void *arg)
{
    if (--*(unsigned *)arg == 0)
        loop_stop(loop);
}

static void sure_done(void *arg)
{
    pthread_mutex_unlock(&gate);
    *(bool *)arg = true;
}

/* What is to be done surely does not wait for what may be lost, however much of that hangs. */
static void test_sure_work_waits_for_no_other(void **state)
{
    unsigned waiting = 20;
    bool sure = false;

    (void)state;
    main_thread = pthread_self();
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 20; i++)
        loop_work(loop, wait_at_gate, gate_passed, &waiting);
    loop_work_surely(loop, work, sure_done, &sure);
    loop_run(loop);
    assert_true(sure);
    assert_int_equal(waiting, 0);
}

static int open_loop(void **state)
{
    struct err err = {0};

    (void)state;
    order[0] = '\0';
    return loop_new(&loop, &err);
}

static int close_loop(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers),
        T(test_timer_frees_itself),
        T(test_io),
        T(test_signal),
        T(test_child),
        T(test_post),
        T(test_work),
        T(test_work_at_the_end),
        T(test_sure_work_waits_for_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
