/* jailer_fuzz.c - the jailer against a worker that says anything, which is what a broken-into worker is.
 *
 * The real program, but for its main() and its cells (jailer_cell.c): GROUPS and HELLO from the input, then
 * messages, turns of its loop, and cells that become ready or end, in the input's order.  No privilege is
 * needed and no process is made.  Whatever comes: every START is answered exactly once, and every descriptor
 * is closed. */
#include <sys/mman.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "jailer_cell.h"

#define main jailer_main
int jailer_main(int argc, char **argv);
#include "jailer.c"
#undef main

#define ROUNDS_MAX 200

static uint64_t now_ns;
static unsigned asked, answered; /* STARTs, and DONE or FAILED */

static int bundle(struct feed *f)
{
    bool seal = feed_u8(f) < 0xf0;
    size_t wanted = feed_length(f, 1, 255), len = MIN(wanted, f->left);
    int fd = memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    FUZZ_CHECK(fd >= 0 && write(fd, f->p, len) == (ssize_t)len);
    f->p += len;
    f->left -= len;
    if (seal)
        FUZZ_CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
    return fd;
}

/* Mostly what execd sends: as many descriptors as are announced; if `any`, anything. */
static void groups(struct feed *f, int worker, bool any)
{
    struct jail_message m = {.type = JAIL_GROUPS};
    int fds[CG_COUNT + 2];
    size_t count = 0;

    m.u.groups = CGROUPS_NONE;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = worker;
    if (any) {
        count = feed_u8(f) % (COUNT_OF(fds) + 1);
        for (size_t i = 0; i < MIN(count, (size_t)CG_COUNT); i++)
            m.u.groups.bases[i] = 3;
        if (feed_u8(f) >= 0x80)
            feed_fill(f, &m.u.groups, feed_length(f, 1, sizeof(m.u.groups)));
        if (feed_u8(f) >= 0xe0)
            m.type = feed_u8(f);
    }
    (void)cell_message_send(worker, &m, sizeof(m), fds, count, MSG_DONTWAIT);
}

static void hello(struct feed *f, int worker)
{
    struct jail_message m = {.type = feed_u8(f) < 0xf0 ? JAIL_HELLO : feed_u8(f)};
    int fd = bundle(f);

    m.u.hello.version = feed_u8(f) < 0xf0 ? JAIL_PROTOCOL_VERSION : feed_u32(f);
    m.u.hello.cells = feed_u8(f) < 0xc0 ? 1 + feed_u8(f) % 8u : feed_u32(f);
    m.u.hello.spare = feed_u8(f) < 0xc0 ? 1 + feed_u8(f) % 4u : feed_u32(f);
    m.u.hello.uid_base = feed_u32(f);
    (void)cell_message_send(worker, &m, sizeof(m), &fd, feed_u8(f) < 0xf0, MSG_DONTWAIT);
    close(fd);
}

static void say(struct feed *f, int worker)
{
    /* by name, so that an input goes on meaning what it meant */
    static const uint32_t types[16] = {
        0,         JAIL_HELLO, JAIL_READY, JAIL_REFUSED, JAIL_START,  JAIL_KILL,  JAIL_DONE,  JAIL_FAILED,
        JAIL_PING, JAIL_PONG,  JAIL_START, JAIL_START,   JAIL_GROUPS, JAIL_START, JAIL_START, JAIL_GO};
    struct jail_message m = {.type = types[feed_u8(f) % 16], .id = feed_u8(f) % 16};
    uint8_t how = feed_u8(f);
    size_t len = how < 0xf8 ? sizeof(m) : feed_u16(f) % sizeof(m);
    int fds[16];

    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = worker;
    if (how < 0x80) { /* one that may make sense */
        m.u.order.bundle_count = feed_u8(f) % 6;
        m.u.order.profile = feed_u8(f) % 5;
        m.u.order.has_stdin = (how & 1) != 0;
        m.u.order.has_warm = (how & 2) != 0;
        m.u.order.flags = (how & 4) != 0 ? CELL_WAITS : (how & 8) != 0 ? CELL_ZYGOTE : 0;
        m.u.order.zygote = (how & 0x1c) == 0x10 ? m.id / 2 : 0;
        how = (uint8_t)(m.type == JAIL_GO ? m.u.order.bundle_count + 1
                                          : 3 + m.u.order.bundle_count + (how & 1) + (how >> 1 & 1));
        if (m.type == JAIL_KILL)
            m.u.why = feed_u8(f) % 8;
    } else {
        feed_fill(f, &m.u, feed_length(f, 4, sizeof(m.u)));
    }
    if (cell_message_send(worker, &m, len, fds, how % 17, MSG_DONTWAIT) == 0 && len == sizeof(m))
        asked += m.type == JAIL_START;
}

static void hear_answers(int worker)
{
    for (;;) {
        struct jail_message m;
        int fds[4];
        size_t count;
        ssize_t n = cell_message_recv(worker, &m, sizeof(m), fds, COUNT_OF(fds), &count, MSG_DONTWAIT);

        if (n <= 0)
            return;
        answered += m.type == JAIL_DONE || m.type == JAIL_FAILED;
        FUZZ_CHECK(m.type != JAIL_FAILED || (m.u.err.code < 0 && m.u.err.text[0] != '\0'));
        FUZZ_CHECK(m.type != JAIL_DONE || m.u.done.measure.hit <= JOB_HIT_OUTPUT);
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
    }
}

static void turn(struct jailer *j, int worker)
{
    if (!j->closing)
        read_worker(j);
    (void)jailer_turn(j, now_ns += 1000000000); /* so that every pause is over */
    hear_answers(worker);
}

/* Whoever was asked and not told otherwise ends everything: then nobody is owed an answer. */
static void finish(struct jailer *j, int worker)
{
    bool heard_all = !j->closing;

    fake_cells_fail = fake_cells_slow = false;
    for (int i = 0; i < ROUNDS_MAX && !j->closing && (i == 0 || asked != answered); i++) {
        for (unsigned n = fake_cell_count(); n > 0; n--)
            fake_cell_advance(n - 1);
        turn(j, worker);
    }
    FUZZ_CHECK(!heard_all || j->closing || asked == answered);
    FUZZ_CHECK(answered <= asked);
    jailer_kill_all(j);
    j->closing = true;
    turn(j, worker);
    FUZZ_CHECK(j->living == 0 && fake_cell_count() == 0);
    for (size_t i = 0; i < JAIL_CELLS_MAX;
         i++) /* a START that waits when all ends is the kernel's to clear up */
        for (size_t k = 0; k < j->runs[i].fd_count; k++)
            closep(&j->runs[i].fds[k]);
}

static void serve_input(struct feed *f, struct jailer *j, int worker)
{
    FUZZ_CHECK(j->cells >= 1 && j->cells + (uint64_t)j->spare <= JAIL_CELLS_MAX / 2);
    for (int i = 0; i < ROUNDS_MAX && f->left > 0; i++) {
        uint8_t what = feed_u8(f);

        if (what < 0xa0)
            say(f, worker);
        else if (what < 0xe0)
            fake_cell_advance(feed_u8(f));
        else
            fake_cells_fail = what >= 0xf8;
        if (what % 4 != 0)
            turn(j, worker);
    }
    turn(j, worker);
    finish(j, worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    struct jailer *j = NEW(struct jailer);
    struct err err = {0};
    unsigned before = fuzz_open_fds();
    uint8_t how;
    int ends[2];

    fake_cells_fail = fake_cells_slow = false;
    asked = answered = 0;
    now_ns = 0;
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    j->socket = ends[0];
    how = feed_u8(&f);
    if (how < 0xf8) {
        groups(&f, ends[1], how >= 0xd0);
        hello(&f, ends[1]);
    } else {
        shutdown(ends[1], SHUT_RDWR);
    }
    if (jailer_open(j, &err) == 0) {
        hear_answers(ends[1]);
        fake_cells_slow = feed_u8(&f) < 0x80;
        serve_input(&f, j, ends[1]);
    } else {
        FUZZ_CHECK(err.code < 0 && err.text[0] != '\0');
    }
    cell_host_free(j->host);
    free(j);
    close(ends[0]);
    close(ends[1]);
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
