/* cache.c - values kept open, and the turns of the disk (theory of operation: cache.h). */
#include "cache_internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"

#define HOT_BYTES_MAX (16u << 20) /* of the bodies that are kept open */
#define WRITING_MAX (32u << 20)   /* bytes on their way to a slow disk; what comes then is not kept */

struct hot {
    TAILQ_ENTRY(hot) link;
    unsigned char key[CACHE_KEY_SIZE];
    struct buf note;
    int fd;
    size_t len;
};

struct write { /* of one value, or a trim, by a helper */
    TAILQ_ENTRY(write) link;
    struct cache *cache;
    struct cache_value value;
    uint64_t bytes; /* out: of the file, or of the folder */
    int rc;
};

struct cache {
    struct loop *loop;
    int folder;
    uint64_t bytes_max;
    TAILQ_HEAD(hot_list, hot) hot; /* the last used first */
    size_t hot_count, hot_bytes;
    TAILQ_HEAD(write_list, write) writes; /* what helpers have */
    size_t writing;                       /* bytes of them */
    uint64_t bytes;                       /* in the folder, as far as we know */
    uint64_t written;                     /* since we looked */
    bool trimming;
    bool failing; /* the disk, and that was said */
    uint64_t values_max;
};

/* ---- the folder ----------------------------------------------------------------------------- */

int cache_folder_open(int parent, const char *name, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = -1;
    struct stat st;

    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
        return err_sys(reterr, "make the folder `%s`", name);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "open the folder `%s`", name);
    if (st.st_uid != geteuid())
        return err_set(reterr, ERR_CONFIG, "the folder `%s` belongs to uid %u, execd runs as uid %u", name,
                       (unsigned)st.st_uid, (unsigned)geteuid());
    if ((st.st_mode & 0777) != 0700 && fchmod(fd, 0700) != 0)
        return err_sys(reterr, "close the folder `%s` to others", name);
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* ---- kept open -------------------------------------------------------------------------------- */

static void hot_free(struct cache *c, struct hot *h)
{
    TAILQ_REMOVE(&c->hot, h, link);
    c->hot_count--;
    c->hot_bytes -= h->len;
    buf_done(&h->note);
    closep(&h->fd);
    free(h);
}

static struct hot *hot_find(struct cache *c, const unsigned char key[CACHE_KEY_SIZE])
{
    struct hot *h;

    TAILQ_FOREACH (h, &c->hot, link)
        if (memcmp(h->key, key, CACHE_KEY_SIZE) == 0)
            return h;
    return NULL;
}

/* A copy of ours: the pages of what a cell handed out are charged to that cell's cgroup, which would stay as
 * long as they do. */
static int memfd_of(struct bytes body)
{
    CLEAN_FD int fd = memfd_create("cached", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t done = 0;

    while (fd >= 0 && done < body.len) {
        ssize_t n = write(fd, body.ptr + done, body.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    if (fd < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return -1;
    return steal_fd(&fd);
}

static struct hot *hot_add(struct cache *c, const struct cache_value *v)
{
    struct hot *h = hot_find(c, v->key);
    int fd;

    if (h != NULL)
        hot_free(c, h);
    if ((fd = memfd_of(v->body)) < 0)
        return NULL;
    h = NEW(struct hot);
    memcpy(h->key, v->key, CACHE_KEY_SIZE);
    h->fd = fd;
    h->len = v->body.len;
    TAILQ_INSERT_HEAD(&c->hot, h, link);
    c->hot_count++;
    c->hot_bytes += h->len;
    if (buf_add(&h->note, v->note.ptr, v->note.len) != 0) {
        hot_free(c, h);
        return NULL;
    }
    while (c->hot_count > CACHE_HOT_MAX || (c->hot_bytes > HOT_BYTES_MAX && c->hot_count > 1))
        hot_free(c, TAILQ_LAST(&c->hot, hot_list));
    return h;
}

bool cache_get(struct cache *c, const unsigned char key[CACHE_KEY_SIZE], struct buf *note, int *ret_fd)
{
    struct hot *h = hot_find(c, key);

    if (h != NULL) {
        TAILQ_REMOVE(&c->hot, h, link);
        TAILQ_INSERT_HEAD(&c->hot, h, link);
    } else {
        struct cache_value v;
        int rc = cache_disk_load(c->folder, key, &v);

        if (rc != 0 && rc != -ENOENT)
            LOG_WARN("compile_cache_file_refused", F_STR("reason", strerror(-rc)));
        if (rc != 0)
            return false;
        h = hot_add(c, &v);
        cache_value_done(&v);
    }
    if (h == NULL || buf_add(note, h->note.data, h->note.len) != 0)
        return false;
    *ret_fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
    return *ret_fd >= 0;
}

/* ---- the disk's turns ------------------------------------------------------------------------------ */

static void write_free(struct write *w)
{
    struct cache *c = w->cache;

    TAILQ_REMOVE(&c->writes, w, link);
    c->writing -= w->value.note.len + w->value.body.len;
    cache_value_done(&w->value);
    free(w);
}

static void disk_says(struct cache *c, int rc)
{
    if (rc != 0 && !c->failing)
        LOG_WARN("compile_cache_not_written", F_STR("reason", strerror(-rc)),
                 F_STR("effect", "programs are compiled again"));
    c->failing = rc != 0;
}

static struct write *write_new(struct cache *c)
{
    struct write *w = NEW(struct write);

    w->cache = c;
    TAILQ_INSERT_TAIL(&c->writes, w, link);
    return w;
}

static void trim_work(void *arg)
{
    struct write *w = arg;
    const struct cache *c = w->cache; /* what is read of it never changes */

    w->rc = cache_disk_trim(c->folder, c->bytes_max, c->bytes_max - c->bytes_max / 8, &w->bytes);
}

static void trim_done(void *arg)
{
    struct write *w = arg;
    struct cache *c = w->cache;

    c->trimming = false;
    disk_says(c, w->rc);
    if (w->rc == 0)
        c->bytes = w->bytes;
    write_free(w);
}

static void trim(struct cache *c)
{
    if (c->trimming)
        return;
    c->trimming = true;
    c->written = 0;
    loop_work(c->loop, trim_work, trim_done, write_new(c));
}

static void store_work(void *arg)
{
    struct write *w = arg;

    w->rc = cache_disk_store(w->cache->folder, &w->value, &w->bytes);
}

static void store_done(void *arg)
{
    struct write *w = arg;
    struct cache *c = w->cache;

    disk_says(c, w->rc);
    if (w->rc == 0) {
        c->bytes += w->bytes;
        c->written += w->bytes;
    }
    write_free(w);
    if (c->bytes > c->bytes_max || c->written > c->bytes_max / 16)
        trim(c);
}

/* ---- putting ------------------------------------------------------------------------------------------- */

static int value_read(const struct cache *c, struct cache_value *v, const unsigned char key[CACHE_KEY_SIZE],
                      struct bytes note, int body_fd)
{
    struct stat st;
    size_t at = note.len;

    if (fstat(body_fd, &st) != 0 || st.st_size < 0 || note.len > c->values_max ||
        (uint64_t)st.st_size > c->values_max - note.len ||
        (v->bytes = malloc(note.len + (size_t)st.st_size + 1)) == NULL)
        return -1;
    memcpy(v->key, key, CACHE_KEY_SIZE);
    if (note.len > 0)
        memcpy(v->bytes, note.ptr, note.len);
    v->note = (struct bytes){v->bytes, note.len};
    v->body = (struct bytes){v->bytes + note.len, (size_t)st.st_size};
    while (at < note.len + v->body.len) {
        ssize_t n = pread(body_fd, v->bytes + at, note.len + v->body.len - at, (off_t)(at - note.len));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

void cache_put(struct cache *c, const unsigned char key[CACHE_KEY_SIZE], struct bytes note, int body_fd)
{
    struct cache_value v = {0};
    struct write *w;

    if (value_read(c, &v, key, note, body_fd) != 0) {
        cache_value_done(&v);
        return;
    }
    hot_add(c, &v);
    if (c->writing + v.note.len + v.body.len > WRITING_MAX) {
        cache_value_done(&v);
        return;
    }
    w = write_new(c);
    w->value = v;
    c->writing += v.note.len + v.body.len;
    loop_work(c->loop, store_work, store_done, w);
}

/* ---- life ------------------------------------------------------------------------------------------------
 */

struct cache *cache_new(struct loop *loop, int folder_fd, uint64_t bytes_max)
{
    struct cache *c = NEW(struct cache);

    c->loop = loop;
    c->folder = folder_fd;
    c->bytes_max = bytes_max;
    c->values_max = MIN(bytes_max / 8, (uint64_t)CACHE_VALUE_MAX);
    TAILQ_INIT(&c->hot);
    TAILQ_INIT(&c->writes);
    trim(c); /* what is there already */
    return c;
}

void cache_free(struct cache *c)
{
    struct hot *h;
    struct write *w;

    if (c == NULL)
        return;
    while ((h = TAILQ_FIRST(&c->hot)) != NULL)
        hot_free(c, h);
    while ((w = TAILQ_FIRST(&c->writes)) != NULL)
        write_free(w);
    free(c);
}
