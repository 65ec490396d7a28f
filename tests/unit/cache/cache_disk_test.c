/* cache_disk_test.c - files that are whole, torn, altered, another's, too many; and disks that are full. */
#include "cache_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct cache_value value(unsigned n, size_t size)
{
    struct cache_value v = {.bytes = malloc(size + 4)};

    assert_non_null(v.bytes);
    make_key(n, v.key);
    memcpy(v.bytes, "note", 4);
    memset(v.bytes + 4, 'a' + (int)(n % 26), size);
    v.note = (struct bytes){v.bytes, 4};
    v.body = (struct bytes){v.bytes + 4, size};
    return v;
}

static int put(const struct place *p, unsigned n, size_t size)
{
    struct cache_value v = value(n, size);
    uint64_t bytes = 0;
    int rc = cache_disk_store(p->folder, &v, &bytes);

    if (rc == 0)
        assert_in_range(bytes, size, size + 8192);
    cache_value_done(&v);
    return rc;
}

static int get(const struct place *p, unsigned n, size_t size)
{
    unsigned char key[CACHE_KEY_SIZE];
    struct cache_value v;
    int rc;

    make_key(n, key);
    rc = cache_disk_load(p->folder, key, &v);
    if (rc == 0) {
        assert_int_equal(v.note.len, 4);
        assert_memory_equal(v.note.ptr, "note", 4);
        assert_int_equal(v.body.len, size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(v.body.ptr[i], 'a' + (int)(n % 26));
    }
    cache_value_done(&v);
    return rc;
}

static void what_was_put_is_found(void **state)
{
    const struct place *p = *state;

    assert_int_equal(get(p, 1, 5000), -ENOENT);
    assert_int_equal(put(p, 1, 5000), 0);
    assert_int_equal(put(p, 2, 0), 0);
    assert_int_equal(get(p, 1, 5000), 0);
    assert_int_equal(get(p, 2, 0), 0);
    assert_int_equal(get(p, 3, 0), -ENOENT);
    assert_int_equal(put(p, 1, 5000), 0); /* once more */
    assert_int_equal(files_in(p, NULL), 2);
}

/* Each byte of a file counts, and each length. */
static void altered_files_are_misses(void **state)
{
    const struct place *p = *state;
    char name[256];
    struct stat st;

    assert_int_equal(put(p, 1, 40), 0);
    assert_int_equal(files_in(p, name), 1);
    assert_int_equal(fstatat(p->folder, name, &st, 0), 0);
    for (off_t at = 0; at < st.st_size; at++) {
        int fd = openat(p->folder, name, O_RDWR);
        char byte;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_int_equal(get(p, 1, 40), -EBADMSG);
        assert_int_equal(files_in(p, NULL), 0); /* and it is gone */
        assert_int_equal(put(p, 1, 40), 0);
    }
    for (off_t len = 0; len <= st.st_size + 1; len++) {
        int fd = openat(p->folder, name, O_RDWR);

        assert_int_equal(ftruncate(fd, len), 0);
        close(fd);
        assert_int_equal(get(p, 1, 40), len == st.st_size ? 0 : -EBADMSG);
        assert_int_equal(put(p, 1, 40), 0);
    }
}

static void a_value_under_another_name_is_a_miss(void **state)
{
    const struct place *p = *state;
    char first[256], second[256];

    assert_int_equal(put(p, 1, 40), 0);
    files_in(p, first);
    assert_int_equal(get(p, 1, 40), 0);
    assert_int_equal(put(p, 2, 40), 0);
    files_in(p, second);
    if (strcmp(first, second) == 0) { /* the order of a folder is the file system's */
        memcpy(second, first, sizeof(second));
        memcpy(second, "02", 2);
    }
    assert_int_equal(renameat(p->folder, first, p->folder, second), 0);
    assert_int_equal(get(p, 2, 40), -EBADMSG);
}

static void only_our_own_closed_files_are_read(void **state)
{
    const struct place *p = *state;
    char name[256];

    assert_int_equal(put(p, 1, 40), 0);
    files_in(p, name);
    assert_int_equal(fchmodat(p->folder, name, 0620, 0), 0);
    assert_int_equal(get(p, 1, 40), -EBADMSG);
    assert_int_equal(put(p, 1, 40), 0);
    assert_int_equal(renameat(p->folder, name, p->parent, "elsewhere"), 0);
    assert_int_equal(symlinkat("../elsewhere", p->folder, name), 0);
    assert_int_equal(get(p, 1, 40), -ELOOP);
    assert_int_equal(unlinkat(p->parent, "elsewhere", 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(put(p, 1, 40), 0);
        assert_int_equal(fchownat(p->folder, name, 65534, 65534, 0), 0);
        assert_int_equal(get(p, 1, 40), -EBADMSG);
    }
    assert_int_equal(mkfifoat(p->folder, name, 0600), 0);
    assert_int_equal(get(p, 1, 40), -EBADMSG); /* and does not wait for a writer */
}

/* A disk that takes no more, as a limit on the size of a file has it. */
static void full_disks_leave_nothing(void **state)
{
    const struct place *p = *state;
    const struct rlimit small = {8192, 8192};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        _exit(put(p, 1, 100000) == -EFBIG && put(p, 2, 100) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(files_in(p, NULL), 1);
    assert_int_equal(get(p, 1, 100000), -ENOENT);
    assert_int_equal(get(p, 2, 100), 0);
}

static void without_its_folder_all_is_a_miss(void **state)
{
    const struct place *p = *state;
    uint64_t bytes;

    assert_int_equal(unlinkat(p->parent, "c", AT_REMOVEDIR), 0);
    assert_int_equal(put(p, 1, 10), -ENOENT);
    assert_int_equal(get(p, 1, 10), -ENOENT);
    (void)!cache_disk_trim(p->folder, 100, 50, &bytes);
    assert_int_equal(mkdirat(p->parent, "c", 0700), 0);
}

static void read_at(const struct place *p, const char *name, time_t when)
{
    const struct timespec times[2] = {{when, 0}, {when, 0}};

    assert_int_equal(utimensat(p->folder, name, times, 0), 0);
}

static void the_bound_takes_what_was_read_longest_ago(void **state)
{
    const struct place *p = *state;
    uint64_t bytes = 0;

    for (unsigned i = 0; i < 8; i++) {
        char name[CACHE_NAME_SIZE];
        unsigned char key[CACHE_KEY_SIZE];

        assert_int_equal(put(p, i, 3000), 0); /* 4096 each */
        make_key(i, key);
        for (size_t k = 0; k < CACHE_KEY_SIZE; k++)
            snprintf(name + 2 * k, 3, "%02x", key[k]);
        read_at(p, name, 1000 + (time_t)i);
    }
    assert_int_equal(get(p, 0, 3000), 0); /* now it was read last */
    assert_int_equal(cache_disk_trim(p->folder, 8 * 4096, 4 * 4096, &bytes), 0);
    assert_int_equal(bytes, 8 * 4096);
    assert_int_equal(files_in(p, NULL), 8);
    assert_int_equal(cache_disk_trim(p->folder, 8 * 4096 - 1, 4 * 4096, &bytes), 0);
    assert_int_equal(bytes, 4 * 4096);
    assert_int_equal(files_in(p, NULL), 4);
    assert_int_equal(get(p, 0, 3000), 0);
    for (unsigned i = 1; i < 8; i++)
        assert_int_equal(get(p, i, 3000), i < 5 ? -ENOENT : 0);
}

static void what_dead_writers_left_goes_and_nothing_else(void **state)
{
    const struct place *p = *state;
    uint64_t bytes;

    close(openat(p->folder, "new-old", O_CREAT | O_WRONLY, 0600));
    close(openat(p->folder, "new-young", O_CREAT | O_WRONLY, 0600));
    close(openat(p->folder, "README", O_CREAT | O_WRONLY, 0600));
    read_at(p, "new-old", 1000);
    read_at(p, "README", 1000);
    assert_int_equal(cache_disk_trim(p->folder, 0, 0, &bytes), 0);
    assert_int_equal(files_in(p, NULL), 2);
    assert_int_equal(faccessat(p->folder, "new-old", F_OK, 0), -1);
}

struct crowd {
    const struct place *place;
    unsigned first;
};

static void *write_many(void *arg)
{
    const struct crowd *c = arg;

    for (unsigned i = 0; i < 200; i++) {
        uint64_t bytes;

        assert_int_equal(put(c->place, i % 10, 9000), 0);
        if (i % 20 == c->first)
            assert_int_equal(cache_disk_trim(c->place->folder, 60000, 30000, &bytes), 0);
    }
    return NULL;
}

/* A reader sees whole values or none, whoever writes and removes meanwhile. */
static void writers_side_by_side(void **state)
{
    struct crowd crowds[4];
    pthread_t threads[4];
    unsigned found = 0;

    for (unsigned i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){*state, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &crowds[i]), 0);
    }
    for (unsigned i = 0; i < 2000; i++) {
        int rc = get(*state, i % 10, 9000);

        assert_true(rc == 0 || rc == -ENOENT);
        found += rc == 0;
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(found > 0);
}

int main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup_place, teardown_place)
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_was_put_is_found),
        IN_PLACE(altered_files_are_misses),
        IN_PLACE(a_value_under_another_name_is_a_miss),
        IN_PLACE(only_our_own_closed_files_are_read),
        IN_PLACE(full_disks_leave_nothing),
        IN_PLACE(without_its_folder_all_is_a_miss),
        IN_PLACE(the_bound_takes_what_was_read_longest_ago),
        IN_PLACE(what_dead_writers_left_goes_and_nothing_else),
        IN_PLACE(writers_side_by_side),
    };

    return cmocka_run_group_tests_name("cache_disk", tests, NULL, NULL);
}
