/* keeper_test.c - the keeper and its workers, which are this program once more.
 *
 * A worker says by files beside its state folder how far it is: `up` (with its keeper's pid) when it can be
 * told to end, `told` when it was, `twice` if it was once more, `gone` at its end, which waits for the file
 * `go`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keeper.h"

#define PATIENCE_MS 30000
#define POLL_MS 5

static char dir[64];
static struct loop *loop;
static struct keeper *keeper;
static unsigned called;

/* ---- a worker ------------------------------------------------------------------------------- */

static void put(const char *path, long long number)
{
    FILE *f = fopen(path, "we");

    if (f != NULL) {
        fprintf(f, "%lld\n", number);
        fclose(f);
    }
}

static int worker(const char *state)
{
    CLEAN_FREE char *up = mem_printf("%s.up", state);
    CLEAN_FREE char *new = mem_printf("%s.new", state);
    CLEAN_FREE char *told = mem_printf("%s.told", state);
    CLEAN_FREE char *twice = mem_printf("%s.twice", state);
    CLEAN_FREE char *gone = mem_printf("%s.gone", state);
    CLEAN_FREE char *go = mem_printf("%s.go", state);
    sigset_t set;
    int signo;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    put(new, getppid());
    rename(new, up);
    sigwait(&set, &signo);
    put(told, signo);
    for (int left = PATIENCE_MS; left > 0 && access(go, F_OK) != 0; left -= POLL_MS)
        poll(NULL, 0, POLL_MS);
    sigpending(&set);
    if (sigismember(&set, SIGTERM))
        put(twice, 1);
    put(gone, 1);
    return 0;
}

/* ---- the test ----------------------------------------------------------------------------------- */

static char *file_of(uint32_t number, const char *what)
{
    return mem_printf("%s/worker-%u.%s", dir, number, what);
}

static bool is_there(uint32_t number, const char *what)
{
    CLEAN_FREE char *path = file_of(number, what);

    return access(path, F_OK) == 0;
}

static void go(uint32_t number)
{
    CLEAN_FREE char *path = file_of(number, "go");

    put(path, 1);
}

/* As its first line says. */
static pid_t keeper_of(uint32_t number)
{
    CLEAN_FREE char *path = file_of(number, "up");
    FILE *f = fopen(path, "re");
    int pid = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    return pid;
}

static void give_up(void *arg)
{
    (void)arg;
    fail_msg("nothing happened within %d ms", PATIENCE_MS);
}

static void on_poll(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turn(void)
{
    struct loop_timer *t = loop_timer_new(loop, on_poll, NULL);

    loop_timer_arm(t, POLL_MS);
    loop_run(loop);
    loop_timer_free(t);
}

#define UNTIL(condition)                                                                                     \
    do {                                                                                                     \
        struct loop_timer *t_ = loop_timer_new(loop, give_up, NULL);                                         \
        loop_timer_arm(t_, PATIENCE_MS);                                                                     \
        while (!(condition))                                                                                 \
            turn();                                                                                          \
        loop_timer_free(t_);                                                                                 \
    } while (0)

static void on_called(void *arg)
{
    (void)arg;
    called++;
}

static int setup(void **state)
{
    static char program[256];
    const struct keeper_options o = {.program = program, .state_dir = dir, .uid_base = 1900000000};
    const ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    struct err err;

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/execd-keeper-XXXXXX");
    called = 0;
    if (n < 0 || mkdtemp(dir) == NULL || loop_new(&loop, &err) != 0 || keeper_spawn(&o, &keeper, &err) != 0)
        return -1;
    keeper_open(keeper, loop, on_called, NULL);
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"up", "new", "go", "told", "twice", "gone"};

    (void)state;
    keeper_free(keeper);
    loop_free(loop);
    for (uint32_t i = 1; i <= 2; i++)
        for (size_t k = 0; k < COUNT_OF(files); k++) {
            CLEAN_FREE char *path = file_of(i, files[k]);

            unlink(path);
        }
    return rmdir(dir);
}

static void start(uint32_t number)
{
    struct err err;

    assert_int_equal(keeper_start(keeper, number, on_called, NULL, &err), 0);
    UNTIL(is_there(number, "up"));
}

static void test_an_end(void **state)
{
    struct err err;

    (void)state;
    start(1);
    assert_int_equal(keeper_start(keeper, 1, on_called, NULL, &err), ERR_CONFLICT);
    go(1);
    keeper_end(keeper, 1);
    UNTIL(called == 1);
    assert_int_equal(keeper_pid(keeper, 1), 0);
}

/* One that was told already is not told again by a stop: that would take its time from its job.  What the
 * second one is told comes after all that the first one is, so its end says that nothing more comes. */
static void test_a_stop_tells_once(void **state)
{
    (void)state;
    start(1);
    start(2);
    keeper_end(keeper, 1);
    UNTIL(is_there(1, "told"));
    go(2);
    keeper_stop(keeper, PATIENCE_MS, on_called, NULL);
    UNTIL(keeper_pid(keeper, 2) == 0);
    go(1);
    UNTIL(called == 1);
    assert_false(is_there(1, "twice"));
    assert_false(is_there(2, "twice"));
}

/* Asked for on purpose it does. */
static void test_a_second_word(void **state)
{
    (void)state;
    start(1);
    start(2);
    keeper_end(keeper, 1);
    UNTIL(is_there(1, "told"));
    keeper_end(keeper, 1);
    go(2);
    keeper_stop(keeper, PATIENCE_MS, on_called, NULL);
    UNTIL(keeper_pid(keeper, 2) == 0);
    go(1);
    UNTIL(called == 1);
    assert_true(is_there(1, "twice"));
}

/* A keeper that does nothing any more holds up neither a stop nor the end. */
static void test_a_keeper_that_hangs(void **state)
{
    (void)state;
    start(1);
    go(1);
    kill(keeper_of(1), SIGSTOP);
    keeper_stop(keeper, 1, on_called, NULL);
    UNTIL(called == 1);
    assert_int_equal(keeper_pid(keeper, 1), 0);
    keeper_free(keeper);
    keeper = NULL;
    UNTIL(is_there(1, "gone")); /* the kernel has told it, at the keeper's end */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stop_tells_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_second_word, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_keeper_that_hangs, setup, teardown),
    };

    if (argc > 4 && strcmp(argv[1], "--role") == 0)
        return worker(argv[4]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
