/* image_preload.c - the half of an image that is preloaded into the program (image.h): it sees where the
 * program's start is over, and brings the process into the program's order again in each child. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { FILES_MAX = 16, PADDING = 16, BUFFER_WORDS = 5 };

struct open_file {
    int fd, flags;
    off_t at;
    struct stat is;
    char path[256];
};

static struct {
    struct image *image;
    void *brk;
    struct sigaction actions[NSIG];
    struct open_file files[FILES_MAX];
    size_t file_count;
    const unsigned char **buffer; /* cc1's, of main.c */
    struct stat *source;          /* what cc1 knows of main.c */
} p;

/* In a child nothing of the program has happened yet: whoever waits for it takes the cold way, and no word of
 * ours is among the program's. */
static void give_up(const char *why) __attribute__((noreturn));
static void give_up(const char *why)
{
    if (!p.image->stopped)
        dprintf(STDERR_FILENO, "%s: %s\n", p.image->name, why);
    _exit(IMAGE_GAVE_UP);
}

/* ---- cc1's source --------------------------------------------------------------------------------- */

/* Of cc1, which shows its insides to plugins; not there in other programs, and in a cc1 of other insides. */
extern void *parse_in __attribute__((weak));
const unsigned char **get_buffer(void *reader) __asm__("_Z14cpp_get_bufferP10cpp_reader")
    __attribute__((weak));
void *get_file(void *buffer) __asm__("_Z12cpp_get_fileP10cpp_buffer") __attribute__((weak));
struct stat *_cpp_get_file_stat(void *file) __attribute__((weak));
void initialize_rtl(void) __asm__("_Z14initialize_rtlv") __attribute__((weak));

/* cc1 reads main.c early and looks at it late.  cpplib's functions lead to where it is: a buffer begins with
 * cur, line_base, next_line, buf, rlimit.  What is not found to be just so is not touched. */
static void find_source(void)
{
    const struct image *image = p.image;
    struct stat is;

    if (&parse_in == NULL || parse_in == NULL || get_buffer == NULL || get_file == NULL ||
        _cpp_get_file_stat == NULL)
        give_up("cc1 has other insides");
    p.buffer = get_buffer(parse_in);
    if (p.buffer == NULL || p.buffer[0] != NULL || p.buffer[1] != NULL || p.buffer[2] == NULL ||
        p.buffer[2] != p.buffer[3] || p.buffer[4] != p.buffer[3] + image->source_len ||
        memcmp(p.buffer[3], image->source, image->source_len) != 0)
        give_up("cc1's buffer is another");
    p.source = _cpp_get_file_stat(get_file(p.buffer));
    if (p.source == NULL || stat("main.c", &is) != 0 || p.source->st_ino != is.st_ino ||
        p.source->st_dev != is.st_dev || p.source->st_size != is.st_size)
        give_up("cc1's file is another");
}

/* As cpplib's _cpp_convert_input() leaves it. */
static void take_source(void)
{
    unsigned char *text = (unsigned char *)(uintptr_t)p.buffer[3];
    int fd = open("main.c", O_RDONLY | O_CLOEXEC);
    size_t len;

    if (fd < 0 || fstat(fd, p.source) != 0 || (uint64_t)p.source->st_size > p.image->source_len)
        give_up("main.c cannot be taken");
    len = (size_t)p.source->st_size;
    if (read(fd, text, len) != (ssize_t)len)
        give_up("main.c cannot be read");
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        give_up("main.c begins with a mark that cc1 takes away");
    close(fd);
    memset(text + len, 0, PADDING);
    text[len] = len > 0 && text[len - 1] == '\r' ? '\r' : '\n';
    p.buffer[4] = text + len;
}

/* ---- what the kernel keeps of a process ------------------------------------------------------------- */

/* It is opened again in each child; a zygote holds no more than it has to. */
static void note_file(int fd)
{
    struct open_file *f = &p.files[p.file_count];
    char link[32];
    ssize_t n;

    f->flags = fcntl(fd, F_GETFL);
    if (f->flags < 0)
        return;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, f->path, sizeof(f->path) - 1);
    if (p.file_count == FILES_MAX - 1 || n <= 0 || f->path[0] != '/' ||
        (f->at = lseek(fd, 0, SEEK_CUR)) < 0 || fstat(fd, &f->is) != 0)
        give_up("a descriptor is open that cannot be opened again");
    f->path[n] = '\0';
    f->fd = fd;
    p.file_count++;
    close(fd);
}

static void note_process(void)
{
    const struct sigaction none = {.sa_handler = SIG_DFL};
    stack_t alt;

    if (sigaltstack(NULL, &alt) != 0 || (alt.ss_flags & SS_DISABLE) == 0)
        give_up("there is another stack for signals");
    for (int i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &p.actions[i]) == 0 && p.actions[i].sa_handler != SIG_DFL)
            sigaction(i, &none, NULL);
    p.brk = (void *)syscall(SYS_brk, 0);
}

/* What the program has read of it must be in it still. */
static int is_same(int fd, const struct stat *was)
{
    struct stat is;

    return fstat(fd, &is) == 0 && is.st_ino == was->st_ino && is.st_dev == was->st_dev &&
           is.st_size == was->st_size && is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
           is.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static void renew_files(void)
{
    for (size_t i = 0; i < p.file_count; i++) {
        const struct open_file *f = &p.files[i];
        int writes = (f->flags & O_ACCMODE) != O_RDONLY;
        int fd = open(f->path, (f->flags & (O_ACCMODE | O_APPEND)) | (writes ? O_CREAT | O_TRUNC : 0), 0666);

        if (fd < 0 || (f->at != 0 && lseek(fd, f->at, SEEK_SET) != f->at))
            give_up("a file cannot be opened again");
        if (!writes && !is_same(fd, &f->is))
            give_up("a file is another by now");
        if (fd != f->fd && (dup2(fd, f->fd) < 0 || close(fd) != 0))
            give_up("a file cannot have its descriptor again");
        fcntl(f->fd, F_SETFD, FD_CLOEXEC);
    }
}

/* As an exec would have named it. */
static void renew_name(void)
{
    const char *name = strrchr(p.image->name, '/');

    prctl(PR_SET_NAME, name == NULL ? p.image->name : name + 1, 0, 0, 0);
}

/* Its stack grows no further than a program's of this job. */
static void limit_stack(void)
{
    const struct image *image = p.image;
    struct rlimit r;

    if (getrlimit(RLIMIT_STACK, &r) != 0)
        give_up("the limit of its stack is not known");
    if (r.rlim_cur < image->stack_size &&
        mprotect(image->stack, (image->stack_size - r.rlim_cur) & ~(rlim_t)4095, PROT_NONE) != 0)
        give_up("its stack cannot be limited");
}

static void renew_process(void)
{
    const int *fds = p.image->fds;

    for (int i = 0; i < 3; i++)
        if (fds[i] != i && dup2(fds[i], i) < 0)
            give_up("its descriptors cannot be placed");
    for (int fd = 3; fd < IMAGE_DESCRIPTORS; fd++)
        close(fd);
    if ((void *)syscall(SYS_brk, p.brk) != p.brk) /* which drops what programs after it had above */
        give_up("its memory cannot be had again");
    for (int i = 1; i < NSIG; i++)
        if (p.actions[i].sa_handler != SIG_DFL)
            sigaction(i, &p.actions[i], NULL);
    limit_stack();
    renew_name();
    renew_files();
}

/* ---- where its start is over ------------------------------------------------------------------------- */

static void stop_here(void)
{
    struct image *image = p.image;

    for (int fd = 3; fd < IMAGE_DESCRIPTORS; fd++)
        if ((image->others >> fd & 1) == 0)
            note_file(fd);
    if (image->source != NULL) {
        find_source();
        if (initialize_rtl !=
            NULL) /* what it would make of its target's description before its first function */
            initialize_rtl();
    }
    note_process();
    image->stopped = 1;
    do {
        image->stop(image);
        image->child = fork();
        if (image->child < 0)
            image->child = -errno;
    } while (image->child != 0);
    renew_process();
    if (image->source != NULL)
        take_source();
}

static int ends(const char *path, const char *with)
{
    size_t n = strlen(path), m = strlen(with);

    return n >= m && strcmp(path + n - m, with) == 0;
}

static int open_it(const char *path, int flags, va_list rest)
{
    mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;

    if (p.image != NULL && !p.image->stopped && ends(path, p.image->stops_at))
        stop_here();
    return openat(AT_FDCWD, path, flags, mode);
}

EXPORTED int open(const char *path, int flags, ...)
{
    va_list rest;
    int fd;

    va_start(rest, flags);
    fd = open_it(path, flags, rest);
    va_end(rest);
    return fd;
}

EXPORTED int open64(const char *path, int flags, ...)
{
    va_list rest;
    int fd;

    va_start(rest, flags);
    fd = open_it(path, flags, rest);
    va_end(rest);
    return fd;
}

EXPORTED int getc(FILE *f)
{
    if (p.image != NULL && !p.image->stopped && f == stdin && strcmp(p.image->stops_at, "-") == 0)
        stop_here();
    return fgetc(f);
}

static void begin(void) __attribute__((constructor));
static void begin(void)
{
    const char *at = getenv(IMAGE_VARIABLE);

    if (at == NULL)
        return;
    p.image = (struct image *)strtoull(at, NULL, 16);
    unsetenv(IMAGE_VARIABLE);
    unsetenv("LD_PRELOAD");
}
