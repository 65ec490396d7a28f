/* replay.c - a fuzz target without a fuzzer: runs it over files and folders of files, each within a time.
 *
 * A folder that is not there, or is empty, is none to run over: a target without regressions has no such
 * folder. */
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "fuzz.h"

#define SECONDS_MAX 20 /* of one file, on a busy machine and with sanitizers */

static const char *running = "(none)";
static unsigned long files;

static void on_alarm(int signo)
{
    static const char text[] = "takes too long: ";

    (void)signo;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
        write(STDERR_FILENO, running, strlen(running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(3);
    abort();
}

static void on_abort(int signo)
{
    static const char text[] = "with the input ";

    (void)signo;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
        write(STDERR_FILENO, running, strlen(running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(3);
}

static int run_file(const char *path)
{
    CLEAN_BUF struct buf bytes = {0};
    CLEAN(fclosep) FILE *f = fopen(path, "rbe");
    char *exact;
    size_t n;

    if (f == NULL || buf_reserve(&bytes, 4096) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    while ((n = fread(bytes.data + bytes.len, 1, 4096, f)) > 0) {
        bytes.len += n;
        if (buf_reserve(&bytes, 4096) != 0)
            return 1;
    }
    running = path;
    exact = fuzz_copy(bytes.data, bytes.len);
    alarm(SECONDS_MAX);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, bytes.len);
    alarm(0);
    free(exact);
    files++;
    return 0;
}

static int run_path(const char *path)
{
    struct dirent **names;
    struct stat st;
    int count, rc = 0;

    if (stat(path, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return run_file(path);
    count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        CLEAN_FREE char *below = mem_printf("%s/%s", path, names[i]->d_name);

        if (names[i]->d_name[0] != '.')
            rc |= run_path(below);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = 0;

    signal(SIGALRM, on_alarm);
    sigaction(SIGABRT, &(struct sigaction){.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND}, NULL);
    for (int i = 1; i < argc; i++)
        rc |= run_path(argv[i]);
    if (files == 0) {
        fprintf(stderr, "%s: no files to run over\n", argv[0]);
        return 1;
    }
    printf("%lu files\n", files);
    return rc;
}
