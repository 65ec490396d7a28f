/* probe_sight.c - what a program in a cell is and sees: ids, descriptors, mounts, /proc, limits. */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CELL_UID 1000
#define TMPFS 0x01021994
#define PROCFS 0x9fa0

extern char **environ;

/* ---- identity ------------------------------------------------------------------------ */

static const char *see_pids(const struct probe_order *o)
{
    DIR *d = opendir("/proc");
    const struct dirent *e;
    const char *wrong = NULL;

    (void)o;
    if (getpid() != 2 || getppid() != 1)
        wrong = probe_text("is process %d of parent %d, not 2 of 1", (int)getpid(), (int)getppid());
    if (d == NULL)
        return "cannot read /proc";
    while ((e = readdir(d)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]) && strtol(e->d_name, NULL, 10) > 2)
            wrong = probe_text("sees process %s", e->d_name);
    closedir(d);
    return wrong;
}

static const char *see_uid_map(const struct probe_order *o)
{
    char text[512];
    unsigned inside, outside, count;

    (void)o;
    if (!probe_read("/proc/self/uid_map", text, sizeof(text)) ||
        sscanf(text, "%u %u %u", &inside, &outside, &count) != 3)
        return "cannot read its uid_map";
    if (inside != CELL_UID || count != 1 || strchr(text, '\n') != strrchr(text, '\n'))
        return probe_text("has more ids than one: %.60s", text);
    return NULL;
}

/* Outside, a cell's uid is one of those that were set apart where there are uids to give. */
static const char *see_outer_uid(const struct probe_order *o)
{
    char text[512];
    unsigned inside, outside;

    if (o->uid_count == 0)
        return NULL;
    if (!probe_read("/proc/self/uid_map", text, sizeof(text)) ||
        sscanf(text, "%u %u", &inside, &outside) != 2)
        return "cannot read its uid_map";
    return outside >= o->uid_base && outside - o->uid_base < o->uid_count
               ? NULL
               : probe_text("is uid %u of the machine", outside);
}

static const char *see_ids(const struct probe_order *o)
{
    static const char *const keys[] = {"Uid", "Gid"};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcmp(probe_status(keys[i]), "1000\t1000\t1000\t1000") != 0)
            return probe_text("its %s are not all 1000", keys[i]);
    return o->root != 0 && probe_status("Groups")[0] != '\0' ? "has supplementary groups" : NULL;
}

static const char *see_caps(const struct probe_order *o)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

    (void)o;
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        if (strcmp(probe_status(sets[i]), "0000000000000000") != 0)
            return probe_text("%s is not empty", sets[i]);
    return NULL;
}

static const char *see_no_new_privs(const struct probe_order *o)
{
    (void)o;
    return strcmp(probe_status("NoNewPrivs"), "1") == 0 ? NULL : "could gain privileges by exec";
}

static const char *see_seccomp(const struct probe_order *o)
{
    (void)o;
    return strcmp(probe_status("Seccomp"), "2") == 0 ? NULL : "runs without a filter";
}

static const char *see_host_name(const struct probe_order *o)
{
    struct utsname u;

    (void)o;
    return uname(&u) == 0 && strcmp(u.nodename, "execd") == 0 ? NULL : "sees the machine's name";
}

static const char *see_session(const struct probe_order *o)
{
    (void)o;
    return getsid(0) == getpid() && getpgrp() == getpid() ? NULL : "is of another's session";
}

/* ---- what it was given ----------------------------------------------------------------- */

static const char *see_descriptors(const struct probe_order *o)
{
    DIR *d = opendir("/proc/self/fd");
    const struct dirent *e;
    const char *wrong = NULL;
    struct stat st;

    (void)o;
    if (d == NULL)
        return "cannot read /proc/self/fd";
    while ((e = readdir(d)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]) && strtol(e->d_name, NULL, 10) > 2 &&
            strtol(e->d_name, NULL, 10) != dirfd(d))
            wrong = probe_text("was given descriptor %s", e->d_name);
    closedir(d);
    if (wrong == NULL && (fstat(0, &st) != 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)))
        wrong = "its input is not /dev/null";
    return wrong;
}

static const char *see_environment(const struct probe_order *o)
{
    (void)o;
    return environ == NULL || environ[0] == NULL ? NULL : "was given an environment";
}

static const char *see_limits(const struct probe_order *o)
{
    const struct {
        __rlimit_resource_t which;
        bool said;
        const char *name;
        uint64_t most;
    } limits[] = {{RLIMIT_FSIZE, o->file_bytes != 0, "file size", o->file_bytes},
                  {RLIMIT_NOFILE, o->open_files != 0, "open files", o->open_files},
                  {RLIMIT_STACK, o->stack_bytes != 0, "stack", o->stack_bytes},
                  {RLIMIT_CPU, o->cpu_seconds != 0, "cpu time", o->cpu_seconds},
                  {RLIMIT_MEMLOCK, true, "locked memory", 65536},
                  {RLIMIT_MSGQUEUE, true, "message queues", 0},
                  {RLIMIT_NICE, true, "nice", 0},
                  {RLIMIT_RTPRIO, true, "real-time priority", 0}};

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct rlimit r;

        if (limits[i].said && (getrlimit(limits[i].which, &r) != 0 || r.rlim_max > limits[i].most))
            return probe_text("its limit of %s is not as ordered", limits[i].name);
    }
    return NULL;
}

/* A crash must not start the machine's helper for core dumps: only a limit of exactly 1 prevents it. */
static const char *see_core(const struct probe_order *o)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_cur > 1 || r.rlim_max > 1)
        return "a crash would write a core file";
    if ((r.rlim_cur == 1 && r.rlim_max == 1) || o->core_piped == 0)
        return NULL;
    return "a crash would start the program that kernel.core_pattern names: start execd with a hard limit of "
           "core size above 0 (ulimit -Hc, LimitCORE=), or as root";
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool can_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return fd >= 0;
}

static const char *see_root(const struct probe_order *o)
{
    static const char *const paths[] = {"/.probe",     "/usr/.probe",     "/usr/bin/.probe", "/etc/.probe",
                                        "/dev/.probe", "/proc/.probe",    "/run/.probe",     "/etc/passwd",
                                        "/etc/hosts",  "/usr/lib/.probe", "/bin/.probe",     "/lib/.probe"};

    (void)o;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (can_create(paths[i]))
            return probe_text("could write `%s`", paths[i]);
    return NULL;
}

static bool has_option(const char *options, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = options; p != NULL; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, len) == 0 && (p[len] == ',' || p[len] == '\0'))
            return true;
    }
    return false;
}

static const char *judge_mount(const char *at, const char *options, const char *type)
{
    static const char *const writable[] = {"/box", "/tmp", "/dev/shm", "/proc"};
    static const char *const never[] = {"cgroup", "cgroup2", "sysfs",    "debugfs", "tracefs", "securityfs",
                                        "mqueue", "bpf",     "configfs", "devpts",  "pstore",  "efivarfs"};
    bool may_write = false, device = strncmp(at, "/dev/", 5) == 0 && strcmp(at, "/dev/shm") != 0;

    for (size_t i = 0; i < COUNT_OF(writable); i++)
        may_write = may_write || strcmp(at, writable[i]) == 0;
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (strcmp(type, never[i]) == 0)
            return probe_text("is shown a %s at `%.60s`", type, at);
    if (!has_option(options, "nosuid"))
        return probe_text("set-user-ID files count in `%.60s`", at);
    if (!device && !has_option(options, "nodev"))
        return probe_text("devices count in `%.60s`", at);
    if (!may_write && !has_option(options, "ro"))
        return probe_text("`%.60s` is not read-only", at);
    if (strcmp(at, "/proc") == 0 && strcmp(type, "proc") == 0 && !has_option(options, "noexec"))
        return "files of /proc can be executed";
    return NULL;
}

/* proc(5): ID PARENT DEV ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS.  In a user namespace of an ordinary
 * user the machine's /proc lies covered beneath the cell's, read-only or not as the machine has it. */
static const char *see_mounts(const struct probe_order *o)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char line[4096], at[1024], options[1024], type[64];
    const char *wrong = NULL;

    (void)o;
    if (f == NULL)
        return "cannot read its mountinfo";
    while (wrong == NULL && fgets(line, sizeof(line), f) != NULL) {
        const char *rest = strstr(line, " - ");

        if (rest == NULL || sscanf(line, "%*s %*s %*s %*s %1023s %1023s", at, options) != 2 ||
            sscanf(rest + 3, "%63s", type) != 1)
            wrong = "its mountinfo makes no sense";
        else if (strcmp(at, "/proc") == 0 || strncmp(at, "/proc/", 6) != 0)
            wrong = strcmp(at, "/proc") == 0 && o->root == 0 ? NULL : judge_mount(at, options, type);
    }
    fclose(f);
    return wrong;
}

static const char *see_sys(const struct probe_order *o)
{
    static const char *const paths[] = {"/sys/kernel", "/sys/fs/cgroup", "/sys/class", "/cgroup"};

    (void)o;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (access(paths[i], F_OK) == 0)
            return probe_text("sees `%s`", paths[i]);
    return NULL;
}

static const char *see_cgroup(const struct probe_order *o)
{
    char text[4096];

    (void)o;
    if (!probe_read("/proc/self/cgroup", text, sizeof(text)))
        return "cannot read /proc/self/cgroup";
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        size_t len;

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        len = strlen(line);
        if (strstr(line, ":execd-") != NULL || strstr(line, "/execd-") != NULL)
            return probe_text("sees its place in the machine's cgroups: %.80s", line);
        if ((strstr(line, ":memory:") != NULL || strncmp(line, "0::", 3) == 0) &&
            (len < 2 || strcmp(line + len - 2, ":/") != 0))
            return probe_text("is not at the root of its cgroups: %.80s", line);
    }
    return NULL;
}

static const char *see_proc_subset(const struct probe_order *o)
{
    DIR *d = opendir("/proc");
    const char *wrong = d == NULL ? "cannot read /proc" : NULL;
    struct dirent *e;

    (void)o;
    while (wrong == NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && !isdigit((unsigned char)e->d_name[0]) && strcmp(e->d_name, "self") != 0 &&
            strcmp(e->d_name, "thread-self") != 0)
            wrong = probe_text("sees `/proc/%.60s`, which is no process", e->d_name);
    if (d != NULL)
        closedir(d);
    return wrong;
}

static const char *see_proc(const struct probe_order *o)
{
    static const char *const unreadable[] = {
        "/proc/1/environ", "/proc/1/mem", "/proc/1/maps",  "/proc/1/root", "/proc/1/fd/0",   "/proc/1/cwd/.",
        "/proc/kcore",     "/proc/kmsg",  "/proc/1/stack", "/proc/1/exe",  "/proc/1/syscall"};
    static const char *const unwritable[] = {
        "/proc/sysrq-trigger",          "/proc/sys/kernel/core_pattern",  "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/modprobe",    "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/pid_max",
        "/proc/sys/kernel/sem",         "/proc/1/oom_score_adj",          "/proc/1/uid_map",
        "/proc/sys/net/ipv4/ip_forward"};
    struct statfs s;

    (void)o;
    if (statfs("/proc", &s) != 0 || s.f_type != PROCFS)
        return "has no /proc of its own";
    for (size_t i = 0; i < COUNT_OF(unreadable); i++) {
        int fd = open(unreadable[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd >= 0) {
            close(fd);
            return probe_text("could open `%s`", unreadable[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(unwritable); i++) {
        int fd = open(unwritable[i], O_WRONLY | O_CLOEXEC);

        if (fd >= 0) {
            close(fd);
            return probe_text("could open `%s` to write", unwritable[i]);
        }
    }
    return NULL;
}

static const char *see_network(const struct probe_order *o)
{
    char text[8192], *line;
    unsigned lines = 0;

    (void)o;
    if (!probe_read("/proc/self/net/dev", text, sizeof(text)))
        return NULL; /* a kernel without network */
    for (line = text; (line = strchr(line, ':')) != NULL; line++) {
        char *name = line;

        while (name > text && !isspace((unsigned char)name[-1]))
            name--;
        if (strncmp(name, "lo:", 3) != 0 && strstr(name, "tunl") != name && strncmp(name, "sit0:", 5) != 0 &&
            strncmp(name, "ip6", 3) != 0 && strncmp(name, "gre", 3) != 0 && strncmp(name, "erspan", 6) != 0 &&
            strncmp(name, "ip_vti", 6) != 0)
            return probe_text("sees the network device %.20s", name);
    }
    if (!probe_read("/proc/self/net/route", text, sizeof(text)))
        return NULL;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    return lines > 1 ? "has a route" : NULL;
}

static const char *see_ipc(const struct probe_order *o)
{
    static const char *const paths[] = {"/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg"};
    char text[4096];

    (void)o;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (probe_read(paths[i], text, sizeof(text)) && strchr(text, '\n') != strrchr(text, '\n'))
            return probe_text("sees another's objects in %s", paths[i]);
    return NULL;
}

/* ---- the box ----------------------------------------------------------------------------------- */

static const char *const box_dirs[] = {"/box", "/tmp", "/dev/shm"};

static const char *see_box(const struct probe_order *o)
{
    for (size_t i = 0; i < COUNT_OF(box_dirs); i++) {
        char path[64];
        struct statfs s;

        snprintf(path, sizeof(path), "%s/.probe", box_dirs[i]);
        if (!can_create(path))
            return probe_text("cannot write to %s", box_dirs[i]);
        if (statfs(box_dirs[i], &s) != 0 || s.f_type != TMPFS)
            return probe_text("%s is no file system of its own", box_dirs[i]);
        if (o->box_bytes != 0 && (uint64_t)s.f_blocks * (uint64_t)s.f_bsize > o->box_bytes + 65535)
            return probe_text("%s may hold %llu bytes", box_dirs[i],
                              (unsigned long long)s.f_blocks * (unsigned long long)s.f_bsize);
        if (o->box_inodes != 0 && s.f_files > o->box_inodes)
            return probe_text("%s may hold %llu files", box_dirs[i], (unsigned long long)s.f_files);
    }
    return NULL;
}

/* Until it is full, for what statfs(2) says is no proof. */
static const char *fill_box(const struct probe_order *o)
{
    static char zeros[65536];
    uint64_t written = 0, made = 0;
    char path[64];
    int fd = open("/tmp/.probe-a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int other = open("/box/.probe-b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t n;

    if (o->box_bytes == 0 || fd < 0 || other < 0)
        return "cannot make a file in its box";
    while (written <= o->box_bytes && (n = write(fd, zeros, sizeof(zeros))) > 0)
        written += (uint64_t)n;
    if (o->file_bytes != 0 && written > o->file_bytes)
        return probe_text("could write a file of %llu bytes", (unsigned long long)written);
    while (written <= o->box_bytes && (n = write(other, zeros, sizeof(zeros))) > 0)
        written += (uint64_t)n;
    close(fd);
    close(other);
    unlink("/tmp/.probe-a");
    unlink("/box/.probe-b");
    for (; made <= o->box_inodes; made++) {
        snprintf(path, sizeof(path), "/dev/shm/.probe-%llu", (unsigned long long)made);
        if (mkdir(path, 0700) != 0)
            break;
    }
    for (uint64_t i = 0; i < made; i++) {
        snprintf(path, sizeof(path), "/dev/shm/.probe-%llu", (unsigned long long)i);
        rmdir(path);
    }
    if (written > o->box_bytes)
        return "could write more than its box holds";
    return o->box_inodes != 0 && made > o->box_inodes ? "could make more files than its box holds" : NULL;
}

const struct probe_try probe_sights[] = {{"pidns", see_pids},
                                         {"userns", see_uid_map},
                                         {"uid", see_outer_uid},
                                         {"ids", see_ids},
                                         {"caps", see_caps},
                                         {"no_new_privs", see_no_new_privs},
                                         {"seccomp", see_seccomp},
                                         {"utsns", see_host_name},
                                         {"session", see_session},
                                         {"descriptors", see_descriptors},
                                         {"rlimits", see_environment},
                                         {"rlimits", see_limits},
                                         {"core_dumps", see_core},
                                         {"rootfs", see_root},
                                         {"mountns", see_mounts},
                                         {"mountns", see_sys},
                                         {"cgroupns", see_cgroup},
                                         {"proc", see_proc},
                                         {"proc", see_proc_subset},
                                         {"netns", see_network},
                                         {"ipcns", see_ipc},
                                         {"box", see_box},
                                         {"box", fill_box},
                                         {NULL, NULL}};
