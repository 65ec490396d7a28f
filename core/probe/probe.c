/* probe.c - the program: its order, its report (theory of operation: probe.h). */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_TRIED (UINT64_C(128) << 20)

const char *probe_text(const char *fmt, ...)
{
    static char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return text;
}

bool probe_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    ssize_t n = -1;

    while (fd >= 0 && got < size - 1 && (n = read(fd, text + got, size - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = '\0';
    if (fd >= 0)
        close(fd);
    return fd >= 0 && n >= 0;
}

const char *probe_status(const char *key)
{
    static char text[8192], value[256];
    size_t len = strlen(key);

    value[0] = '\0';
    if (!probe_read("/proc/self/status", text, sizeof(text)))
        return value;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (strncmp(line, key, len) == 0 && line[len] == ':') {
            snprintf(value, sizeof(value), "%s", line + len + 1 + strspn(line + len + 1, " \t"));
            for (char *end = value + strlen(value); end > value && end[-1] == ' ';)
                *--end = '\0';
            break;
        }
    }
    return value;
}

/* ---- the memory limit ---------------------------------------------------------------- */

static int use_memory(void)
{
    char *p = mmap(NULL, MEMORY_TRIED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        puts("cgroup_memory: memory could not even be mapped");
        return 1;
    }
    for (uint64_t i = 0; i < MEMORY_TRIED; i += 4096)
        p[i] = 1;
    printf("cgroup_memory: could use %llu MiB beyond its limit\n", (unsigned long long)MEMORY_TRIED >> 20);
    return 0;
}

/* ---- the order ------------------------------------------------------------------------- */

static bool take(struct probe_order *o, const char *word)
{
    const struct {
        const char *name;
        uint64_t *value;
    } known[] = {{"profile", &o->profile},         {"root", &o->root},
                 {"processes", &o->processes},     {"open_files", &o->open_files},
                 {"file_bytes", &o->file_bytes},   {"stack_bytes", &o->stack_bytes},
                 {"cpu_seconds", &o->cpu_seconds}, {"box_bytes", &o->box_bytes},
                 {"box_inodes", &o->box_inodes},   {"core_piped", &o->core_piped},
                 {"uid_base", &o->uid_base},       {"uid_count", &o->uid_count}};

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t len = strlen(known[i].name);

        if (strncmp(word, known[i].name, len) == 0 && word[len] == '=') {
            *known[i].value = strtoull(word + len + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

static void report(const struct probe_try *t, const struct probe_order *o)
{
    for (; t->name != NULL; t++) {
        const char *wrong = t->fn(o);

        printf("%s: %s\n", t->name, wrong == NULL ? "ok" : wrong);
        fflush(stdout); /* should a later one end us, it is known how far we came */
    }
}

int main(int argc, char **argv)
{
    struct probe_order order = {0};

    signal(SIGXFSZ, SIG_IGN);
    if (argc == 2 && strcmp(argv[1], "memory") == 0)
        return use_memory();
    for (int i = 1; i < argc; i++)
        if (!take(&order, argv[i])) {
            fprintf(stderr, "execd-probe: `%s`? execd runs this in a cell, see probe.h\n", argv[i]);
            return 2;
        }
    report(probe_sights, &order);
    report(probe_attempts, &order);
    puts("end: ok");
    return 0;
}
