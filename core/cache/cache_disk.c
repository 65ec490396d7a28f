/* cache_disk.c - values as files in one folder: written whole or not at all, believed only if all of it fits.
 *
 * A file is a head, the note, the body.  The head has the key, both lengths and the SHA-256 of everything but
 * itself.  That finds torn and altered files; it is no proof against somebody who can write the folder, which
 * is why it is ours alone (cache_folder_open()) and each file must be, too. */
#include "cache_internal.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x3163636463657865) /* "execdcc1" */
#define TEMPORARY "new-"
#define TEMPORARY_OLD_S 600 /* its writer is dead */
#define BLOCK UINT64_C(4096)

struct head {
    uint64_t magic, note_len, body_len; /* little endian */
    unsigned char key[CACHE_KEY_SIZE];
    unsigned char sum[CACHE_KEY_SIZE]; /* of what is before it, the note and the body */
};

static void name_of(const unsigned char key[CACHE_KEY_SIZE], char out[CACHE_NAME_SIZE])
{
    for (size_t i = 0; i < CACHE_KEY_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", key[i]);
}

static uint64_t space_of(uint64_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

void cache_value_done(struct cache_value *v)
{
    free(v->bytes);
    memset(v, 0, sizeof(*v));
}

static bool sum_of(const struct head *h, struct bytes note, struct bytes body,
                   unsigned char ret[CACHE_KEY_SIZE])
{
    const struct bytes pieces[] = {{(const char *)h, offsetof(struct head, sum)}, note, body};
    bool ok;

    cache_sha256(pieces, COUNT_OF(pieces), ret, &ok);
    return ok;
}

/* ---- reading ------------------------------------------------------------------------------ */

static int read_all(int fd, char *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EBADMSG;
        out += n;
        len -= (size_t)n;
    }
    return 0;
}

static int check(const struct head *h, struct cache_value *v, size_t size)
{
    unsigned char sum[CACHE_KEY_SIZE];
    uint64_t note = le64toh(h->note_len), body = le64toh(h->body_len);

    if (h->magic != htole64(MAGIC) || memcmp(h->key, v->key, CACHE_KEY_SIZE) != 0 || note > size ||
        body != size - note)
        return -EBADMSG;
    v->note = (struct bytes){v->bytes, (size_t)note};
    v->body = (struct bytes){v->bytes + note, (size_t)body};
    return sum_of(h, v->note, v->body, sum) && memcmp(sum, h->sum, sizeof(sum)) == 0 ? 0 : -EBADMSG;
}

static int load_file(int fd, struct cache_value *v)
{
    struct head head;
    struct stat st;
    size_t size;
    int rc;

    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077) != 0 ||
        st.st_size < (off_t)sizeof(head) || st.st_size > (off_t)(sizeof(head) + CACHE_VALUE_MAX))
        return -EBADMSG;
    size = (size_t)st.st_size - sizeof(head);
    v->bytes = malloc(size + 1);
    if (v->bytes == NULL)
        return -ENOMEM;
    if ((rc = read_all(fd, (char *)&head, sizeof(head))) != 0 || (rc = read_all(fd, v->bytes, size)) != 0)
        return rc;
    return check(&head, v, size);
}

int cache_disk_load(int folder, const unsigned char key[CACHE_KEY_SIZE], struct cache_value *ret)
{
    char name[CACHE_NAME_SIZE];
    CLEAN_FD int fd = -1;
    int rc;

    name_of(key, name);
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->key, key, CACHE_KEY_SIZE);
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    rc = fd < 0 ? -errno : load_file(fd, ret);
    if (rc != 0) {
        cache_value_done(ret);
        if (rc == -EBADMSG || rc == -ELOOP)
            unlinkat(folder, name, 0);
        return rc;
    }
    futimens(fd, NULL); /* the next trim knows that it is of use; if not, it goes earlier */
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_all(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_file(int fd, const struct head *head, const struct cache_value *v)
{
    int rc = write_all(fd, head, sizeof(*head));

    if (rc == 0)
        rc = write_all(fd, v->note.ptr, v->note.len);
    return rc == 0 ? write_all(fd, v->body.ptr, v->body.len) : rc;
}

int cache_disk_store(int folder, const struct cache_value *v, uint64_t *ret_bytes)
{
    struct head head = {htole64(MAGIC), htole64(v->note.len), htole64(v->body.len), {0}, {0}};
    char name[CACHE_NAME_SIZE], unique[UUID_SIZE], temporary[UUID_SIZE + sizeof(TEMPORARY)];
    CLEAN_FD int fd = -1;
    int rc;

    memcpy(head.key, v->key, CACHE_KEY_SIZE);
    if (!sum_of(&head, v->note, v->body, head.sum))
        return -ENOMEM;
    name_of(v->key, name);
    uuid_new(unique);
    snprintf(temporary, sizeof(temporary), TEMPORARY "%s", unique);
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_file(fd, &head, v);
    if (rc == 0 && renameat(folder, temporary, folder, name) != 0)
        rc = -errno;
    if (rc != 0)
        unlinkat(folder, temporary, 0);
    else
        *ret_bytes = space_of(sizeof(head) + v->note.len + v->body.len);
    return rc;
}

/* ---- the bound --------------------------------------------------------------------------------- */

struct file {
    char name[CACHE_NAME_SIZE];
    uint64_t space;
    struct timespec used;
};

struct files {
    struct file *list;
    size_t count, room;
    uint64_t space;
};

static bool is_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == CACHE_NAME_SIZE - 1 && name[CACHE_NAME_SIZE - 1] == '\0';
}

static int files_add(struct files *f, const char *name, const struct stat *st)
{
    struct file *at;

    if (f->count == f->room) {
        size_t room = f->room == 0 ? 256 : f->room * 2;
        struct file *list = reallocarray(f->list, room, sizeof(*list));

        if (list == NULL)
            return -ENOMEM;
        f->list = list;
        f->room = room;
    }
    at = &f->list[f->count++];
    memcpy(at->name, name, CACHE_NAME_SIZE); /* is_name() */
    at->space = space_of((uint64_t)st->st_size);
    at->used = st->st_mtim;
    f->space += at->space;
    return 0;
}

/* What is neither a value nor left by a writer is not ours to remove or to count. */
static int files_read(int folder, DIR *d, struct files *f)
{
    const time_t now = (time_t)(clock_wall_ms() / 1000);
    struct dirent *e;
    int rc = 0;

    while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
        bool temporary = strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0;
        struct stat st;

        if ((!temporary && !is_name(e->d_name)) ||
            fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) /* another has removed it */
            continue;
        if (!temporary)
            rc = files_add(f, e->d_name, &st);
        else if (st.st_mtim.tv_sec < now - TEMPORARY_OLD_S)
            unlinkat(folder, e->d_name, 0);
    }
    return rc != 0 ? rc : -errno;
}

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct file *)a)->used, *y = &((const struct file *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static void files_trim(int folder, struct files *f, uint64_t target)
{
    if (f->count > 1)
        qsort(f->list, f->count, sizeof(*f->list), by_use);
    for (size_t i = 0; i < f->count && f->space > target; i++)
        if (unlinkat(folder, f->list[i].name, 0) == 0 || errno == ENOENT)
            f->space -= f->list[i].space;
}

int cache_disk_trim(int folder, uint64_t bytes_max, uint64_t target, uint64_t *ret_bytes)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct files f = {0};

    if (d == NULL) {
        rc = -errno;
        closep(&fd);
        return rc;
    }
    rc = files_read(folder, d, &f);
    if (rc == 0 && f.space > bytes_max)
        files_trim(folder, &f, target);
    *ret_bytes = f.space;
    closedir(d);
    free(f.list);
    return rc;
}
