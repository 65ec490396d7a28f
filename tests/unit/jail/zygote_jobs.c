/* zygote_jobs.c - a program for cells: run with a command it does that and ends, run without it is a zygote
 * whose jobs do.  So whatever a test asks can be asked of a cold run and of a fork, and the answers compared.
 */
#include "execd/zygote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int jobs_seen; /* a fork's own copy */

/* ---- facts ------------------------------------------------------------------------ */

static void show_names(const char *path)
{
    struct dirent **list;
    int n = scandir(path, &list, NULL, alphasort);

    printf("%s:", path);
    for (int i = 0; i < n; i++)
        printf(" %s", list[i]->d_name);
    printf("\n");
}

static void show_file(const char *path, const char *const *without)
{
    FILE *f = fopen(path, "re");
    char line[4096];

    printf("%s: %s", path, f == NULL ? "none\n" : "\n");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        int skip = 0;

        for (size_t i = 0; without[i] != NULL; i++)
            skip |= strstr(line, without[i]) == line;
        if (!skip)
            fputs(line, stdout);
    }
    if (f != NULL)
        fclose(f);
}

/* Without the numbers of mounts, and without the owner of the box, who is a zygote's root; a procfs beneath
 * the cell's own is covered for good, where there is one. */
static void show_mounts(void)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char line[4096];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        const char *rest = line;

        for (int i = 0; i < 3 && rest != NULL; i++)
            rest = strchr(rest + (i > 0), ' ');
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, " - tmpfs box ") != NULL && strstr(line, ",uid=") != NULL)
            *strstr(line, ",uid=") = '\0';
        if (rest != NULL && (strstr(line, " /proc ") == NULL || strstr(line, "subset=pid") != NULL))
            puts(rest);
    }
    if (f != NULL)
        fclose(f);
}

static void show_words(const char *what, char *const *words)
{
    printf("%s:", what);
    for (; *words != NULL; words++)
        printf(" `%s`", *words);
    printf("\n");
}

static void show_descriptors(void)
{
    printf("descriptors:");
    for (int i = 0; i < 1024; i++)
        if (fcntl(i, F_GETFD) >= 0)
            printf(" %d", i);
    printf("\n");
}

static void facts(char **argv)
{
    /* of this process' own life so far, or the machine's */
    static const char *const vary[] = {
        "Vm",          "Rss",         "HugetlbPages", "Threads", "voluntary", "nonvoluntary",
        "Cpus_",       "Mems_",       "SigQ",         "x86_",    "Umask",     "untag",
        "Speculation", "THP_enabled", "Kthread",      "FDSize",  "State",     NULL};
    static const char *const of_init[] = {"Vm",     "Rss",    "HugetlbPages", "Threads",     "voluntary",
                                          "nonvol", "Cpus_",  "Mems_",        "SigQ",        "x86_",
                                          "Umask",  "untag",  "Speculation",  "THP_enabled", "Kthread",
                                          "State",  "FDSize", "SigIgn",       NULL};
    static const char *const all[] = {NULL};
    static const char *const shown[] = {"/box", "/tmp", "/dev/shm", "/", "/proc/1"};
    char cwd[256];
    mode_t mask = umask(0);

    umask(mask);
    printf("pid %d %d, session %d, group %d, uid %d %d, gid %d %d, groups %d\n", getpid(), getppid(),
           getsid(0) == getpid(), getpgrp() == getpid(), getuid(), geteuid(), getgid(), getegid(),
           getgroups(0, NULL));
    printf("umask %03o, cwd %s, dumpable %d\n", (unsigned)mask, getcwd(cwd, sizeof(cwd)),
           prctl(PR_GET_DUMPABLE));
    show_words("argv", argv);
    show_words("env", environ);
    show_descriptors();
    show_file("/proc/self/status", vary);
    show_file("/proc/1/status", of_init);
    show_file("/proc/self/limits", all);
    show_file("/proc/self/oom_score_adj", all);
    show_file("/proc/1/oom_score_adj", all);
    show_file("/proc/self/cgroup", all);
    show_file("/proc/1/cmdline", all);
    show_file("/proc/sys/kernel/hostname", all);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        show_names(shown[i]);
    show_mounts();
}

/* ---- what else a job may do --------------------------------------------------------- */

static void copy_input(void)
{
    char chunk[4096];
    ssize_t n;

    while ((n = read(0, chunk, sizeof(chunk))) > 0)
        if (write(1, chunk, (size_t)n) != n)
            _exit(9);
}

static int eat_memory(void)
{
    for (size_t i = 0; i < 4096; i++) {
        char *p = malloc(1 << 20);

        if (p == NULL)
            return 3;
        memset(p, 1, 1 << 20);
        *(char *volatile *)&p = p;
    }
    return 4;
}

static int fork_many(void)
{
    for (int i = 0; i < 1000; i++) {
        pid_t pid = fork();

        if (pid < 0) {
            printf("refused after %d: %s\n", i, strerror(errno));
            return 0;
        }
        if (pid == 0) {
            pause();
            _exit(0);
        }
    }
    return 4;
}

static int fill(const char *path)
{
    static char chunk[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    size_t all = 0;
    ssize_t n;

    while ((n = write(fd, chunk, sizeof(chunk))) > 0)
        all += (size_t)n;
    printf("%zu: %s\n", all, strerror(errno));
    return 0;
}

static int put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wxe");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        printf("%s: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

/* Seen from outside by its name, until its input ends. */
static void stay(const char *name)
{
    prctl(PR_SET_NAME, name);
    puts("here");
    fflush(stdout);
    for (;;)
        pause();
}

static int job(int argc, char **argv)
{
    const char *what = argv[1], *with = argc > 2 ? argv[2] : "";

    jobs_seen++;
    if (strcmp(what, "facts") == 0)
        facts(argv);
    else if (strcmp(what, "exit") == 0)
        return atoi(with);
    else if (strcmp(what, "signal") == 0)
        raise(atoi(with));
    else if (strcmp(what, "cat") == 0)
        copy_input();
    else if (strcmp(what, "burn") == 0)
        for (volatile int i = 0;; i++)
            ;
    else if (strcmp(what, "memory") == 0)
        return eat_memory();
    else if (strcmp(what, "fork") == 0)
        return fork_many();
    else if (strcmp(what, "fill") == 0)
        return fill(with);
    else if (strcmp(what, "put") == 0)
        return put_file(with, "x") + put_file("/tmp/here", "x") + put_file("/dev/shm/here", "x");
    else if (strcmp(what, "count") == 0)
        printf("%d\n", jobs_seen);
    else if (strcmp(what, "stay") == 0)
        stay(with);
    else
        return 64;
    return 0;
}

/* Handlers of a runtime's are there in each job. */
static void on_usr1(int signal)
{
    (void)signal;
    _exit(77);
}

int main(int argc, char **argv)
{
    struct execd_zygote_job mine;
    int rc;

    signal(SIGUSR1, on_usr1);
    if (argc > 1)
        return job(argc, argv);
    rc = execd_zygote_serve(&mine);
    if (rc != 0) {
        fprintf(stderr, "zygote_jobs: %s\n", strerror(-rc));
        return 1;
    }
    exit(job(mine.argc, mine.argv));
}
