#include <dirent.h>
#include <ftw.h>
static int found;
static int look(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    static const char *const names[] = {"release_agent", "notify_on_release", "cgroup.procs", "memory.max", "memory.limit_in_bytes",
                                        "pids.max", "cgroup.subtree_control", "tasks"};
    for (int i = 0; i < 8; i++)
        if (strcmp(path + at->base, names[i]) == 0) {
            SAY("file%d %s\n", found++, path);
            int fd = open(path, O_WRONLY);
            if (fd >= 0)
                SAY("writable%d %s\n", found, path);
        }
    return 0;
}
int main(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/dev/cgroup", "/cgroup"};
    char name[200];
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "%s/child", places[i]);
        TRY(name, mkdir(name, 0755));
    }
    for (int i = 0; i < 5; i++)
        nftw(places[i], look, 20, FTW_PHYS);
    nftw("/sys", look, 20, FTW_PHYS);
    nftw("/proc/self", look, 20, FTW_PHYS);
    SAY("found %d\n", found);
    FILE *f = fopen("/proc/self/mountinfo", "r");
    char line[1000];
    int mounted = 0;
    while (fgets(line, sizeof(line), f) != NULL)
        mounted += strstr(line, " - cgroup") != NULL;
    SAY("mounted %d\n", mounted);
    f = fopen("/proc/self/cgroup", "r");
    while (fgets(line, sizeof(line), f) != NULL)
        fprintf(stderr, "%s", line);
}
