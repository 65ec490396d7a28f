/* redis_disk.c - preloaded into redis-server: tells how much of its append-only file is on the disk, and
 * moves its clock.
 *
 * EXECD_FAULTS_SYNCED names a file that gets, after each successful sync of the append-only file, the length
 * that was synced (8 bytes, as the machine has them).  A harness that kills the server and cuts the file down
 * to that has done to it what a loss of power does.  EXECD_FAULTS_CLOCK names a file of 8 bytes: nanoseconds
 * that are added to the time of day. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int synced_fd = -1;
static const volatile int64_t *offset;

__attribute__((constructor)) static void begin(void)
{
    const char *synced = getenv("EXECD_FAULTS_SYNCED"), *clock = getenv("EXECD_FAULTS_CLOCK");
    int fd = clock == NULL ? -1 : open(clock, O_RDONLY | O_CLOEXEC);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);

    if (synced != NULL)
        synced_fd = open(synced, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (page != MAP_FAILED)
        offset = page;
    if (fd >= 0)
        close(fd);
}

/* ---- the disk --------------------------------------------------------------------------- */

static int is_append_only(int fd)
{
    char link[64], path[512];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strstr(path, ".incr.aof") != NULL;
}

/* What is written while the sync is under way may not be in it: the length is taken before. */
static int sync_and_tell(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))(uintptr_t)dlsym(RTLD_NEXT, name);
    struct stat st;
    int64_t size = -1;
    int rc;

    if (synced_fd >= 0 && is_append_only(fd) && fstat(fd, &st) == 0)
        size = st.st_size;
    rc = real(fd);
    if (rc == 0 && size >= 0 && pwrite(synced_fd, &size, sizeof(size), 0) != (ssize_t)sizeof(size))
        abort();
    return rc;
}

int fdatasync(int fd)
{
    return sync_and_tell("fdatasync", fd);
}

int fsync(int fd)
{
    return sync_and_tell("fsync", fd);
}

/* ---- the clock ----------------------------------------------------------------------------- */

int gettimeofday(struct timeval *tv, void *tz)
{
    int (*real)(struct timeval *, void *) =
        (int (*)(struct timeval *, void *))(uintptr_t)dlsym(RTLD_NEXT, "gettimeofday");
    int rc = real(tv, tz);

    if (rc == 0 && offset != NULL)
        tv->tv_sec += (time_t)(*offset / 1000000000);
    return rc;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    int rc;

    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))(uintptr_t)dlsym(RTLD_NEXT, "clock_gettime");
    rc = real(id, ts);
    if (rc == 0 && id == CLOCK_REALTIME && offset != NULL)
        ts->tv_sec += (time_t)(*offset / 1000000000);
    return rc;
}
