/* run_step.c - one step in one cell: pipes, caps, and the jailer's answer.
 *
 * The two pipes are read as they fill, so that a flood costs a bounded buffer: at
 * cap + 1 bytes the cell is killed and exactly cap bytes are kept.  The verdict does
 * not depend on who is faster: bytes found in a pipe after the cell's death count as well.
 * When the jailer has answered, every writer is dead, so what is in the pipes is all. */
#include "run_internal.h"

#include <fcntl.h>
#include <unistd.h>

struct stream {
    struct run_step *step;
    int fd; /* our end, non-blocking; -1 once closed */
    struct loop_io *io;
    struct job_output out;
    uint64_t cap;
};

struct run_step {
    struct stream streams[2];
    struct jail_run *run; /* NULL once answered */
    bool over;            /* a cap was passed */
    run_step_fn done;
    void *arg;
};

static void stream_close(struct stream *s)
{
    loop_io_free(s->io);
    s->io = NULL;
    closep(&s->fd);
}

/* Appends what fits under the cap; true while the stream is within it. */
static bool stream_take(struct stream *s, const char *bytes, size_t len)
{
    size_t room = s->cap > s->out.bytes.len ? (size_t)(s->cap - s->out.bytes.len) : 0;

    if (buf_add(&s->out.bytes, bytes, MIN(len, room)) != 0) {
        s->out.truncated = true;
        return false;
    }
    if (len > room)
        s->out.truncated = true;
    return !s->out.truncated;
}

/* Reads what is there now, a bounded number of times. */
static void stream_drain(struct stream *s, int rounds)
{
    char chunk[65536];

    while (s->fd >= 0 && rounds-- > 0) {
        ssize_t n = read(s->fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            stream_close(s);
            return;
        }
        if (!stream_take(s, chunk, (size_t)n)) {
            s->step->over = true;
            stream_close(s);
            if (s->step->run != NULL)
                jail_kill(s->step->run, JOB_HIT_OUTPUT);
        }
    }
}

static void on_readable(void *arg, int events)
{
    (void)events;
    stream_drain(arg, 4);
}

static void step_free(struct run_step *step)
{
    for (size_t i = 0; i < COUNT_OF(step->streams); i++) {
        stream_close(&step->streams[i]);
        buf_done(&step->streams[i].out.bytes);
    }
    free(step);
}

static void on_jail_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct run_step *step = arg;
    struct run_step_result result = {.kept_fd = -1};

    step->run = NULL;
    for (size_t i = 0; i < COUNT_OF(step->streams); i++)
        stream_drain(&step->streams[i], 64); /* 64 * 64 KiB is more than a pipe holds */
    if (outcome != NULL) {
        result.measure = outcome->measure;
        result.kept_fd = outcome->kept_fd;
        if (step->over && result.measure.hit == JOB_HIT_NONE)
            result.measure.hit = JOB_HIT_OUTPUT;
    }
    result.out = step->streams[0].out;
    result.err = step->streams[1].out;
    memset(&step->streams[0].out, 0, sizeof(struct job_output));
    memset(&step->streams[1].out, 0, sizeof(struct job_output));
    step->done(step->arg, &result, err);
    buf_done(&result.out.bytes);
    buf_done(&result.err.bytes);
    step_free(step);
}

/* Our end is non-blocking; theirs is as a program expects it. */
static int stream_open(struct loop *loop, struct stream *s, int *ret_theirs, struct err *reterr)
{
    int p[2];

    if (pipe2(p, O_CLOEXEC) != 0)
        return err_sys(reterr, "pipe for a step's output");
    if (fcntl(p[0], F_SETFL, O_NONBLOCK) != 0) {
        int rc = err_sys(reterr, "make a pipe non-blocking");

        close(p[0]);
        close(p[1]);
        return rc;
    }
    s->fd = p[0];
    s->io = loop_io_new(loop, s->fd, LOOP_READ, on_readable, s);
    *ret_theirs = p[1];
    return 0;
}

static int step_launch(struct loop *loop, struct jail *jail, const struct run_step_spec *spec,
                       struct run_step *step, struct err *reterr)
{
    CLEAN_FD int in = -1;
    CLEAN_FD int out = -1;
    CLEAN_FD int errfd = -1;
    struct jail_step js = {.stdin_fd = -1};
    int rc;

    if ((rc = jail_memfd("stdin", spec->stdin_data, &in, reterr)) != 0 ||
        (rc = stream_open(loop, &step->streams[0], &out, reterr)) != 0)
        return rc;
    if (!spec->merge && (rc = stream_open(loop, &step->streams[1], &errfd, reterr)) != 0)
        return rc;
    js.argv = (const char *const *)spec->step->argv;
    js.env = (const char *const *)spec->step->env;
    js.keep = (const char *const *)spec->step->keep;
    js.keep_bytes = spec->keep_bytes;
    js.bundle_count = spec->bundle_count;
    for (unsigned i = 0; i < spec->bundle_count; i++)
        js.bundles[i] = spec->bundles[i];
    js.stdin_fd = in;
    js.stdout_fd = out;
    js.stderr_fd = spec->merge ? out : errfd;
    js.limits = spec->limits;
    js.extra_processes = spec->step->extra_processes;
    js.profile = (enum jail_profile)spec->step->profile;
    return jail_run(jail, &js, on_jail_done, step, &step->run, reterr);
}

int run_step_start(struct loop *loop, struct jail *jail, const struct run_step_spec *spec, run_step_fn done,
                   void *arg, struct run_step **ret, struct err *reterr)
{
    struct run_step *step = NEW(struct run_step);
    int rc;

    step->done = done;
    step->arg = arg;
    for (size_t i = 0; i < COUNT_OF(step->streams); i++) {
        step->streams[i].step = step;
        step->streams[i].fd = -1;
        step->streams[i].cap = spec->limits->output_bytes;
    }
    rc = step_launch(loop, jail, spec, step, reterr);
    if (rc != 0) {
        step_free(step);
        return rc;
    }
    *ret = step;
    return 0;
}

void run_step_kill(struct run_step *step, enum job_limit_hit why)
{
    if (step->run != NULL)
        jail_kill(step->run, why);
}
