/* jail_fuzz.c - the worker's end against a jailer that says anything: the handshake, then answers to runs.
 *
 * A jailer holds every privilege, so this is no border of trust; it is one of robustness: every run is
 * answered once, no descriptor is lost, nothing unterminated is believed. */
#include <sys/socket.h>

#include "fuzz.h"

#include "jail_spawn.c" /* for the handshake, which has no door of its own */

#define RUNS 4

static struct loop *loop;
static unsigned answers[RUNS];

static void on_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    const unsigned *n = arg;

    ++answers[n - answers];
    FUZZ_CHECK((outcome == NULL) == (err != NULL));
    if (err != NULL) {
        FUZZ_CHECK(err->code < 0 && memchr(err->text, '\0', sizeof(err->text)) != NULL);
        return;
    }
    FUZZ_CHECK(outcome->measure.ran || !outcome->measure.ran); /* a bool that is one */
    FUZZ_CHECK(outcome->measure.oom || !outcome->measure.oom);
    FUZZ_CHECK(outcome->measure.processes_hit || !outcome->measure.processes_hit);
    FUZZ_CHECK(outcome->measure.box_hit || !outcome->measure.box_hit);
    FUZZ_CHECK(outcome->measure.hit <= JOB_HIT_OUTPUT);
    if (outcome->kept_fd >= 0)
        close(outcome->kept_fd);
}

/* One message of the jailer's: mostly whole, with descriptors it may or may not announce. */
static void say(struct feed *f, int jailer, uint32_t type)
{
    /* by name, so that an input goes on meaning what it meant */
    static const uint32_t types[12] = {0,          JAIL_HELLO, JAIL_READY,  JAIL_REFUSED,
                                       JAIL_START, JAIL_KILL,  JAIL_DONE,   JAIL_FAILED,
                                       JAIL_PING,  JAIL_PONG,  JAIL_GROUPS, 99};
    struct jail_message *m = mem_zero(1, sizeof(*m));
    uint8_t how = feed_u8(f);
    size_t len = how < 0xf0 ? sizeof(*m) : feed_u16(f) % (2 * sizeof(*m));
    char *bytes = mem_zero(1, MAX(len, sizeof(*m)));
    int fds[3] = {jailer, jailer, jailer};

    m->type = type != 0 ? type : types[feed_u8(f) % COUNT_OF(types)];
    m->id = feed_u8(f) % (RUNS + 2);
    feed_fill(f, &m->u, feed_length(f, 4, sizeof(m->u)));
    memcpy(bytes, m, sizeof(*m));
    (void)cell_message_send(jailer, bytes, len, fds, how % 4, MSG_DONTWAIT);
    free(bytes);
    free(m);
}

static void ask(struct jail *j, size_t n)
{
    static const char *const argv[] = {"/bin/true", NULL};
    static const struct job_limits limits = {.wall_ms = 1000};
    const struct jail_step step = {.argv = argv,
                                   .stdin_fd = -1,
                                   .stdout_fd = STDERR_FILENO,
                                   .stderr_fd = STDERR_FILENO,
                                   .limits = &limits,
                                   .profile = JAIL_PROFILE_STRICT};
    struct jail_run *run;
    struct err err = {0};

    FUZZ_CHECK(jail_run(j, &step, on_done, &answers[n], &run, &err) == 0);
}

/* ---- the handshake ---------------------------------------------------------------------- */

static void facts_hold(const struct jail_facts *f)
{
    FUZZ_CHECK(memchr(f->detail, '\0', sizeof(f->detail)) != NULL);
    FUZZ_CHECK(memchr(f->cgroup_root, '\0', sizeof(f->cgroup_root)) != NULL);
    FUZZ_CHECK(f->as_root || !f->as_root);
}

static void handshake_holds(struct feed *f, struct jail *j, int *jailer)
{
    const struct jail_options o = {
        .cells = RUNS, .spare = 1, .root_fd = STDERR_FILENO, .accept_missing = UINT32_MAX};
    struct cgroup_place place = {.groups = CGROUPS_NONE, .facts.detail = "none"};
    struct jail_process process = {.fd = -1, .pid = -1, .place = &place};
    struct err err = {0};

    if (feed_u8(f) < 0xf0)
        say(f, *jailer, feed_u8(f) < 0xc0 ? JAIL_READY : 0);
    else
        closep(jailer);
    j->process = &process;
    if (shake_hands(j, &o, &err) == 0) {
        facts_hold(jail_facts(j));
    } else {
        FUZZ_CHECK(err.code < 0 && memchr(err.text, '\0', sizeof(err.text)) != NULL);
    }
}

/* ---- answers -------------------------------------------------------------------------------- */

static void answers_hold(struct feed *f, struct jail *j, int *jailer)
{
    for (size_t i = 0; i < RUNS; i++)
        ask(j, i);
    while (f->left > 0 && !j->lost) {
        say(f, *jailer, 0);
        jail_read(j);
        if (feed_u8(f) == 0xff)
            jail_watch(j);
    }
    for (size_t i = 0; i < RUNS; i++)
        FUZZ_CHECK(answers[i] <= 1);
    closep(jailer);
    for (int i = 0; i < 64 && !j->lost; i++)
        jail_read(j);
    for (size_t i = 0; i < RUNS; i++)
        FUZZ_CHECK(answers[i] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    struct jail *j = NEW(struct jail);
    struct err err = {0};
    bool handshake = feed_u8(&f) >= 0xa0;
    unsigned before;
    int ends[2];

    if (loop == NULL)
        FUZZ_CHECK(loop_new(&loop, &err) == 0);
    before = fuzz_open_fds();
    memset(answers, 0, sizeof(answers));
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    j->loop = loop;
    j->fd = ends[0];
    j->cells = RUNS;
    TAILQ_INIT(&j->runs);
    j->watchdog = loop_timer_new(loop, jail_watch, j);
    j->io = loop_io_new(loop, j->fd, LOOP_READ, on_message, j);
    if (handshake)
        handshake_holds(&f, j, &ends[1]);
    else
        answers_hold(&f, j, &ends[1]);
    loop_io_free(j->io);
    loop_timer_free(j->watchdog);
    closep(&j->fd);
    closep(&ends[1]);
    free(j);
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
