/* bundle_fuzz.c - bundles and datagrams: walked, unpacked into a box, written and read back.
 *
 * The first byte picks: the bytes as a bundle, as a file that is put into one, or as a message with
 * descriptors. Whatever a bundle holds, nothing beside its box may change. */
#include <sys/mman.h>
#include <sys/socket.h>

#include "box.h"
#include "cell/cell.h"
#include "init.h"
#include "jail_internal.h"

/* ---- bundles -------------------------------------------------------------------------------- */

static bool walk_holds(const char *bytes, size_t len)
{
    struct cell_entry_view e;
    size_t at = 0, before = 0;
    int rc;

    while ((rc = cell_entry_next((struct bytes){bytes, len}, &at, &e)) == 1) {
        FUZZ_CHECK(at > before && at <= len && e.path >= bytes && e.body + e.head.body_len == bytes + at);
        before = at;
    }
    FUZZ_CHECK(rc == 0 ? at == len : rc == -EBADMSG);
    return rc == 0;
}

static void bundle_holds(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    bool good = walk_holds(copy, size);
    CLEAN_FD int fd = box_bundle(copy, size, true);
    int box = box_open();
    struct err err = {0};

    if (init_unpack(box, fd, &err) == 0)
        FUZZ_CHECK(good);
    else
        FUZZ_CHECK(err.code < 0 && memchr(err.text, '\0', sizeof(err.text)) != NULL);
    box_empty(box);
    FUZZ_CHECK(box_was_all());
    free(copy);
}

/* ---- a file on its way ------------------------------------------------------------------------ */

static void file_holds(struct feed *f)
{
    CLEAN_FREE char *path = feed_text(f, 255);
    char *body = fuzz_copy(f->p, f->left);
    struct jail_bundle *b = jail_bundle_new("file");
    CLEAN_FD int fd = -1;
    struct cell_entry_view e;
    struct bytes bundle;
    struct err err = {0};
    size_t at = 0;

    if (jail_bundle_file(b, path, (struct bytes){body, f->left}, 0644, &err) != 0) {
        FUZZ_CHECK(err.code == ERR_REQUEST);
        jail_bundle_free(b);
        free(body);
        return;
    }
    FUZZ_CHECK(path[0] != '/' && strstr(path, "//") == NULL && strcmp(path, "..") != 0);
    FUZZ_CHECK(jail_bundle_seal(b, &fd, &err) == 0 && cell_bundle_map(fd, &bundle, &err) == 0);
    FUZZ_CHECK(cell_entry_next(bundle, &at, &e) == 1 && at == bundle.len);
    FUZZ_CHECK(e.head.path_len == strlen(path) && memcmp(e.path, path, e.head.path_len) == 0);
    FUZZ_CHECK(e.head.body_len == f->left && memcmp(e.body, body, f->left) == 0);
    cell_bundle_unmap(&bundle);
    free(body);
}

/* ---- a datagram with descriptors ----------------------------------------------------------------- */

static void message_holds(struct feed *f)
{
    size_t want = 1 + feed_u8(f) % 64, sent = feed_u8(f) % 18, take = feed_u8(f) % 17, count = 99;
    int ends[2], fds[18], got[17];
    char *bytes = fuzz_copy(f->p, f->left), *body = fuzz_copy("", 0);
    ssize_t n;
    int rc;

    free(body);
    body = mem_zero(1, want);
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    for (size_t i = 0; i < sent; i++)
        fds[i] = ends[i % 2];
    rc = cell_message_send(ends[0], bytes, f->left, fds, sent, MSG_DONTWAIT);
    FUZZ_CHECK((rc == -E2BIG) == (sent > 16));
    n = cell_message_recv(ends[1], body, want, got, take, &count, MSG_DONTWAIT);
    if (rc == 0 && f->left == want) {
        FUZZ_CHECK(n == (ssize_t)want && count == MIN(sent, take) && memcmp(body, bytes, want) == 0);
    } else {
        FUZZ_CHECK(n < 0 || (n == 0 && f->left == 0));
        FUZZ_CHECK(count == 0);
    }
    for (size_t i = 0; i < count; i++)
        close(got[i]);
    close(ends[0]);
    close(ends[1]);
    free(bytes);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    unsigned before;

    box_make();
    before = fuzz_open_fds();
    switch (feed_u8(&f) % 3) {
    case 0:
        bundle_holds(f.p, f.left);
        break;
    case 1:
        file_holds(&f);
        break;
    default:
        message_holds(&f);
        break;
    }
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
