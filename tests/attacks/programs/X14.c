static void show(const char *path)
{
    int fd = open(path, O_RDONLY);
    static char text[1 << 15];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n < 0)
        SAY("@ %s %s\n", path, strerrorname_np(errno));
    else {
        text[n] = '\0';
        SAY("@ %s ok\n%s\n", path, text);
    }
    close(fd);
}
int main(void)
{
    static const char *const paths[] = {
        "/proc/self/mountinfo", "/proc/self/mounts", "/proc/cmdline", "/proc/timer_list", "/proc/keys", "/proc/key-users",
        "/proc/sched_debug", "/sys/kernel/debug/sched/debug", "/proc/net/unix", "/proc/net/tcp", "/proc/net/dev", "/proc/net/route",
        "/proc/kcore", "/proc/kmsg", "/dev/kmsg", "/proc/config.gz", "/proc/self/cgroup", "/proc/modules", "/proc/iomem",
        "/proc/slabinfo", "/proc/interrupts", "/proc/self/stack", "/proc/1/stack", "/proc/1/maps", "/proc/1/environ",
        "/proc/sysvipc/shm", "/proc/locks", "/proc/diskstats", "/proc/partitions", "/etc/hostname", "/proc/uptime",
        "/proc/loadavg", "/sys/class/net/eth0/address", "/sys/class/dmi/id/product_uuid", "/proc/scsi/scsi"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        show(paths[i]);
    FILE *f = fopen("/proc/kallsyms", "r");
    char line[300];
    int pointers = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        pointers += strtoull(line, NULL, 16) != 0;
    SAY("@ pointers %d\n", pointers);
    char b[100];
    TRY("@ syslog", syscall(SYS_syslog, 3, b, sizeof(b)));
    gethostname(b, sizeof(b));
    SAY("@ hostname %s\n", b);
}
