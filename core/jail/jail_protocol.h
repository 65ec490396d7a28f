/* jail_protocol.h - what worker and jailer say to each other; the one header for both ends.
 *
 * SOCK_SEQPACKET, one `struct jail_message` a datagram, always whole; descriptors by SCM_RIGHTS.
 * Both are built together and run on one machine, so the layout is the compiler's; the version is
 * checked all the same.
 *
 *   worker                          jailer
 *     HELLO  [1 bundle: mounts, cgroup root] ->
 *                                <- READY (facts) | REFUSED (text)
 *     START  [args, files..., stdin?, stdout, stderr] ->
 *     KILL   ->
 *                                <- DONE [kept?] | FAILED (text), exactly one for each START
 *
 * The end of the worker's end kills every cell and ends the jailer. */
#ifndef EXECD_JAIL_PROTOCOL_H
#define EXECD_JAIL_PROTOCOL_H

#include "base/base.h"
#include "job/job.h"

#define JAIL_PROTOCOL_VERSION 1u
#define JAIL_SOCKET_FD 3 /* in the jailer */
#define JAIL_CELLS_MAX 512

/* Protections by name; doctor prints them, `worker.accept_missing` in the configuration names them. */
enum {
    JAIL_PROTECT_CGROUP_MEMORY = 1 << 0,
    JAIL_PROTECT_CGROUP_PIDS = 1 << 1,
    JAIL_PROTECT_CGROUP_CPU = 1 << 2,
    JAIL_PROTECT_SWAP = 1 << 3, /* swap is limited or there is none */
    JAIL_PROTECT_USERNS = 1 << 4,
    JAIL_PROTECT_PIDNS = 1 << 5,
    JAIL_PROTECT_MOUNTNS = 1 << 6,
    JAIL_PROTECT_NETNS = 1 << 7,
    JAIL_PROTECT_IPCNS = 1 << 8,
    JAIL_PROTECT_UTSNS = 1 << 9,
    JAIL_PROTECT_CGROUPNS = 1 << 10,
    JAIL_PROTECT_SECCOMP = 1 << 11,
    JAIL_PROTECT_ROOTFS = 1 << 12, /* read-only root */
    JAIL_PROTECT_UID = 1 << 13,    /* an own host uid for each cell */
    JAIL_PROTECT_CAPS = 1 << 14,
    JAIL_PROTECT_OOM_GROUP = 1 << 15,
    JAIL_PROTECT_PROC = 1 << 16, /* own /proc */
};
#define JAIL_PROTECT_COUNT 17

struct jail_facts {     /* what this jailer enforces; printed by doctor and /health */
    uint32_t enforced;  /* JAIL_PROTECT_* */
    uint32_t missing;   /* wanted and not to be had; non-zero only where accepted */
    int cgroup_version; /* 1, 2, or 0 for none */
    bool as_root;
    char cgroup_root[256];
    char detail[512]; /* for each missing: why and what to do, "; "-separated */
};

enum jail_message_type {
    JAIL_HELLO = 1,
    JAIL_READY,
    JAIL_REFUSED,
    JAIL_START,
    JAIL_KILL,
    JAIL_DONE,
    JAIL_FAILED
};

struct jail_hello {
    uint32_t version, cells, spare, uid_base;
};
struct jail_start {
    struct job_limits limits;
    uint64_t keep_bytes;
    uint32_t profile, extra_processes, bundle_count;
    bool has_stdin;
};
struct jail_done {
    struct job_measure measure;
    uint64_t processes_hit;
};
struct jail_message {
    uint32_t type, id;
    union {
        struct jail_hello hello;
        struct jail_facts facts; /* READY */
        struct err err;          /* REFUSED, FAILED */
        struct jail_start start;
        uint32_t why; /* KILL: enum job_limit_hit */
        struct jail_done done;
    } u;
};

#endif
