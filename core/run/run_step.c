/* run_step.c - one step in one cell: pipes, caps, and the jailer's answer.
 *
 * The two pipes are read as they fill, so that a flood costs a bounded buffer: at
 * cap + 1 bytes the cell is killed and exactly cap bytes are kept.  The verdict does
 * not depend on who is faster: bytes found in a pipe after the cell's death count as well.
 * A compiler that passes its cap has failed as well, but may talk on for a while, because its last
 * lines say what became of it; both ends of what it said are kept (run_ends.c).
 * When the jailer has answered, every writer is dead, so what is in the pipes is all.
 *
 * A step that a warm runtime may stand in for is offered to one first (run_warm.c). */
#include "run_step.h"

#include <limits.h>
#include <unistd.h>

enum { COMPILE_READ_CAPS = 16 }; /* what is read of a compiler's output, in caps, before it is killed */

static void stream_close(struct run_stream *s)
{
    loop_io_free(s->io);
    s->io = NULL;
    closep(&s->fd);
}

/* As stream_take(), but a stream beyond its cap is read on for a while. */
bool run_stream_take_ends(struct run_stream *s, const char *bytes, size_t len)
{
    if (run_ends_add(&s->ends, bytes, len) != 0) {
        s->out.truncated = true;
        return false;
    }
    if (run_ends_cut(&s->ends))
        s->step->over = s->out.truncated = true;
    return s->ends.seen <= s->cap * COMPILE_READ_CAPS;
}

/* Appends what fits under the cap; true while the stream is within it. */
static bool stream_take(struct run_stream *s, const char *bytes, size_t len)
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

static void kill_now(struct run_step *step, enum job_limit_hit why)
{
    if (step->run != NULL)
        jail_kill(step->run, why);
    else if (step->rt != NULL)
        run_warm_kill(step, why);
}

/* Reads what is there now, a bounded number of times. */
static void stream_drain(struct run_stream *s, int rounds)
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
        if (s->step->spec.compile ? !run_stream_take_ends(s, chunk, (size_t)n)
                                  : !stream_take(s, chunk, (size_t)n)) {
            s->step->over = true;
            stream_close(s);
            kill_now(s->step, JOB_HIT_OUTPUT);
        }
    }
}

static void on_readable(void *arg, int events)
{
    (void)events;
    stream_drain(arg, 4);
}

void run_stream_open(struct run_stream *s, int fd)
{
    s->fd = fd;
    s->io = loop_io_new(s->step->ctx.loop, fd, LOOP_READ, on_readable, s);
}

/* As it was before the step: for a second try. */
static void stream_reset(struct run_step *step, struct run_stream *s)
{
    *s = (struct run_stream){.step = step,
                             .fd = -1,
                             .cap = step->spec.limits->output_bytes,
                             .ends.cap = (size_t)step->spec.limits->output_bytes};
}

static void stream_done(struct run_stream *s)
{
    stream_close(s);
    buf_done(&s->out.bytes);
    run_ends_done(&s->ends);
}

static void step_free(struct run_step *step)
{
    for (size_t i = 0; i < COUNT_OF(step->streams); i++)
        stream_done(&step->streams[i]);
    closep(&step->build_bundle);
    free(step);
}

void run_step_finish(struct run_step *step, const struct jail_outcome *outcome, const struct err *err)
{
    struct run_step_result result = {.kept_fd = -1, .by_service = step->by_service};

    for (size_t i = 0; i < COUNT_OF(step->streams); i++)
        stream_drain(&step->streams[i],
                     INT_MAX); /* every writer is dead: a pipe's worth, however it is cut */
    if (outcome != NULL) {
        result.measure = outcome->measure;
        result.measure.processes_hit = outcome->processes_hit > 0;
        result.kept_fd = outcome->kept_fd;
        if (step->over && result.measure.hit == JOB_HIT_NONE)
            result.measure.hit = JOB_HIT_OUTPUT;
    }
    if (step->spec.compile && run_ends_take(&step->streams[0].ends, &step->streams[0].out.bytes) != 0)
        step->streams[0].out.truncated = true; /* no memory for it */
    result.out = step->streams[0].out;
    result.err = step->streams[1].out;
    memset(&step->streams[0].out, 0, sizeof(struct job_output));
    memset(&step->streams[1].out, 0, sizeof(struct job_output));
    step->done(step->arg, &result, err);
    buf_done(&result.out.bytes);
    buf_done(&result.err.bytes);
    step_free(step);
}

/* ---- a cell of its own ---------------------------------------------------------------- */

static void on_jail_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct run_step *step = arg;

    step->run = NULL;
    if (step->rt == NULL || !run_warm_zygote_end(step, err))
        run_step_finish(step, outcome, err);
}

static int add_bundles(struct run_step *step, struct jail_step *js, struct err *reterr)
{
    int rc = 0;

    if (step->spec.compile && step->build_bundle < 0)
        rc = warm_bundle(step->spec.plan, PLUGIN_PHASE_BUILD, &step->build_bundle, reterr);
    if (rc != 0)
        return err_add(reterr, "bundle of the compile step");
    if (step->build_bundle >= 0)
        js->bundles[js->bundle_count++] = step->build_bundle;
    for (unsigned i = 0; i < step->spec.bundle_count; i++)
        js->bundles[js->bundle_count++] = step->bundles[i];
    return 0;
}

static int open_streams(struct run_step *step, int theirs[2], struct err *reterr)
{
    for (size_t i = 0; i < (step->spec.compile ? 1 : COUNT_OF(step->streams)); i++) {
        int ours, rc = jail_output_pipe(&ours, &theirs[i], reterr);

        if (rc != 0)
            return rc;
        run_stream_open(&step->streams[i], ours);
    }
    return 0;
}

int run_step_launch(struct run_step *step, struct jail_run *zygote, struct err *reterr)
{
    const struct plugin_step *plan = step->spec.step;
    CLEAN_FD int in = -1;
    int out[2] = {-1, -1}, rc;
    struct jail_step js = {.stdin_fd = -1};

    for (size_t i = 0; i < COUNT_OF(step->streams); i++) {
        stream_done(&step->streams[i]);
        stream_reset(step, &step->streams[i]);
    }
    step->over = false;
    if ((rc = jail_memfd("stdin", step->spec.stdin_data, &in, reterr)) == 0 &&
        (rc = add_bundles(step, &js, reterr)) == 0 && (rc = open_streams(step, out, reterr)) == 0) {
        js.argv = (const char *const *)plan->argv;
        js.env = (const char *const *)plan->env;
        js.keep = (const char *const *)plan->keep;
        js.keep_bytes = step->spec.keep_bytes;
        js.stdin_fd = in;
        js.stdout_fd = out[0];
        js.stderr_fd = step->spec.compile ? out[0] : out[1];
        js.limits = step->spec.limits;
        js.extra_processes = plan->extra_processes;
        js.profile = (enum jail_profile)plan->profile;
        js.zygote = zygote;
        rc = jail_run(step->ctx.jail, &js, on_jail_done, step, &step->run, reterr);
    }
    closep(&out[0]);
    closep(&out[1]);
    return rc;
}

/* ---- start and end ----------------------------------------------------------------------- */

int run_step_start(const struct run_job_context *ctx, const struct run_step_spec *spec, run_step_fn done,
                   void *arg, struct run_step **ret, struct err *reterr)
{
    struct run_step *step = NEW(struct run_step);
    int rc;

    if (spec->bundle_count >= JAIL_BUNDLES_MAX) {
        free(step);
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles", spec->bundle_count);
    }
    step->ctx = *ctx;
    step->spec = *spec;
    for (unsigned i = 0; i < spec->bundle_count; i++)
        step->bundles[i] = spec->bundles[i];
    step->build_bundle = -1;
    step->done = done;
    step->arg = arg;
    for (size_t i = 0; i < COUNT_OF(step->streams); i++)
        stream_reset(step, &step->streams[i]);
    *ret = step;
    if (run_warm_start(step))
        return 0;
    rc = run_step_launch(step, NULL, reterr);
    if (rc != 0) {
        step_free(step);
        *ret = NULL;
    }
    return rc;
}

void run_step_kill(struct run_step *step, enum job_limit_hit why)
{
    step->killed = true;
    step->killed_for = why;
    if (step->ask != NULL)
        run_warm_kill(step, why);
    else
        kill_now(step, why);
}
