/* init_fuzz.c - execd-init: an order and bundles of a worker that says anything, then a box that a hostile
 * compiler left behind, of which files are kept.
 *
 * The real take_order() and prepare(), on a socketpair and over a folder instead of /box; the end of the
 * process is a jump back to here.  No program is started: the input makes what one could have left (links,
 * pipes, sockets, holes, deep folders).  Whatever comes: nothing beside the box changes, nothing beside it is
 * kept, and what is kept is a sealed bundle, within its bound, that can be unpacked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "box.h"

/* ---- the process that init thinks it is ----------------------------------------------------- */

static jmp_buf ended;
static int ctl[2] = {-1, -1}; /* init's end, the jailer's */

static void init_exit(int status) __attribute__((noreturn));
static void init_exit(int status)
{
    (void)status;
    longjmp(ended, 1);
}

static int init_open(const char *path, int flags)
{
    return strcmp(path, "/box") == 0 ? openat(box_base, "box", flags) : open(path, flags);
}

/* What init leaves to the end of its process, the target frees. */
static void *owned[4 * 4100];
static size_t owned_count;

static void *own(void *p)
{
    FUZZ_CHECK(p != NULL && owned_count < COUNT_OF(owned));
    return owned[owned_count++] = p;
}

static void owned_free(void)
{
    while (owned_count > 0)
        free(owned[--owned_count]);
}

#include "init.h"

#define main init_main
#define _exit(status) init_exit(status)
#define open(path, flags) init_open(path, flags)
#define mem_zero(n, size) own(mem_zero(n, size))
#define strndup(text, n) own(strndup(text, n))
#define CELL_FD_CTL ctl[0]
int init_main(int argc, char **argv);
#include "init.c"
#include "init_words.c"
#undef main
#undef _exit
#undef open
#undef mem_zero
#undef strndup

void init_exec_main(const struct init_exec *x)
{
    (void)x;
    abort();
}

int init_go(pid_t pid, const struct cell_order *bounds, int box, uint64_t *ret_begun_ns, uint64_t *ret_cpu_ns,
            struct err *reterr)
{
    (void)pid;
    (void)bounds;
    (void)box;
    (void)ret_begun_ns;
    (void)ret_cpu_ns;
    (void)reterr;
    abort();
}

const struct cell_filter *init_filter(unsigned profile)
{
    FUZZ_CHECK(profile >= 1 && profile <= CELL_PROFILES);
    return NULL;
}

/* ---- bundles --------------------------------------------------------------------------------- */

static void put(int fd, uint32_t kind, uint32_t mode, const char *path, const char *body)
{
    const struct cell_entry head = {CELL_ENTRY_MAGIC, kind, mode, (uint32_t)strlen(path), strlen(body)};

    FUZZ_CHECK(write(fd, &head, sizeof(head)) == sizeof(head));
    FUZZ_CHECK(write(fd, path, strlen(path)) >= 0 && write(fd, body, strlen(body)) >= 0);
}

/* Names that meet those of leave_one(), and others. */
static char *word(struct feed *f)
{
    static const char *const words[] = {"a",   "b",  "c", "d",      "a/b", "a/b/c",
                                        "b/a", "..", ".", "a/../b", "/",   ""};
    uint8_t which = feed_u8(f);

    return which < 0xe0 ? mem_printf("%s", words[which % COUNT_OF(words)]) : feed_text(f, 64);
}

/* Mostly entries of `first` and the two kinds behind it, whole and sealed; or bytes. */
static int bundle(struct feed *f, uint32_t first)
{
    uint8_t how = feed_u8(f);
    int fd;

    if (how >= 0xf0) {
        CLEAN_FREE char *bytes = feed_text(f, 255);

        return box_bundle(bytes, strlen(bytes), how != 0xff);
    }
    fd = box_bundle("", 0, false);
    for (int n = how % 8; n > 0 && f->left > 0; n--) {
        uint8_t what = feed_u8(f);
        CLEAN_FREE char *path = word(f);
        CLEAN_FREE char *body = word(f);

        put(fd, first + what % 3, what, path, body);
    }
    FUZZ_CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
    return fd;
}

/* ---- the order ------------------------------------------------------------------------------- */

/* The jailer's, so of the right form for the most part; what it says is a worker's. */
static void send_order(struct feed *f)
{
    struct cell_order order = {.keep_bytes = feed_u16(f)};
    uint8_t how = feed_u8(f);
    int fds[CELL_FDS_MAX + 2], want;
    size_t len = how < 0xfc ? sizeof(order) : feed_u8(f);

    order.profile = how < 0xf0 ? 1u + how % CELL_PROFILES : feed_u32(f);
    order.bundle_count = how < 0xf0 ? how / 16u % (CELL_BUNDLES_MAX + 1) : feed_u32(f);
    order.has_stdin = (how & 1) != 0;
    want = how < 0xf0 ? 3 + (int)order.bundle_count + order.has_stdin : feed_u8(f) % (CELL_FDS_MAX + 3);
    for (int i = 0; i < want; i++)
        fds[i] = i == 0 ? bundle(f, CELL_ENTRY_ARG) : bundle(f, CELL_ENTRY_FILE);
    if (how != 0xfb)
        (void)cell_message_send(ctl[1], &order, MIN(len, sizeof(order)), fds, (size_t)want, MSG_DONTWAIT);
    else
        shutdown(ctl[1], SHUT_RDWR); /* the jailer is gone */
    for (int i = 0; i < want; i++)
        close(fds[i]);
}

static void hear_news(void)
{
    struct cell_news news;
    size_t count;

    while (cell_message_recv(ctl[1], &news, sizeof(news), NULL, 0, &count, MSG_DONTWAIT) > 0) {
        FUZZ_CHECK(news.kind == CELL_NEWS_FAILED && news.err.code < 0);
        FUZZ_CHECK(memchr(news.err.text, '\0', sizeof(news.err.text)) != NULL && news.err.text[0] != '\0');
    }
}

/* ---- what a program left in the box ---------------------------------------------------------------- */

static void leave_one(struct feed *f, int *dir)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static const char *const targets[] = {"/", "..",   "../secret",      "../../secret",
                                          "a", "b/..", "/proc/self/root"};
    uint8_t what = feed_u8(f);
    const char *name = names[what / 16 % COUNT_OF(names)];
    CLEAN_FD int fd = -1;

    switch (what % 10) {
    case 0: /* one deeper */
        mkdirat(*dir, name, 0755);
        if ((fd = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
            closep(dir);
            *dir = steal_fd(&fd);
        }
        break;
    case 1:
        closep(dir);
        *dir = box_open();
        break;
    case 2:
        (void)!symlinkat(targets[feed_u8(f) % COUNT_OF(targets)], *dir, name);
        break;
    case 3:
        mkfifoat(*dir, name, 0644);
        break;
    case 4:
        mknodat(*dir, name, S_IFSOCK | 0644, 0);
        break;
    case 5:
        (void)!linkat(*dir, names[feed_u8(f) % COUNT_OF(names)], *dir, name, 0);
        break;
    case 6:
        unlinkat(*dir, name, feed_u8(f) < 0x80 ? 0 : AT_REMOVEDIR);
        break;
    case 7: /* a hole */
        fd = openat(*dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        (void)!ftruncate(fd, feed_u8(f) < 0xc0 ? feed_u16(f) : (off_t)1 << 40);
        break;
    default: {
        CLEAN_FREE char *body = feed_text(f, 255);

        fd = openat(*dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        (void)!write(fd, body, strlen(body));
        fchmod(fd, feed_u16(f) & 07777);
        break;
    }
    }
}

static void leave(struct feed *f)
{
    int dir = box_open();

    for (int i = 0; i < 64 && f->left > 0; i++)
        leave_one(f, &dir);
    closep(&dir);
}

/* ---- what is kept of it ------------------------------------------------------------------------------ */

static bool asked_for(char *const *paths, const struct cell_entry_view *e)
{
    for (; *paths != NULL; paths++) {
        size_t len = strlen(*paths);

        if (e->head.path_len >= len && memcmp(e->path, *paths, len) == 0 &&
            (e->head.path_len == len || e->path[len] == '/'))
            return true;
    }
    return false;
}

/* Plans with other paths are refused by the host (plugin_path_fault()); here they lead nowhere, and that is
 * all. */
static bool host_sends(char *const *paths)
{
    for (; *paths != NULL; paths++)
        for (const char *p = *paths;; p++) {
            size_t n = strcspn(p, "/");

            if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                return false;
            if (*(p += n) == '\0')
                break;
        }
    return true;
}

static void kept_holds(int fd, char *const *paths, uint64_t max)
{
    struct cell_entry_view e;
    struct bytes bundle;
    struct err err = {0};
    uint64_t sum = 0;
    size_t at = 0;
    int rc, box;

    FUZZ_CHECK(cell_bundle_map(fd, &bundle, &err) == 0);
    while ((rc = cell_entry_next(bundle, &at, &e)) == 1) {
        FUZZ_CHECK(e.head.kind == CELL_ENTRY_FILE || e.head.kind == CELL_ENTRY_DIR);
        FUZZ_CHECK((e.head.mode & ~0777u) == 0 && asked_for(paths, &e));
        sum += e.head.body_len;
    }
    FUZZ_CHECK(rc == 0 && sum <= max);
    FUZZ_CHECK(bundle.len == 0 || memmem(bundle.ptr, bundle.len, BOX_SECRET, sizeof(BOX_SECRET)) == NULL);
    cell_bundle_unmap(&bundle);
    box_empty(box_open());
    box = box_open();
    FUZZ_CHECK(init_unpack(box, fd, &err) == 0 || !host_sends(paths));
    close(box);
}

static void keep_holds(struct run *r)
{
    char *const usual[] = {(char *)(uintptr_t) "a", NULL};
    char *const *paths = r->keep[0] != NULL ? r->keep : usual;
    struct err err = {0};
    int fd = -1;

    if (init_keep(r->box, paths, r->order.keep_bytes, &fd, &err) == 0)
        kept_holds(fd, paths, r->order.keep_bytes);
    else
        FUZZ_CHECK(fd == -1 && err.code < 0 && err.text[0] != '\0');
    closep(&fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r; /* what it holds after the jump is what is closed */
    static struct feed f;
    unsigned before;

    box_make();
    before = fuzz_open_fds();
    f = (struct feed){data, size};
    r = (struct run){.box = -1, .stdin_fd = -1};
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) == 0);
    send_order(&f);
    if (setjmp(ended) == 0) {
        take_order(&r);
        prepare(&r);
        if (!r.order.has_stdin)
            closep(&r.stdin_fd);
        leave(&f);
        keep_holds(&r);
    }
    hear_news();
    cell_bundle_unmap(&r.args);
    for (size_t i = 0; i < r.fd_count; i++)
        closep(&r.fds[i]);
    closep(&r.box);
    closep(&ctl[0]);
    closep(&ctl[1]);
    owned_free();
    box_empty(box_open());
    FUZZ_CHECK(box_was_all());
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
