/* job_limits.h - what one step may use and what it used: the part of job/ that the privileged program sees.
 */
#ifndef EXECD_JOB_LIMITS_H
#define EXECD_JOB_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct job_limits {
    uint64_t wall_ms;
    uint64_t cpu_ms;
    uint64_t memory_bytes;
    uint64_t cpu_millis;   /* rate: 1000 is one core; 0 is no limit */
    uint64_t processes;    /* processes and threads together */
    uint64_t output_bytes; /* of stdout, and of stderr, each */
    uint64_t file_bytes;   /* one file */
    uint64_t open_files;
    uint64_t box_bytes; /* the private tmpfs */
    uint64_t box_inodes;
    uint64_t stack_bytes;
};

enum job_limit_hit { /* which limit made the verdict */
                     JOB_HIT_NONE,
                     JOB_HIT_CPU,
                     JOB_HIT_WALL,
                     JOB_HIT_MEMORY,
                     JOB_HIT_OUTPUT
};

/* One step as it was measured. */
struct job_measure {
    bool ran;      /* the program was started */
    int exit_code; /* -1 unless it exited by itself */
    int signal;    /* 0 unless a signal ended it */
    uint64_t wall_ns, cpu_ns;
    uint64_t memory_bytes;  /* peak */
    bool oom;               /* the kernel's OOM killer hit its cgroup */
    bool processes_hit;     /* a fork or thread was refused by the limit of processes */
    bool box_hit;           /* the box was full (bytes or inodes) when the program ended */
    enum job_limit_hit hit; /* what the jailer or the worker killed it for */
};

#endif
