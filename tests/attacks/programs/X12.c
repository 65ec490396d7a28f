#include <dirent.h>
#include <ftw.h>
static void put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        SAY("%s %s\n", path, strerrorname_np(errno));
    else
        TRY(path, write(fd, value, strlen(value)));
    close(fd);
}
static int look(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    int fd = flag == FTW_F ? open(path, O_WRONLY | O_NONBLOCK) : -1;
    if (fd >= 0)
        printf("writable:%s yes\n", path);
    close(fd);
    return 0;
}
int main(void)
{
    put("/proc/sys/kernel/core_pattern", "|/box/main");
    put("/proc/sysrq-trigger", "h");
    put("/proc/sys/kernel/modprobe", "/box/main");
    put("/proc/sys/kernel/hostname", "x");
    put("/proc/sys/vm/overcommit_memory", "1");
    put("/proc/sys/vm/drop_caches", "1");
    put("/proc/sys/fs/binfmt_misc/register", ":x:M::x::/box/main:");
    put("/proc/sys/kernel/ns_last_pid", "1");
    put("/proc/sys/net/ipv4/ip_forward", "1");
    put("/proc/sys/user/max_user_namespaces", "1");
    put("/sys/kernel/uevent_helper", "/box/main");
    put("/sys/kernel/mm/transparent_hugepage/enabled", "never");
    put("/proc/self/attr/current", "unconfined");
    put("/proc/self/attr/exec", "exec unconfined");
    put("/proc/self/oom_score_adj", "-1000");
    put("/proc/1/oom_score_adj", "-1000");
    put("/proc/self/setgroups", "allow");
    put("/proc/self/uid_map", "0 0 1");
    put("/proc/irq/default_smp_affinity", "1");
    setvbuf(stdout, NULL, _IOFBF, 65536);
    DIR *d = opendir("/proc");
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300];
        snprintf(path, sizeof(path), "/proc/%s", e->d_name);
        if (e->d_name[0] != '.' && (e->d_name[0] < '0' || e->d_name[0] > '9') && strcmp(e->d_name, "thread-self") != 0)
            nftw(path, look, 20, FTW_PHYS);
    }
    nftw("/proc/self/.", look, 20, FTW_PHYS);
    nftw("/sys", look, 20, FTW_PHYS);
    SAY("control yes\n");
}
