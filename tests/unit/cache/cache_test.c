/* cache_test.c - keys, what is kept open, and what a second cache on the same folder finds. */
#include "cache_test.h"

#include <sys/mman.h>

struct run {
    struct place *place;
    struct loop *loop;
    struct cache *cache;
};

static struct run *run_new(struct place *place, uint64_t bytes_max)
{
    struct run *r = NEW(struct run);
    struct err err = {0};

    r->place = place;
    assert_int_equal(loop_new(&r->loop, &err), 0);
    r->cache = cache_new(r->loop, place->folder, bytes_max);
    return r;
}

/* What helpers were given before is on the disk then. */
static void run_end(struct run *r)
{
    loop_free(r->loop);
    cache_free(r->cache);
    free(r);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void on_tick(void *arg)
{
    loop_stop(arg);
}

/* Until the folder has `count` files: helpers write in their own time. */
static void run_until(struct run *r, unsigned count)
{
    struct loop_timer *tick = loop_timer_new(r->loop, on_tick, r->loop);

    for (int i = 0; i < 5000 && files_in(r->place, NULL) != count; i++) {
        loop_timer_arm(tick, 2);
        loop_run(r->loop);
    }
    loop_timer_arm(tick, 2); /* and what they have to say */
    loop_run(r->loop);
    loop_timer_free(tick);
    assert_int_equal(files_in(r->place, NULL), count);
}

static int body_of(const char *bytes, size_t len)
{
    int fd = memfd_create("body", MFD_CLOEXEC);

    assert_int_equal(write(fd, bytes, len), len);
    return fd;
}

static void put(struct run *r, unsigned n, const char *note, const char *bytes, size_t len)
{
    unsigned char key[CACHE_KEY_SIZE];
    int fd = body_of(bytes, len);

    make_key(n, key);
    cache_put(r->cache, key, bytes_of(note), fd);
    close(fd);
}

static bool get(struct run *r, unsigned n, const char *note, const char *bytes, size_t len)
{
    CLEAN_BUF struct buf said = {0};
    CLEAN_FD int fd = -1;
    unsigned char key[CACHE_KEY_SIZE];
    CLEAN_FREE char *found = malloc(len + 1);

    make_key(n, key);
    if (!cache_get(r->cache, key, &said, &fd))
        return false;
    assert_int_equal(said.len, strlen(note));
    assert_memory_equal(said.data, note, said.len);
    assert_int_equal(pread(fd, found, len + 1, 0), len);
    assert_memory_equal(found, bytes, len);
    assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    return true;
}

static void found_at_once_and_by_the_next(void **state)
{
    struct run *r = run_new(*state, 1 << 20), *other;

    assert_false(get(r, 1, "n", "body", 4));
    put(r, 1, "n", "body", 4);
    put(r, 2, "", "", 0);
    assert_true(get(r, 1, "n", "body", 4)); /* before any helper was at work */
    assert_true(get(r, 2, "", "", 0));
    run_until(r, 2);
    other = run_new(*state, 1 << 20);
    assert_true(get(other, 1, "n", "body", 4));
    assert_true(get(other, 2, "", "", 0));
    assert_false(get(other, 3, "", "", 0));
    run_end(other);
    run_end(r);
}

/* One that is open needs no file. */
static void kept_open(void **state)
{
    struct run *r = run_new(*state, 1 << 20);
    char name[256];

    put(r, 1, "n", "body", 4);
    run_until(r, 1);
    files_in(r->place, name);
    assert_int_equal(unlinkat(r->place->folder, name, 0), 0);
    assert_true(get(r, 1, "n", "body", 4));
    run_end(r);
}

static unsigned open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void few_are_kept_open(void **state)
{
    struct run *r = run_new(*state, 64 << 20);
    unsigned before;

    put(r, 0, "n", "body", 4);
    run_until(r, 1);
    before = open_descriptors();
    for (unsigned i = 0; i < CACHE_HOT_MAX + 20; i++) {
        put(r, 1 + i, "n", "body", 4);
        assert_true(get(r, 0, "n", "body", 4)); /* in use, so it stays */
    }
    run_until(r, CACHE_HOT_MAX + 21);
    assert_in_range(open_descriptors(), before, before + CACHE_HOT_MAX);
    assert_true(get(r, 1, "n", "body", 4)); /* from the disk */
    run_end(r);
}

static void too_large_is_not_kept(void **state)
{
    struct run *r = run_new(*state, 1 << 20); /* an eighth of it is the most */
    char *large = calloc(1, (1 << 17) + 1);

    put(r, 1, "", large, (1 << 17) + 1);
    assert_false(get(r, 1, "", large, (1 << 17) + 1));
    put(r, 2, "", large, 1 << 17);
    assert_true(get(r, 2, "", large, 1 << 17));
    run_until(r, 1);
    free(large);
    run_end(r);
}

static uint64_t space_in(const struct place *p)
{
    int fd = openat(p->folder, ".", O_RDONLY | O_DIRECTORY);
    DIR *d = fdopendir(fd);
    struct dirent *e;
    struct stat st;
    uint64_t sum = 0;

    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && fstatat(p->folder, e->d_name, &st, 0) == 0)
            sum += ((uint64_t)st.st_size + 4095) / 4096 * 4096;
    closedir(d);
    return sum;
}

static void bounded_in_bytes(void **state)
{
    const uint64_t max = 1 << 20;
    struct run *r = run_new(*state, max);
    struct loop_timer *tick = loop_timer_new(r->loop, on_tick, r->loop);
    char *bytes = calloc(1, 30000);

    for (unsigned i = 0; i < 200; i++) {
        put(r, i, "", bytes, 30000);
        loop_timer_arm(tick, 1);
        loop_run(r->loop);
    }
    for (int i = 0; i < 5000 && space_in(r->place) > max + max / 16; i++) {
        loop_timer_arm(tick, 1);
        loop_run(r->loop);
    }
    assert_in_range(space_in(r->place), max / 2, max + max / 16);
    loop_timer_free(tick);
    free(bytes);
    run_end(r);
}

static void a_folder_that_cannot_be_written(void **state)
{
    struct run *r = run_new(*state, 1 << 20);

    loop_work(r->loop, nothing, nothing, NULL);
    assert_int_equal(unlinkat(r->place->parent, "c", AT_REMOVEDIR), 0);
    put(r, 1, "n", "body", 4);
    assert_true(get(r, 1, "n", "body", 4)); /* as long as this process lives */
    assert_false(get(r, 2, "n", "body", 4));
    run_end(r);
    assert_int_equal(mkdirat(((struct place *)*state)->parent, "c", 0700), 0);
}

static void the_folder_is_ours_alone(void **state)
{
    const struct place *p = *state;
    struct err err = {0};
    struct stat st;
    int fd = -1;

    assert_int_equal(fchmod(p->folder, 0755), 0);
    assert_int_equal(cache_folder_open(p->parent, "c", &fd, &err), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    closep(&fd);
    assert_int_equal(symlinkat("c", p->parent, "link"), 0);
    assert_int_not_equal(cache_folder_open(p->parent, "link", &fd, &err), 0);
    assert_int_equal(unlinkat(p->parent, "link", 0), 0);
    close(openat(p->parent, "file", O_CREAT | O_WRONLY, 0600));
    assert_int_not_equal(cache_folder_open(p->parent, "file", &fd, &err), 0);
    assert_int_equal(unlinkat(p->parent, "file", 0), 0);
    if (geteuid() != 0)
        return;
    assert_int_equal(fchown(p->folder, 65534, 65534), 0);
    assert_int_equal(cache_folder_open(p->parent, "c", &fd, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "belongs to uid 65534"));
}

/* ---- keys --------------------------------------------------------------------------------- */

static void key_of(const char *const *fields, uint64_t number, unsigned char key[CACHE_KEY_SIZE])
{
    struct cache_hash *h = cache_hash_new();

    for (; *fields != NULL; fields++)
        cache_hash_add(h, *fields, strlen(*fields));
    cache_hash_add_u64(h, number);
    assert_true(cache_hash_end(h, key));
}

static void keys_tell_fields_apart(void **state)
{
    static const char *const rows[][4] = {{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""},
                                          {"", "abc"}, {""},        {NULL}};
    unsigned char keys[COUNT_OF(rows) + 1][CACHE_KEY_SIZE], again[CACHE_KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        key_of(rows[i], 1, keys[i]);
        key_of(rows[i], 1, again);
        assert_memory_equal(keys[i], again, CACHE_KEY_SIZE);
    }
    key_of(rows[0], 2, keys[COUNT_OF(rows)]);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(keys[i], keys[k], CACHE_KEY_SIZE);
}

static void keys_are_sha256(void **state)
{
    static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    const struct bytes pieces[] = {{"a", 1}, {"", 0}, {"bc", 2}};
    unsigned char sum[CACHE_KEY_SIZE];
    bool ok;

    (void)state;
    cache_sha256(pieces, COUNT_OF(pieces), sum, &ok);
    assert_true(ok);
    assert_memory_equal(sum, abc, sizeof(abc));
}

int main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup_place, teardown_place)
    const struct CMUnitTest tests[] = {
        IN_PLACE(found_at_once_and_by_the_next),
        IN_PLACE(kept_open),
        IN_PLACE(few_are_kept_open),
        IN_PLACE(too_large_is_not_kept),
        IN_PLACE(bounded_in_bytes),
        IN_PLACE(a_folder_that_cannot_be_written),
        IN_PLACE(the_folder_is_ours_alone),
        cmocka_unit_test(keys_tell_fields_apart),
        cmocka_unit_test(keys_are_sha256),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
