/* toolchain.c - a zygote of the C toolchain: cc1, as and gold, each stopped where its start is over.
 *
 * Theory of operation.  `toolchain SCRIPT REST` stands for the build step `sh -c SCRIPT`, whose three
 * programs the file .steps names.  They are images in one process (image.h), so that one fork of it brings
 * all three into a job's cell.  There the fork does what the script does (c_direct.c): cc1 into as, and the
 * linker.  When one of them fails, or as or the linker says a word, it leaves the files that the script would
 * have left and executes REST, the script's end; and SCRIPT, where a program could not even go on.
 *
 * Before it serves, it compiles a program in both ways, and ends unless both make the same file. */
#include <execd/zygote.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image.h"

#define PRELOADED "/box/.image.so"
#define STEPS ".steps"
#define OBJECT "/tmp/ccdirect.o"

enum { CC1, AS, LINKER, IMAGES, WORDS_MAX = 256, ENV_MAX = 32, TEXT_MAX = 64 << 10 };
enum answer { MADE, REFUSED, REST, ALL, FAILED };

static struct image images[IMAGES] = {
    [CC1] = {.stops_at = "/stdc-predef.h"}, [AS] = {.stops_at = "-"}, [LINKER] = {.stops_at = OBJECT}};

static int fail(const char *what, int error)
{
    dprintf(STDERR_FILENO, "toolchain: %s: %s\n", what, strerror(error));
    return -1;
}

/* ---- files ------------------------------------------------------------------------------------- */

/* With a NUL after them; *ret_len bytes.  NULL: there are none, or too many. */
static char *read_file(const char *path, size_t max, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = malloc(max + 1);
    size_t len = 0;
    ssize_t n = -1;

    while (fd >= 0 && text != NULL && len <= max && (n = read(fd, text + len, max + 1 - len)) > 0)
        len += (size_t)n;
    if (fd >= 0)
        close(fd);
    if (n != 0 || len > max) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* What as and the linker say, in a file without a name. */
static int open_words(void)
{
    static const char name[] = "/tmp/words";
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0)
        unlink(name);
    return fd;
}

static int is_empty(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size == 0;
}

/* For REST: /tmp/s, the exit code of a cc1 that failed; /tmp/l, there if the linker was asked. */
static enum answer leave(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int rc = fd < 0 ? -1 : write_all(fd, text, strlen(text));

    if (fd >= 0)
        close(fd);
    return rc == 0 ? REST : FAILED;
}

/* ---- a compilation ---------------------------------------------------------------------------------- */

/* As a shell has it; -1: there is no such process. */
static int wait_for(pid_t pid)
{
    int status;

    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (pid <= 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A child that has none of the other programs. */
static pid_t fork_one(int which, const int fds[3])
{
    for (int i = 0; i < IMAGES; i++)
        image_leave_out(&images[i], i != which);
    return image_fork(&images[which], fds);
}

/* as comes first, so that it is there when cc1 has something for it. */
static void assemble(int words, int *ret_cc1, int *ret_as)
{
    pid_t as, cc1 = -1;
    int ends[2];

    *ret_cc1 = *ret_as = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    as = fork_one(AS, (const int[3]){ends[0], words, words});
    close(ends[0]);
    if (as > 0)
        cc1 = fork_one(CC1, (const int[3]){STDIN_FILENO, ends[1], STDERR_FILENO});
    close(ends[1]);
    *ret_cc1 = wait_for(cc1);
    *ret_as = wait_for(as);
}

static enum answer link_with(int words)
{
    int linker = wait_for(fork_one(LINKER, (const int[3]){STDIN_FILENO, words, words}));

    return linker == 0 && is_empty(words) ? MADE : leave("/tmp/l", "");
}

static enum answer compile_with(int words)
{
    char code[16];
    int cc1, as;

    assemble(words, &cc1, &as);
    if (cc1 < 0 || cc1 == IMAGE_GAVE_UP)
        return ALL;
    if (cc1 > 0 && cc1 <= 128)
        return REFUSED; /* as REST would end */
    snprintf(code, sizeof(code), "%d\n", cc1);
    if (cc1 != 0)
        return leave("/tmp/s", code);
    return as == 0 && is_empty(words) ? link_with(words) : REST;
}

static enum answer compile(void)
{
    int words = open_words();
    enum answer answer = words < 0 ? ALL : compile_with(words);

    if (words >= 0)
        close(words);
    return answer;
}

/* ---- before it serves --------------------------------------------------------------------------------- */

/* Lines, a program's words, and an empty one after each program's. */
static char **cut_program(char **at)
{
    static char *words[WORDS_MAX + 1];
    size_t n = 0;

    while (**at != '\0' && **at != '\n' && n < WORDS_MAX) {
        char *end = strchr(*at, '\n');

        if (end == NULL)
            return NULL;
        *end = '\0';
        words[n++] = *at;
        *at = end + 1;
    }
    words[n] = NULL;
    if (n == 0 || **at != '\n')
        return NULL;
    ++*at;
    return words;
}

static int start_image(struct image *image, char *const *words)
{
    char *env[ENV_MAX + 3], door[64], preload[] = "LD_PRELOAD=" PRELOADED;
    size_t n = 0;
    int rc;

    for (; environ[n] != NULL && n < ENV_MAX; n++)
        env[n] = environ[n];
    snprintf(door, sizeof(door), IMAGE_VARIABLE "=%llx", (unsigned long long)(uintptr_t)image);
    env[n++] = door;
    env[n++] = preload;
    env[n] = NULL;
    rc = image_start(image, words, env);
    return rc == 0 ? 0 : fail(words[0], -rc);
}

static int start_images(void)
{
    size_t len;
    char *text = read_file(STEPS, TEXT_MAX, &len), *at = text, **words;

    images[CC1].source = read_file("main.c", TEXT_MAX, &images[CC1].source_len);
    if (text == NULL || images[CC1].source == NULL)
        return fail("its files", EINVAL);
    for (int i = 0; i < IMAGES; i++)
        if ((words = cut_program(&at)) == NULL)
            return fail(STEPS, EINVAL);
        else if (start_image(&images[i], words) != 0)
            return -1;
    return 0;
}

static void exec_script(char *script) __attribute__((noreturn));
static void exec_script(char *script)
{
    char shell[] = "/bin/sh", option[] = "-c", *const argv[] = {shell, option, script, NULL};

    execve(shell, argv, environ);
    _exit(127);
}

static char *make_main(char *script, int warm, size_t *ret_len)
{
    pid_t pid = fork();

    if (pid == 0 && !warm)
        exec_script(script);
    if (pid == 0)
        _exit(compile() == MADE ? 0 : IMAGE_GAVE_UP);
    return wait_for(pid) == 0 ? read_file("main", 16 << 20, ret_len) : NULL;
}

static int prove(char *script)
{
    static const char source[] =
        "#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
        "struct pair { double key; const char *name; };\n"
        "static int by_key(const void *a, const void *b)\n{\n"
        "    const struct pair *x = a, *y = b;\n"
        "    return x->key < y->key ? -1 : x->key > y->key;\n}\n"
        "int main(int argc, char **argv)\n{\n"
        "    struct pair *p = calloc((size_t)argc + 2, sizeof(*p));\n"
        "    for (int i = 0; p != NULL && i < argc + 2; i++)\n"
        "        p[i] = (struct pair){sqrt(i * 7 % 5), i < argc ? argv[i] : __FILE__};\n"
        "    if (p != NULL)\n        qsort(p, (size_t)argc + 2, sizeof(*p), by_key);\n"
        "    switch (argc) {\n    case 1: puts(\"one\"); break;\n    case 2: puts(\"two\"); break;\n"
        "    case 3: puts(\"three\"); break;\n    case 4: puts(\"four\"); break;\n"
        "    case 5: puts(\"five\"); break;\n    default: printf(\"%d %s\\n\", __LINE__, p[0].name);\n    }\n"
        "    return p == NULL || strlen(p[0].name) > 3;\n}\n";
    size_t warm_len = 0, cold_len = 0;
    char *warm, *cold;
    int fd;

    unlink("main.c");
    if ((fd = open("main.c", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)) < 0 ||
        write_all(fd, source, sizeof(source) - 1) != 0)
        return fail("main.c", errno);
    close(fd);
    warm = make_main(script, 1, &warm_len);
    unlink("main");
    cold = make_main(script, 0, &cold_len);
    if (warm == NULL || cold == NULL || warm_len != cold_len || memcmp(warm, cold, cold_len) != 0)
        return fail(warm == NULL ? "it does not compile" : "it compiles to another file", EINVAL);
    free(warm);
    free(cold);
    return 0;
}

int main(int argc, char **argv)
{
    struct execd_zygote_job job;
    enum answer answer;
    int rc;

    /* The program break is the programs': our C library is to take no memory by it. */
    if (argc != 3 || mallopt(M_MMAP_THRESHOLD, 0) == 0 || fcntl(EXECD_ZYGOTE_FD, F_SETFD, FD_CLOEXEC) != 0)
        return 2;
    if (start_images() != 0 || prove(argv[1]) != 0)
        return 1;
    if ((rc = execd_zygote_serve(&job)) != 0)
        return -rc;
    answer = job.argc == 3 && strcmp(job.argv[2], argv[1]) == 0 ? compile() : ALL;
    if (answer == REST)
        job.argv[2] = argv[2];
    if (answer == REST || answer == ALL)
        execve(job.argv[0], job.argv, job.env);
    _exit(answer == MADE ? 0 : answer == REFUSED ? 1 : 127);
}
