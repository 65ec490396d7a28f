/* jail.c - bench-jail: programs through the jailer, without HTTP, queue or plugins.
 *
 * bench-jail JAILER PROGRAM WIDTH.  It prints the jailer's pid, then for each line "COUNT PAUSE_MS" of its
 * input runs the program that often, WIDTH cells at a time, from where the cells show it (bubblewrap shows it
 * so as well; a copy of it in each box costs by its size), and prints one JSON object with the durations and
 * its own cpu time.  What the jailer and its cells used is for whoever started us to read: the jailer waits
 * for all of its cells. */
#include "jail/jail.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define WIDTH_MAX 64

struct lane { /* one of the cells that run at a time */
    uint64_t begun_ns;
    int out;
};
static struct {
    struct loop *loop;
    struct jail *jail;
    struct lane lanes[WIDTH_MAX];
    unsigned long left, running;
    uint64_t *took;
    size_t done;
} b;

static const struct job_limits limits = {.wall_ms = 10000,
                                         .cpu_ms = 10000,
                                         .memory_bytes = 128 * MIB,
                                         .processes = 32,
                                         .output_bytes = 65536,
                                         .file_bytes = 16 * MIB,
                                         .open_files = 64,
                                         .box_bytes = 16 * MIB,
                                         .box_inodes = 512,
                                         .stack_bytes = 8 * MIB};

static void die(const char *what, const struct err *err) __attribute__((noreturn));
static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench-jail: %s: %s\n", what, err != NULL ? err->text : strerror(errno));
    exit(1);
}

static uint64_t own_cpu_ns(void)
{
    struct rusage ru;

    getrusage(RUSAGE_SELF, &ru);
    return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000u;
}

static void begin(struct lane *lane);

static void on_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct lane *lane = arg;
    char said[16] = "";

    if (err != NULL || outcome->measure.exit_code != 0)
        die("the program did not run", err);
    if (read(lane->out, said, sizeof(said) - 1) <= 0 || strcmp(said, "hello\n") != 0)
        die("the program did not say hello", NULL);
    close(lane->out);
    b.took[b.done++] = clock_mono_ns() - lane->begun_ns;
    b.running--;
    if (b.left > 0)
        begin(lane);
    else if (b.running == 0)
        loop_stop(b.loop);
}

static void begin(struct lane *lane)
{
    static const char *const argv[] = {"/hello", NULL};
    struct jail_step step = {.argv = argv, .stdin_fd = -1, .limits = &limits, .profile = JAIL_PROFILE_STRICT};
    struct jail_run *run;
    struct err err = {0};
    int p[2];

    b.left--;
    b.running++;
    lane->begun_ns = clock_mono_ns();
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0)
        die("pipe", NULL);
    lane->out = p[0];
    step.stdout_fd = step.stderr_fd = p[1];
    if (jail_run(b.jail, &step, on_done, lane, &run, &err) != 0)
        die("run", &err);
    close(p[1]);
}

static void measure(unsigned long count, unsigned long pause_ms, unsigned long width)
{
    const struct timespec pause = {0, (long)(pause_ms % 1000) * 1000000};
    uint64_t cpu = own_cpu_ns(), wall = clock_mono_ns();

    b.took = mem_zero(count, sizeof(*b.took));
    b.done = 0;
    while (b.done < count) {
        b.left = pause_ms > 0 ? 1 : count;
        if (pause_ms > 0)
            nanosleep(&pause, NULL);
        for (size_t i = 0; i < width && b.left > 0; i++)
            begin(&b.lanes[i]);
        loop_run(b.loop);
    }
    printf("{\"cpu_ns\":%llu,\"wall_ns\":%llu,\"took\":[", (unsigned long long)(own_cpu_ns() - cpu),
           (unsigned long long)(clock_mono_ns() - wall));
    for (size_t i = 0; i < b.done; i++)
        printf("%s%llu", i == 0 ? "" : ",", (unsigned long long)b.took[i]);
    puts("]}");
    fflush(stdout);
    free(b.took);
}

int main(int argc, char **argv)
{
    char shown[PATH_MAX + 16], *program;
    const char *const mounts[] = {shown, NULL};
    const struct jail_root root = {.mounts = mounts};
    struct jail_options o = {.uid_base = 1900000000u};
    struct jail_process *process;
    struct err err = {0};
    uint64_t width;
    char line[64];

    if (argc != 4 || num_u64(argv[3], 1, WIDTH_MAX, &width) != 0) {
        fputs("usage: bench-jail JAILER PROGRAM WIDTH\n", stderr);
        return 2;
    }
    o.cells = o.spare = (unsigned)width;
    if (geteuid() != 0)
        o.accept_missing = 1u << JAIL_PROTECT_UID; /* an ordinary user has none to give */
    if ((program = realpath(argv[2], NULL)) == NULL)
        die(argv[2], NULL);
    snprintf(shown, sizeof(shown), "!%s:/hello", program);
    free(program);
    if (loop_new(&b.loop, &err) != 0 || jail_root_describe(&root, &o.root_fd, &err) != 0 ||
        jail_spawn(argv[1], NULL, &process, &err) != 0)
        die("start", &err);
    printf("%d\n", (int)jail_process_pid(process));
    if (jail_open(b.loop, process, &o, &b.jail, &err) != 0)
        die("jailer", &err);
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        unsigned long count, pause_ms;

        if (sscanf(line, "%lu %lu", &count, &pause_ms) != 2 || count == 0)
            break;
        measure(count, pause_ms, (unsigned long)width);
    }
    jail_free(b.jail);
    loop_free(b.loop);
    return 0;
}
