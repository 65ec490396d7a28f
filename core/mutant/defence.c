/* defence.c - the table of the sandbox's defences, and which of them are off in this process (tests only).
 *
 * `execd-jailer-mutant --list` prints it.  Started with names, the jailer goes without these defences and
 * hands the names on to the execd-init-mutant of each cell, so that one list holds for both sides.  A name
 * that the table lacks, be it asked for in the code or given on the command line, ends the process: a test
 * that switches nothing off would prove nothing. */
#include "base/defence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutant.h"

static const struct {
    const char *name, *what;
} table[] = {
    /* namespaces */
    {"userns", "a user namespace for each cell"},
    {"pidns", "a pid namespace for each cell"},
    {"mountns", "a mount namespace for each cell"},
    {"netns", "an empty network namespace for all cells"},
    {"ipcns", "an IPC namespace for each cell"},
    {"utsns", "a UTS namespace for each cell"},
    {"cgroupns", "a cgroup namespace for each cell"},
    {"hostname", "a host name that says nothing of the machine's"},
    /* cgroups */
    {"cgroup_join", "a cell's processes are in its cgroup at all"},
    {"cgroup_memory", "the limit of memory"},
    {"cgroup_swap", "the limit of swap"},
    {"cgroup_pids", "the limit of processes"},
    {"cgroup_cpu", "the rate of cpu"},
    {"oom_group", "v2: out of memory, the kernel kills the whole cell"},
    {"oom_kill", "out of memory, the jailer kills the whole cell"},
    {"oom_score", "out of memory, the program dies before its init"},
    /* the ends of a cell */
    {"wall_deadline", "the limit of wall time"},
    {"cpu_deadline", "the limit of cpu time, as the cgroup measures it"},
    {"kill_init", "a kill ends PID 1, and so the pid namespace"},
    {"kill_cgroup", "a kill ends every process of the cgroup"},
    {"kill_rest", "when the program ends, what it left behind is killed before files are kept"},
    {"worker_end", "the worker's end kills every cell"},
    {"pdeathsig", "the jailer's end kills PID 1"},
    /* identity */
    {"uid", "as root: a cell's uid is nobody's"},
    {"slot_uid", "as root: each cell has a uid of its own"},
    {"groups", "no supplementary groups"},
    {"caps_drop", "every capability is given up"},
    {"caps_bounding", "the bounding set is emptied"},
    {"jailer_caps", "the jailer keeps few capabilities"},
    {"no_new_privs", "no privilege comes by exec"},
    {"init_dumpable", "PID 1 is not dumpable, so nobody looks into it"},
    {"session", "the program has a session of its own"},
    /* what the program is given */
    {"descriptors", "the program has its three descriptors and no others"},
    {"stdin_null", "without input, stdin is /dev/null"},
    {"environment", "the environment is the order's"},
    {"rlimit_core", "a core size of 1, with which a crash starts no helper of the machine"},
    {"rlimit_fsize", "the limit of one file's size"},
    {"rlimit_nofile", "the limit of open files"},
    {"rlimit_stack", "the limit of the stack"},
    {"rlimit_cpu", "the limit of cpu time of one process, behind the cgroup's"},
    {"rlimit_memlock", "the limit of locked memory"},
    {"rlimit_msgqueue", "the limit of POSIX message queues"},
    {"rlimit_nice", "the limit of nice"},
    {"rlimit_rtprio", "the limit of real-time priority"},
    /* files */
    {"rootfs_readonly", "the root and all that is shown of the machine is read-only"},
    {"rootfs_nosuid", "set-user-ID files of the machine do not count"},
    {"rootfs_nodev", "devices of the machine do not count"},
    {"etc_standins", "/etc is ours, not the machine's"},
    {"dev_minimal", "/dev holds five harmless devices"},
    {"proc_own", "/proc is the cell's own"},
    {"proc_flags", "/proc is nosuid, nodev, noexec"},
    {"proc_subset", "/proc shows processes alone"},
    {"box_nosuid", "set-user-ID files of the box do not count"},
    {"box_nodev", "devices of the box do not count"},
    {"box_bytes", "the box' limit of bytes"},
    {"box_inodes", "the box' limit of files"},
    /* files in and out */
    {"resolve", "paths are resolved beneath the box, without links"},
    {"keep_regular", "nothing but regular files is kept"},
    {"keep_bytes", "the limit of kept bytes"},
    {"keep_entries", "the limit of kept files"},
    {"keep_seal", "what was kept is sealed"},
    {"bundle_seals", "bundles that are not sealed are refused"},
    {"message_size", "messages of another size are refused"},
    /* system calls */
    {"seccomp", "the filter as a whole"},
    {"seccomp_default", "calls that no list names are refused"},
    {"seccomp_arch", "another architecture's calls end the process"},
    {"seccomp_x32", "x32 calls end the process"},
    {"seccomp_unknown", "calls newer than the lists do not exist"},
};

static char **off;
static size_t off_count;

static bool known(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return true;
    for (size_t i = 0; mutant_groups[i].name != NULL; i++)
        if (strcmp(mutant_groups[i].name, name) == 0)
            return true;
    return false;
}

static void must_be_known(const char *name)
{
    if (known(name))
        return;
    fprintf(stderr, "mutant: there is no defence `%s`; --list names them\n", name);
    _Exit(2);
}

bool cell_defence(const char *name)
{
    must_be_known(name);
    for (size_t i = 0; i < off_count; i++)
        if (strcmp(off[i], name) == 0)
            return false;
    return true;
}

static void list(void) __attribute__((noreturn));
static void list(void)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        printf("%s\t%s\n", table[i].name, table[i].what);
    for (size_t i = 0; mutant_groups[i].name != NULL; i++)
        printf("%s\t%s\n", mutant_groups[i].name, mutant_groups[i].what);
    exit(0);
}

void cell_defence_take(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        list();
    off = argv + 1;
    off_count = argc > 0 ? (size_t)argc - 1 : 0;
    for (size_t i = 0; i < off_count; i++)
        must_be_known(off[i]);
}

char *const *cell_defence_argv(const char *program)
{
    char **argv = calloc(off_count + 2, sizeof(*argv));

    if (argv == NULL)
        abort();
    argv[0] = (char *)(uintptr_t)program;
    memcpy(argv + 1, off, off_count * sizeof(*argv));
    return argv;
}
