/* cell_fuzz.c - the jailer's ear for a cell, whose init may have been taken over: news in any order and form.
 *
 * The real cell.c on a socketpair, with a cgroup and a process that are none.  Whatever init says: the text
 * is terminated, no descriptor is lost, and the result of a program is taken once, after it was started.
 * Beside that, the limits of a START: what is let through has no sum that wraps. */
#include "fuzz.h"

#include "cell.c"

/* ---- a cgroup that is none -------------------------------------------------------------- */

struct cgroup {
    unsigned frees;
};

int cgroup_new(struct cgroups *g, struct cgroup **ret, struct err *reterr)
{
    (void)g;
    (void)ret;
    return err_set(reterr, ERR_INTERNAL, "not here");
}

int cgroup_clone_fd(const struct cgroup *c)
{
    (void)c;
    return -1;
}

int cgroup_oom_fd(const struct cgroup *c, short *events)
{
    (void)c;
    *events = 0;
    return -1;
}

int cgroup_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr)
{
    (void)c;
    (void)l;
    return err_set(reterr, ERR_INTERNAL, "not here");
}

int cgroup_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr)
{
    (void)c;
    (void)reterr;
    *ret = (struct cgroup_usage){.cpu_ns = 1000, .memory_peak = 4096};
    return 0;
}

void cgroup_kill(struct cgroup *c)
{
    (void)c;
}

void cgroup_unthrottle(struct cgroup *c)
{
    (void)c;
}

void cgroup_oom_ack(struct cgroup *c)
{
    (void)c;
}

bool cgroup_free(struct cgroup *c)
{
    free(c);
    return true;
}

int cgroup_join(const struct cgroup *c)
{
    (void)c;
    abort();
}

size_t cgroup_join_fds(const struct cgroup *c, int ret[CG_COUNT])
{
    (void)c;
    (void)ret;
    abort();
}

void cell_setup_main(const struct cell_child *in)
{
    (void)in;
    abort();
}

/* ---- limits, which are a worker's word ------------------------------------------------------ */

static void limits_hold(struct feed *f)
{
    struct job_limits l;
    struct err err = {0};
    uint32_t extra = feed_u32(f);

    feed_fill(f, &l, sizeof(l));
    if (check_limits(&l, &err) != 0) {
        FUZZ_CHECK(err.code < 0 && err.text[0] != '\0');
        return;
    }
    FUZZ_CHECK(l.memory_bytes > 0 && l.box_bytes > 0 && l.box_inodes > 0);
    FUZZ_CHECK(l.processes + extra + INIT_PROCESSES > l.processes);
    FUZZ_CHECK(l.wall_ms * 1000000u / 1000000u == l.wall_ms && l.cpu_ms * 1000000u / 1000000u == l.cpu_ms);
    FUZZ_CHECK(clock_mono_ns() + l.wall_ms * 1000000u > l.wall_ms * 1000000u);
}

/* ---- news ----------------------------------------------------------------------------------- */

static void say(struct feed *f, int init)
{
    struct cell_news news = {.kind = feed_u8(f) % 7};
    uint8_t how = feed_u8(f);
    size_t len = how < 0xf0 ? sizeof(news) : feed_u16(f) % sizeof(news);
    const int fds[3] = {init, init, init};

    feed_fill(f, (char *)&news + sizeof(news.kind), feed_length(f, 2, sizeof(news) - sizeof(news.kind)));
    (void)cell_message_send(init, &news, len, fds, how % 4, MSG_DONTWAIT);
}

static void result_holds(struct cell *c)
{
    struct cell_result r;

    cell_result_take(c, &r);
    FUZZ_CHECK(memchr(r.err.text, '\0', sizeof(r.err.text)) != NULL);
    FUZZ_CHECK(r.err.code <= 0);
    FUZZ_CHECK(r.measure.hit <= JOB_HIT_OUTPUT);
    closep(&r.kept_fd);
}

static void hear(struct feed *f, struct cell *c, int init)
{
    while (f->left > 0 && c->ctl >= 0) {
        struct cell_result before = c->result;
        bool exited = c->exited;

        say(f, init);
        if (feed_u8(f) < 0x20 && c->state == CELL_READY) { /* as cell_start() leaves it */
            closep(&c->fs);
            c->state = CELL_RUNNING;
            c->started = true;
        }
        cell_on_polls(c, (struct pollfd[CELL_POLLS]){{.revents = POLLIN}});
        FUZZ_CHECK(!c->exited || c->started); /* a program that was not started did not end */
        FUZZ_CHECK(!exited || c->result.measure.exit_code == before.measure.exit_code); /* fixed by then */
        (void)cell_check_deadlines(c, clock_mono_ns());
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    struct cell_host host = {.cores = 1};
    struct cell *c;
    unsigned before = fuzz_open_fds();
    int ends[2];

    if (size > 0 && data[0] == 0xfe) { /* else the first byte of what init says */
        feed_u8(&f);
        limits_hold(&f);
        return 0;
    }
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    c = NEW(struct cell);
    c->host = &host;
    c->cgroup = NEW(struct cgroup);
    c->ctl = ends[0];
    c->forked = size % 4 == 1;
    c->zygote = size % 4 == 2;
    c->pidfd = c->fs = c->request = c->result.kept_fd = -1;
    c->wall_end_ns = c->cpu_limit_ns = UINT64_MAX;
    hear(&f, c, ends[1]);
    if (c->started)
        measure(c);
    c->state = CELL_DEAD;
    result_holds(c);
    FUZZ_CHECK(cell_free(c));
    close(ends[1]);
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
