/* warm_fuzz.c - what a compile service may answer: one that was taken over by what it compiled.
 *
 * The first byte is the length of the pieces that come, the second how many bytes the step may keep, in
 * hundreds.  The step ends once, or waits for more; what is kept lies where the step keeps files and is
 * within its bound; what comes behind the end, or in front of a question, is never taken for an answer. */
#include <sys/socket.h>

#include "cell/cell.h"
#include "fuzz.h"
#include "warm_internal.h"

static struct loop *loop;
static unsigned ended, killed;
static uint64_t keep_bytes;

/* ---- the rest of warm/, which needs cells -------------------------------------------------- */

void warm_runtime_end(struct warm_runtime *rt, const char *failed)
{
    (void)failed;
    killed++;
    rt->state = WARM_ENDING;
}

void warm_count_miss(const struct warm_pool *pool, enum warm_miss why)
{
    (void)pool;
    FUZZ_CHECK(why < WARM_MISS_COUNT);
}

void warm_pool_pause(struct warm_pool *pool)
{
    (void)pool;
}

void warm_pool_worked(struct warm_pool *pool)
{
    (void)pool;
}

void warm_turn_soon(struct warm *w)
{
    (void)w;
}

/* ---- the step ------------------------------------------------------------------------------- */

static bool on_output(void *arg, const char *bytes, size_t len)
{
    size_t *said = arg;

    FUZZ_CHECK(ended == 0 && bytes != NULL);
    *said += len;
    return *said < 1000;
}

static bool may_keep(const struct cell_entry_view *e)
{
    const char *path = e->path;
    size_t len = e->head.path_len;

    return (len == 3 && memcmp(path, "out", 3) == 0) || (len > 4 && memcmp(path, "out/", 4) == 0) ||
           (len == 5 && memcmp(path, "lib/x", 5) == 0) || (len > 6 && memcmp(path, "lib/x/", 6) == 0);
}

static void check_kept(int fd)
{
    struct cell_entry_view e;
    struct bytes bundle;
    struct err err = {0};
    uint64_t total = 0;
    size_t at = 0;
    int rc;

    FUZZ_CHECK(cell_bundle_map(fd, &bundle, &err) == 0);
    while ((rc = cell_entry_next(bundle, &at, &e)) == 1) {
        FUZZ_CHECK(e.head.kind == CELL_ENTRY_FILE && e.head.mode == 0644 && may_keep(&e));
        FUZZ_CHECK(memmem(e.path, e.head.path_len, "..", 2) == NULL ||
                   memmem(e.path, e.head.path_len, "/../", 4) == NULL);
        total += e.head.body_len;
    }
    FUZZ_CHECK(rc == 0 && total <= keep_bytes);
    cell_bundle_unmap(&bundle);
}

static void on_compiled(void *arg, const struct warm_compiled *c)
{
    (void)arg;
    ended++;
    FUZZ_CHECK((c == NULL) == (killed == 1));
    if (c == NULL)
        return;
    FUZZ_CHECK((c->kept_fd >= 0) == (c->exit_code == 0));
    if (c->kept_fd >= 0) {
        check_kept(c->kept_fd);
        close(c->kept_fd);
    }
}

static void question(struct warm_runtime *rt, size_t *said)
{
    static char *argv[] = {(char *)(uintptr_t) "/bin/cc", NULL};
    static char *keep[] = {(char *)(uintptr_t) "out", (char *)(uintptr_t) "lib/x", NULL};
    static struct plugin_plan plan = {.build = {.present = true, .argv = argv, .keep = keep}};
    static const struct job_limits limits = {.wall_ms = 1000000};
    const struct warm_compile c = {.plan = &plan, .limits = &limits, .keep_bytes = keep_bytes};
    struct err err = {0};

    FUZZ_CHECK(warm_compile(rt, &c, on_output, on_compiled, said, &err) == 0);
    warm_service_writable(rt);
}

static void answer(struct warm_runtime *rt, struct feed *f, size_t piece)
{
    while (f->left > 0 && rt->service != NULL) {
        size_t n = MIN(piece, f->left);
        char *copy = fuzz_copy(f->p, n);

        f->p += n;
        f->left -= n;
        warm_service_hear(rt, (struct bytes){copy, n});
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    size_t piece = 1 + feed_u8(&f), said = 0;
    struct warm w = {.o = {.loop = NULL}};
    struct warm_language counts = {.id = 1};
    struct warm_pool pool = {.warm = &w, .counts = &counts, .way = WARM_WAY_SERVICE};
    struct warm_runtime rt = {.pool = &pool, .state = WARM_BUSY, .users = 1};
    struct err err = {0};
    unsigned before;
    int ends[2];

    if (loop == NULL)
        FUZZ_CHECK(loop_new(&loop, &err) == 0);
    before = fuzz_open_fds();
    w.o.loop = loop;
    ended = killed = 0;
    keep_bytes = feed_u8(&f) * UINT64_C(100);
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    rt.sock = ends[0];
    rt.sock_io = loop_io_new(loop, ends[0], LOOP_READ, NULL, NULL);
    question(&rt, &said);
    answer(&rt, &f, piece);
    FUZZ_CHECK(ended <= 1 && killed <= 1 && (rt.service == NULL) == (ended == 1));
    FUZZ_CHECK(ended == 0 || rt.state == (killed == 1 ? WARM_ENDING : WARM_IDLE));
    FUZZ_CHECK(killed == 1 || counts.steps[WARM_WAY_SERVICE] == ended);
    warm_service_free(&rt);
    warm_reader_done(&rt.reader);
    loop_io_free(rt.sock_io);
    close(ends[0]);
    close(ends[1]);
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
