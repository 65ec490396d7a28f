/* store_embedded.c - a private redis-server in the state directory, supervised.
 *
 * It listens on a unix socket only and dies with us.  `appendfsync always`: a change is on the disk before it
 * is answered; with `everysec` Redis answers first while a background fsync is slow (flushAppendOnlyFile
 * postpones the write), and an accepted job could die with it.  The directory is reached through its
 * descriptor, so that neither privileges given up nor a long path stand in the way.
 *
 * Two locks lie in it: `execd.lock` keeps a second execd out; `redis.lock` is handed down to the server, so
 * that whoever follows a killed execd waits until its server has written and gone, and never are there two
 * on one append-only file. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "store_internal.h"

#define RESTART_FIRST_MS 100
#define RESTART_MAX_MS 5000
#define STABLE_MS 10000
#define STOP_MS 10000
#define SERVER_LOCK_FD 3 /* in the server, which knows nothing of it */

struct store_embedded {
    struct loop *loop;
    char *redis_path;
    int dir, lock, server_lock;
    pid_t pid;
    struct loop_child *child;
    struct loop_timer *timer;
    uint64_t delay_ms, started_ms;
};

static void exec_server(const struct store_embedded *e, pid_t parent) __attribute__((noreturn));
static void exec_server(const struct store_embedded *e, pid_t parent)
{
    static const char *const argv[] = {"redis-server",
                                       "--port",
                                       "0",
                                       "--unixsocket",
                                       "redis.sock",
                                       "--unixsocketperm",
                                       "700",
                                       "--dir",
                                       ".",
                                       "--daemonize",
                                       "no",
                                       "--appendonly",
                                       "yes",
                                       "--appendfsync",
                                       "always",
                                       "--save",
                                       "",
                                       "--logfile",
                                       "redis.log",
                                       "--loglevel",
                                       "warning",
                                       "--maxmemory-policy",
                                       "noeviction",
                                       "--hash-max-listpack-value", /* a job's hash is short: a quarter */
                                       "512",                       /* of the memory, webhook included */
                                       NULL};
    const char *path = getenv("PATH");
    char *const keep = mem_printf("PATH=%s", path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    char *const env[] = {keep, NULL}; /* ours may hold secrets */
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* a terminal's Ctrl-C is ours to handle: it goes last */
    umask(077);    /* its files are everybody's programs; the directory may be one that others can read */
    if (getppid() != parent || fchdir(e->dir) != 0)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (e->server_lock == SERVER_LOCK_FD ? fcntl(SERVER_LOCK_FD, F_SETFD, 0) < 0
                                         : dup2(e->server_lock, SERVER_LOCK_FD) < 0)
        _exit(126);
    close_range(SERVER_LOCK_FD + 1, ~0u, 0);
    execvpe(e->redis_path, (char *const *)(uintptr_t)argv, env);
    _exit(127);
}

static void on_exit_of_server(void *arg, int status);

static int start(struct store_embedded *e, struct err *reterr)
{
    pid_t parent = getpid();

    e->started_ms = loop_now_ms(e->loop);
    e->pid = fork();
    if (e->pid == 0)
        exec_server(e, parent);
    if (e->pid < 0)
        return err_sys(reterr, "fork redis-server");
    return loop_child_new(e->loop, e->pid, on_exit_of_server, e, &e->child, reterr);
}

static void restart_later(struct store_embedded *e)
{
    loop_timer_arm(e->timer, e->delay_ms);
    e->delay_ms = MIN(e->delay_ms * 2, (uint64_t)RESTART_MAX_MS);
}

static void on_timer(void *arg)
{
    struct store_embedded *e = arg;
    struct err err = {0};

    if (start(e, &err) != 0)
        restart_later(e);
}

static void on_exit_of_server(void *arg, int status)
{
    struct store_embedded *e = arg;

    loop_child_free(e->child);
    e->child = NULL;
    e->pid = 0;
    LOG_ERROR("redis_server_ended", F_INT("exit_code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
              F_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
              F_STR("hint", "redis.log in the state directory says why; it is started again"));
    if (loop_now_ms(e->loop) - e->started_ms > STABLE_MS)
        e->delay_ms = RESTART_FIRST_MS;
    restart_later(e);
}

/* As execvp(3) will look for it. */
static bool executable(const char *name)
{
    const char *path = getenv("PATH");
    CLEAN_FREE char *copy = mem_dup(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    char *rest = copy, *dir;

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0;
    while ((dir = strsep(&rest, ":")) != NULL) {
        CLEAN_FREE char *full = mem_printf("%s/%s", dir, name);

        if (access(full, X_OK) == 0)
            return true;
    }
    return false;
}

/* Takes the lock `name` of the state directory, waiting at most wait_ms; refused with `why`. */
static int take_lock(int dir, const char *name, int wait_ms, const char *why, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_sys(reterr, "open `%s` in the state directory", name);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (wait_ms <= 0)
            return err_set(reterr, ERR_CONFIG, "%s", why);
        poll(NULL, 0, 20);
        wait_ms -= 20;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int take_locks(struct store_embedded *e, struct err *reterr)
{
    int rc = take_lock(e->dir, "execd.lock", 0,
                       "the state directory is in use by another execd; give each its own (--state), or let "
                       "both use one Redis (queue.url)",
                       &e->lock, reterr);

    if (rc != 0)
        return rc;
    return take_lock(e->dir, "redis.lock", STOP_MS,
                     "the redis-server of an execd that was killed still runs in the state directory and "
                     "does not end; redis.log there says what it does",
                     &e->server_lock, reterr);
}

int store_embedded_start(struct loop *loop, const char *redis_path, int state_fd, char *url_out,
                         size_t url_size, struct store_embedded **ret, struct err *reterr)
{
    struct store_embedded *e;
    int rc;

    if (!executable(redis_path))
        return err_set(reterr, ERR_CONFIG,
                       "queue.redis_server: `%s` cannot be executed; install it (apt install "
                       "redis-server) or point queue.url at a running Redis",
                       redis_path);
    e = NEW(struct store_embedded);
    e->loop = loop;
    e->redis_path = mem_dup(redis_path);
    e->dir = state_fd;
    e->lock = e->server_lock = -1;
    e->delay_ms = RESTART_FIRST_MS;
    e->timer = loop_timer_new(loop, on_timer, e);
    if ((rc = take_locks(e, reterr)) == 0) {
        unlinkat(state_fd, "redis.sock", 0); /* of one that was killed */
        rc = start(e, reterr);
    }
    if (rc != 0) {
        store_embedded_free(e);
        return rc;
    }
    snprintf(url_out, url_size, "unix:/proc/self/fd/%d/redis.sock", state_fd);
    *ret = e;
    return 0;
}

void store_embedded_free(struct store_embedded *e)
{
    if (e == NULL)
        return;
    loop_child_free(e->child);
    if (e->pid > 0) {
        kill(e->pid, SIGTERM);
        if (!child_gone_within(e->pid, STOP_MS)) {
            kill(e->pid, SIGKILL);
            waitpid(e->pid, NULL, 0);
        }
    }
    loop_timer_free(e->timer);
    closep(&e->server_lock);
    closep(&e->lock);
    free(e->redis_path);
    free(e);
}

pid_t store_embedded_pid(const struct store_embedded *e)
{
    return e->pid;
}
