/* What a cell is, told from inside of it: identity, namespaces, limits, mounts, the process itself. */
#include <dirent.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static void lines_of(const char *path, const char *prefix)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    int n = 0;

    for (; f != NULL && fgets(line, sizeof(line), f) != NULL; n++)
        SAY("%s-%d %s%s", prefix, n, line, strchr(line, '\n') != NULL ? "" : "\n");
    if (f != NULL)
        fclose(f);
}

static void link_of(const char *name, const char *path)
{
    char to[256] = "";

    SAY("%s %s\n", name, readlink(path, to, sizeof(to) - 1) < 0 ? strerrorname_np(errno) : to);
}

int main(int argc, char **argv)
{
    static const char *const spaces[] = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"};
    static const struct { const char *name; int what; } limits[] = {
        {"core", RLIMIT_CORE}, {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE}, {"stack", RLIMIT_STACK},
        {"cpu", RLIMIT_CPU}, {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
        {"rtprio", RLIMIT_RTPRIO}};
    struct utsname uts;
    char path[64];

    for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++) {
        snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
        link_of(spaces[i], path);
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        struct rlimit l;
        getrlimit(limits[i].what, &l);
        SAY("limit-%s %lld %lld\n", limits[i].name, (long long)l.rlim_cur, (long long)l.rlim_max);
    }
    uname(&uts);
    SAY("hostname %s\nid %d\nparent %d\nsession %d\ngroup %d\n", uts.nodename, getpid(), getppid(), getsid(0) == getpid(),
        getpgrp() == getpid());
    link_of("stdin", "/proc/self/fd/0");
    lines_of("/proc/self/uid_map", "uid_map");
    lines_of("/proc/self/oom_score_adj", "oom_score_adj");
    lines_of("/proc/self/status", "status");
    lines_of("/proc/self/mountinfo", "mount");
    if (argc > 1)
        usleep((useconds_t)atoi(argv[1]) * 1000);
}
