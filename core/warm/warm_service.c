/* warm_service.c - a compile service and one step: files and argv to it, then GO; output, kept files and the
 * exit code from it.
 *
 * A compiler that was taken over by an earlier source is what is feared here, so its answers are read as
 * those of a stranger: a kept file must lie where the step keeps files, and all of them together are held
 * to the bounds that execd-init would hold a cold step's to.  On any fault, and when the step's
 * time is over, the service ends, and the cold step says what is to be told. */
#include "warm_internal.h"

#include <endian.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTPUT_FRAME_MAX (1 << 20)
#define PATH_MAX_BYTES 1024

struct warm_service {
    struct warm_runtime *rt;
    struct warm_compile spec;
    warm_output_fn output;
    warm_compiled_fn done;
    void *arg;
    struct buf out; /* what is still to be sent, from `sent` on */
    size_t sent;
    struct jail_bundle *kept;
    uint64_t keep_left;
    unsigned files;
    uint64_t begun_ns;
    struct loop_timer *deadline;
};

void warm_service_free(struct warm_runtime *rt)
{
    struct warm_service *s = steal(&rt->service);

    if (s == NULL)
        return;
    loop_timer_free(s->deadline);
    jail_bundle_free(s->kept);
    buf_done(&s->out);
    free(s);
}

/* ---- the end ------------------------------------------------------------------------ */

static const char *const faults[WARM_MISS_COUNT] = {
    [WARM_MISS_FAULT] = "it answered what it may not",
    [WARM_MISS_DIED] = "it ended while it compiled",
};

/* A step that passes its limits is not the service's fault, but nothing else ends it; nor does a cancelled
 * one. */
void warm_service_fail(struct warm_runtime *rt, enum warm_miss why)
{
    warm_compiled_fn done = rt->service->done;
    void *arg = rt->service->arg;

    warm_service_free(rt);
    rt->users = 0;
    warm_count_miss(rt->pool, why);
    if (faults[why] == NULL)
        warm_pool_pause(rt->pool);
    warm_runtime_end(rt, faults[why]);
    done(arg, NULL);
}

void warm_abandon(struct warm_runtime *rt)
{
    warm_service_free(rt);
    rt->users = 0;
    warm_pool_pause(rt->pool);
    warm_runtime_end(rt, NULL);
}

static void on_deadline(void *arg)
{
    struct warm_service *s = arg;

    warm_service_fail(s->rt, WARM_MISS_TIMEOUT);
}

static void finish(struct warm_runtime *rt, int exit_code)
{
    struct warm_service *s = rt->service;
    struct warm_compiled c = {
        .exit_code = exit_code, .kept_fd = -1, .wall_ns = clock_mono_ns() - s->begun_ns};
    warm_compiled_fn done = s->done;
    void *arg = s->arg;
    struct err err = {0};

    if (exit_code == 0 && jail_bundle_seal(steal(&s->kept), &c.kept_fd, &err) != 0) {
        warm_service_fail(rt, WARM_MISS_FAULT);
        return;
    }
    warm_service_free(rt);
    warm_reader_refuse_all(&rt->reader);
    rt->users = 0;
    rt->state = WARM_IDLE;
    warm_pool_worked(rt->pool);
    if (!rt->proof)
        rt->pool->counts->steps[rt->pool->way]++;
    warm_turn_soon(rt->pool->warm);
    done(arg, &c);
}

/* ---- what it answers -------------------------------------------------------------------- */

/* Is it one of what the step keeps, or below one? */
static bool is_kept(const struct warm_service *s, const char *path)
{
    char *const *keep = s->spec.plan->build.keep;

    for (; keep != NULL && *keep != NULL; keep++) {
        size_t n = strlen(*keep);

        if (strncmp(path, *keep, n) == 0 && (path[n] == '\0' || path[n] == '/'))
            return true;
    }
    return false;
}

/* path, NUL, bytes */
static bool take_file(struct warm_service *s, struct bytes payload)
{
    size_t n = strnlen(payload.ptr, MIN(payload.len, (size_t)PATH_MAX_BYTES + 1));
    struct bytes body;
    struct err err = {0};

    if (n == 0 || n > PATH_MAX_BYTES || n == payload.len || !is_kept(s, payload.ptr))
        return false;
    body = (struct bytes){payload.ptr + n + 1, payload.len - n - 1};
    if (body.len > s->keep_left || s->files == FILES_MAX)
        return false;
    s->files++;
    s->keep_left -= body.len;
    return jail_bundle_file(s->kept, payload.ptr, body, 0644, &err) == 0;
}

static void set_bounds(struct warm_runtime *rt)
{
    struct warm_service *s = rt->service;

    warm_reader_refuse_all(&rt->reader);
    rt->reader.max[EXECD_FRAME_OUTPUT] = OUTPUT_FRAME_MAX;
    rt->reader.max[EXECD_FRAME_FILE] =
        (int64_t)MIN(s->keep_left + PATH_MAX_BYTES + 1, (uint64_t)EXECD_FRAME_MAX);
    rt->reader.max[EXECD_FRAME_EXIT] = sizeof(int32_t);
}

/* False: this step is over.  `more`: bytes that came behind the frame. */
static bool take(struct warm_runtime *rt, const struct warm_frame *f, size_t more)
{
    struct warm_service *s = rt->service;
    uint32_t code;

    switch (f->kind) {
    case EXECD_FRAME_OUTPUT:
        if (s->output(s->arg, f->payload.ptr, f->payload.len))
            return true;
        warm_service_fail(rt, WARM_MISS_TIMEOUT);
        return false;
    case EXECD_FRAME_FILE:
        if (take_file(s, f->payload)) {
            set_bounds(rt);
            return true;
        }
        break;
    case EXECD_FRAME_EXIT: /* the last word, and none before the question was heard */
        if (f->payload.len == sizeof(code) && s->sent == s->out.len && more == 0) {
            memcpy(&code, f->payload.ptr, sizeof(code));
            finish(rt, (int)(int32_t)le32toh(code));
            return false;
        }
        break;
    default:
        break;
    }
    warm_service_fail(rt, WARM_MISS_FAULT);
    return false;
}

void warm_service_hear(struct warm_runtime *rt, struct bytes in)
{
    struct warm_frame f;
    int rc;

    while ((rc = warm_reader_next(&rt->reader, &in, &f)) > 0)
        if (!take(rt, &f, in.len))
            return;
    if (rc < 0)
        warm_service_fail(rt, WARM_MISS_FAULT);
}

/* ---- the question ------------------------------------------------------------------------- */

static int put_question(struct buf *out, const struct plugin_plan *plan)
{
    const struct bytes none = {"", 0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < plan->file_count; i++) {
        const struct plugin_file *f = &plan->files[i];

        if ((f->phases & PLUGIN_PHASE_BUILD) != 0)
            rc = warm_frame_put(out, EXECD_FRAME_FILE, (struct bytes){f->path, strlen(f->path) + 1},
                                (struct bytes){f->body.data, f->body.len});
    }
    if (rc == 0)
        rc = warm_frame_put_words(out, EXECD_FRAME_ARGV, (const char *const *)plan->build.argv);
    return rc == 0 ? warm_frame_put(out, EXECD_FRAME_GO, none, none) : rc;
}

void warm_service_writable(struct warm_runtime *rt)
{
    struct warm_service *s = rt->service;
    ssize_t n = send(rt->sock, s->out.data + s->sent, s->out.len - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        warm_service_fail(rt, WARM_MISS_DIED);
        return;
    }
    s->sent += n > 0 ? (size_t)n : 0;
    loop_io_set(rt->sock_io, s->sent < s->out.len ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

int warm_compile(struct warm_runtime *rt, const struct warm_compile *c, warm_output_fn output,
                 warm_compiled_fn done, void *arg, struct err *reterr)
{
    struct warm_service *s = NEW(struct warm_service);
    int rc;

    s->rt = rt;
    s->spec = *c;
    s->output = output;
    s->done = done;
    s->arg = arg;
    s->keep_left = c->keep_bytes;
    s->kept = jail_bundle_new("kept");
    s->begun_ns = clock_mono_ns();
    s->deadline = loop_timer_new(rt->pool->warm->o.loop, on_deadline, s);
    rt->service = s;
    if ((rc = put_question(&s->out, c->plan)) != 0) {
        warm_count_miss(rt->pool, WARM_MISS_FAULT);
        warm_abandon(rt);
        return err_set(reterr, rc, "ask a compile service: %s", strerror(-rc));
    }
    loop_timer_arm(s->deadline, c->limits->wall_ms);
    set_bounds(rt);
    loop_io_set(rt->sock_io, LOOP_READ | LOOP_WRITE); /* from a later turn, so that done() is too */
    return 0;
}
