/* store_spool.c - results that Redis has not taken yet, on the disk.
 *
 * One file for each, named by token, epoch and who claimed it: what a worker has measured outlives the worker
 * while Redis is away.  A file is written whole, synced and renamed, and its folder is synced, by a helper
 * thread; it goes when Redis has taken the result, or has said that it is another's to give.  Files of a
 * worker before us are offered when Redis is there, one at a time; epoch and worker decide, as ever, whether
 * they still count.  Two workers that share a folder may offer the same file: finishing twice changes
 * nothing.
 *
 * What is not on the disk (there is no more room, or the disk fails) waits in memory alone, and that is
 * logged. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "store_internal.h"

#define TEMPORARY "new-"
#define NAME_SIZE (sizeof(TEMPORARY) + UUID_SIZE + 12 + STORE_WORKER_SIZE)
#define RECORD_MAX (UINT64_C(1) << 30)
#define BLOCK UINT64_C(4096)
#define AGAIN_MS 1000

struct entry {
    TAILQ_ENTRY(entry) link;
    struct store_spool *spool;
    char token[UUID_SIZE];
    uint32_t epoch;
    char worker[STORE_WORKER_SIZE]; /* who claimed it */
    uint64_t space;
    bool busy;   /* with a helper */
    bool unwant; /* to be removed when the helper is done */
    bool old;    /* of a worker before us: ours to offer */
    struct buf record;
    int rc;
};
TAILQ_HEAD(entries, entry);

struct store_spool {
    struct loop *loop;
    struct store *store;
    int folder;
    bool stopped; /* what helpers still bring is of no interest */
    uint64_t bytes_max, bytes;
    size_t old_count;
    struct entries entries;
    struct entry *offered; /* the one that Redis is asked about */
    struct loop_timer *timer;
};

static void name_of(const struct entry *e, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "%s.%u.%s", e->token, (unsigned)e->epoch, e->worker);
}

static struct entry *entry_new(struct store_spool *sp, const char *worker, const char *token, uint32_t epoch,
                               uint64_t size)
{
    struct entry *e = NEW(struct entry);

    e->spool = sp;
    snprintf(e->worker, sizeof(e->worker), "%s", worker);
    snprintf(e->token, sizeof(e->token), "%s", token);
    e->epoch = epoch;
    e->space = (size + BLOCK - 1) / BLOCK * BLOCK;
    sp->bytes += e->space;
    TAILQ_INSERT_TAIL(&sp->entries, e, link);
    return e;
}

static void entry_free(struct entry *e)
{
    e->spool->bytes -= e->space;
    e->spool->old_count -= e->old;
    TAILQ_REMOVE(&e->spool->entries, e, link);
    buf_done(&e->record);
    free(e);
}

/* ---- helpers' work ------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return fsync(fd) != 0 ? -errno : 0;
}

static void write_work(void *arg)
{
    struct entry *e = arg;
    char name[NAME_SIZE], temporary[NAME_SIZE];
    CLEAN_FD int fd = -1;

    name_of(e, name);
    snprintf(temporary, sizeof(temporary), TEMPORARY "%.*s", (int)(NAME_SIZE - sizeof(TEMPORARY)), name);
    unlinkat(e->spool->folder, temporary, 0);
    fd = openat(e->spool->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    e->rc = fd < 0 ? -errno : write_all(fd, e->record.data, e->record.len);
    if (e->rc == 0 &&
        (renameat(e->spool->folder, temporary, e->spool->folder, name) != 0 || fsync(e->spool->folder) != 0))
        e->rc = -errno;
    if (e->rc != 0)
        unlinkat(e->spool->folder, temporary, 0);
}

static void remove_work(void *arg)
{
    struct entry *e = arg;
    char name[NAME_SIZE];

    name_of(e, name);
    unlinkat(e->spool->folder, name, 0); /* unsynced: should it come back, it is refused */
}

static int read_record(struct entry *e)
{
    char name[NAME_SIZE];
    CLEAN_FD int fd = -1;
    struct stat st;

    name_of(e, name);
    fd = openat(e->spool->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (uint64_t)st.st_size > RECORD_MAX)
        return -EBADMSG;
    if (buf_reserve(&e->record, (size_t)st.st_size) != 0)
        return -ENOMEM;
    while (e->record.len < (size_t)st.st_size) {
        ssize_t n = read(fd, e->record.data + e->record.len, (size_t)st.st_size - e->record.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EBADMSG;
        e->record.len += (size_t)n;
    }
    return 0;
}

static void read_work(void *arg)
{
    struct entry *e = arg;

    e->rc = read_record(e);
}

static void removed(void *arg)
{
    entry_free(arg);
}

static void remove_entry(struct entry *e)
{
    e->busy = true;
    buf_done(&e->record);
    loop_work(e->spool->loop, remove_work, removed, e);
}

/* ---- keeping ----------------------------------------------------------------------------------- */

static void not_on_disk(const char *token, const char *why)
{
    LOG_ERROR("result_not_on_disk", F_STR("token", token), F_STR("reason", why));
}

static void written(void *arg)
{
    struct entry *e = arg;

    buf_done(&e->record);
    e->busy = false;
    if (e->spool->stopped) {
        return;
    } else if (e->unwant) {
        remove_entry(e);
    } else if (e->rc != 0) {
        not_on_disk(e->token, strerror(-e->rc));
        entry_free(e);
    }
}

void store_spool_keep(struct store_spool *sp, const char *worker, const char *token, uint32_t epoch,
                      const struct job_result *result)
{
    CLEAN_BUF struct buf record = {0};
    struct entry *e;

    if (sp == NULL)
        return;
    if (store_put_result(result, &record) != 0 || sp->bytes + record.len + BLOCK > sp->bytes_max) {
        not_on_disk(token, "worker.spool_bytes is used up; it waits in memory");
        return;
    }
    e = entry_new(sp, worker, token, epoch, record.len);
    e->record = record;
    record = (struct buf){0};
    e->busy = true;
    e->rc = -ECANCELED; /* until it is written */
    loop_work_surely(sp->loop, write_work, written, e);
}

void store_spool_drop(struct store_spool *sp, const char *token, uint32_t epoch)
{
    struct entry *e;

    if (sp == NULL)
        return;
    TAILQ_FOREACH (e, &sp->entries, link)
        if (!e->old && e->epoch == epoch && strcmp(e->token, token) == 0)
            break;
    if (e == NULL)
        return;
    if (e->busy)
        e->unwant = true;
    else
        remove_entry(e);
}

/* ---- what a worker before us has left ---------------------------------------------------------- */

static void offer(struct store_spool *sp);

/* The others first: this one may be what is wrong. */
static void later(struct store_spool *sp)
{
    TAILQ_REMOVE(&sp->entries, sp->offered, link);
    TAILQ_INSERT_TAIL(&sp->entries, sp->offered, link);
    sp->offered = NULL;
    loop_timer_arm(sp->timer, AGAIN_MS);
}

static void on_taken(void *arg, const struct err *err)
{
    struct store_spool *sp = arg;
    struct entry *e = sp->offered;

    if (err != NULL && err->code != ERR_CONFLICT && err->code != ERR_NOT_FOUND) {
        later(sp);
        return;
    }
    LOG_INFO("result_delivered_late", F_STR("token", e->token), F_UINT("epoch", e->epoch),
             F_STR("outcome", err == NULL ? "recorded" : err->text));
    sp->offered = NULL;
    remove_entry(e);
    offer(sp);
}

static void read_done(void *arg)
{
    struct entry *e = arg;
    struct store_spool *sp = e->spool;
    struct job_result result;
    struct err err = {0};

    e->busy = false;
    if (sp->stopped) {
        return;
    } else if (e->rc == -ENOENT || e->rc == -EBADMSG ||
               (e->rc == 0 &&
                store_get_result((struct bytes){e->record.data, e->record.len}, &result, &err) != 0)) {
        if (e->rc != -ENOENT) /* whose it is lives, shares our folder, and has delivered it meanwhile */
            LOG_ERROR("result_unreadable", F_STR("token", e->token),
                      F_STR("reason", e->rc != 0 ? strerror(-e->rc) : err.text));
        sp->offered = NULL;
        remove_entry(e); /* it never can be */
        offer(sp);
    } else if (e->rc != 0) {
        buf_done(&e->record);
        later(sp);
    } else {
        buf_done(&e->record);
        store_finish(sp->store, e->worker, e->token, e->epoch, &result, NULL, 0, on_taken, sp);
        job_result_done(&result);
    }
}

static void offer(struct store_spool *sp)
{
    struct entry *e;

    if (sp->offered != NULL || sp->old_count == 0 || !store_connected(sp->store))
        return;
    TAILQ_FOREACH (e, &sp->entries, link)
        if (e->old && !e->busy)
            break;
    if (e == NULL)
        return;
    sp->offered = e;
    e->busy = true;
    loop_work(sp->loop, read_work, read_done, e);
}

static void on_timer(void *arg)
{
    offer(arg);
}

void store_spool_offer(struct store_spool *sp)
{
    if (sp != NULL)
        offer(sp);
}

/* "TOKEN.EPOCH.WORKER"; the worker's name may have dots. */
static bool parse_name(const char *name, char token[UUID_SIZE], uint32_t *epoch, const char **worker)
{
    char digits[16] = "";
    const char *dot;
    uint64_t n;

    if (strlen(name) < UUID_SIZE || name[UUID_SIZE - 1] != '.')
        return false;
    dot = strchr(name + UUID_SIZE, '.');
    if (dot == NULL || (size_t)(dot - name) - UUID_SIZE >= sizeof(digits) ||
        strlen(dot + 1) >= STORE_WORKER_SIZE)
        return false;
    memcpy(digits, name + UUID_SIZE, (size_t)(dot - name) - UUID_SIZE);
    if (num_u64(digits, 1, UINT32_MAX, &n) != 0)
        return false;
    memcpy(token, name, UUID_SIZE - 1);
    token[UUID_SIZE - 1] = '\0';
    *epoch = (uint32_t)n;
    *worker = dot + 1;
    return uuid_valid(token);
}

static void find_one(struct store_spool *sp, const char *name)
{
    char token[UUID_SIZE];
    struct entry *e;
    struct stat st;
    const char *worker;
    uint32_t epoch;

    if (strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0) { /* its writer is dead, or writes it anew */
        unlinkat(sp->folder, name, 0);
        return;
    }
    if (!parse_name(name, token, &epoch, &worker) || fstatat(sp->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    e = entry_new(sp, worker, token, epoch, (uint64_t)st.st_size);
    e->old = true;
    sp->old_count++;
}

int store_spool_open(const struct store_spool_options *o, struct store_spool **ret, struct err *reterr)
{
    CLEAN_FD int fd = openat(o->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct store_spool *sp;
    struct dirent *d;
    DIR *dir;

    if (fd < 0 || (dir = fdopendir(fd)) == NULL)
        return err_sys(reterr, "read the folder of results that wait");
    steal_fd(&fd);
    sp = NEW(struct store_spool);
    TAILQ_INIT(&sp->entries);
    sp->loop = o->loop;
    sp->store = o->store;
    sp->folder = o->folder_fd;
    sp->bytes_max = o->bytes_max;
    sp->timer = loop_timer_new(o->loop, on_timer, sp);
    while ((d = readdir(dir)) != NULL && sp->old_count < STORE_SPOOL_OLD_MAX)
        find_one(sp, d->d_name);
    closedir(dir);
    if (sp->old_count > 0)
        LOG_WARN("results_wait", F_UINT("count", sp->old_count), F_UINT("bytes", sp->bytes));
    *ret = sp;
    return 0;
}

void store_spool_stop(struct store_spool *sp)
{
    if (sp == NULL)
        return;
    sp->stopped = true;
    loop_timer_free(sp->timer);
    sp->timer = NULL;
}

void store_spool_free(struct store_spool *sp)
{
    struct entry *e;

    if (sp == NULL)
        return;
    while ((e = TAILQ_FIRST(&sp->entries)) != NULL) {
        if (e->busy && !e->old && e->rc != 0) /* nobody else tells what became of it */
            not_on_disk(e->token, strerror(-e->rc));
        entry_free(e);
    }
    free(sp);
}
