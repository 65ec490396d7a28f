/* jail_protocol.h - what worker and jailer say to each other; the one header for both ends.
 *
 * SOCK_SEQPACKET, one `struct jail_message` a datagram, always whole; descriptors by SCM_RIGHTS.
 * Both are built together and run on one machine, so the layout is the compiler's; the version is
 * checked all the same.
 *
 *   worker                          jailer
 *     GROUPS [the cgroups' bases...] ->           (at once, so that whatever comes the jailer removes them)
 *     HELLO  [1 bundle: what cells show] ->
 *                                <- READY (as root?) | REFUSED (text)
 *     START  [args, files..., stdin?, stdout, stderr, socket?] ->
 *     GO     [files..., socket's other end] ->         (once, to a program that waits)
 *     KILL   ->
 *     PING   ->
 *                                <- PONG
 *                                <- DONE [kept?] | FAILED (text), exactly one for each START
 *
 * The end of the worker's end kills every cell and ends the jailer. */
#ifndef EXECD_JAIL_PROTOCOL_H
#define EXECD_JAIL_PROTOCOL_H

#include "base/core.h"
#include "cell/cell_wire.h"
#include "cgroup/cgroup.h"
#include "job/job_limits.h"

#define JAIL_PROTOCOL_VERSION 3u
#define JAIL_SOCKET_FD 3 /* in the jailer */
#define JAIL_CELLS_MAX CELL_SLOTS_MAX
#define JAIL_IDS_MAX (2 * CELL_SLOTS_MAX) /* from uid_base: the slots', and those of the roots of zygotes */

enum jail_message_type {
    JAIL_GROUPS = 1,
    JAIL_HELLO,
    JAIL_READY,
    JAIL_REFUSED,
    JAIL_START,
    JAIL_KILL,
    JAIL_DONE,
    JAIL_FAILED,
    JAIL_PING,
    JAIL_PONG,
    JAIL_GO
};

struct jail_hello {
    uint32_t version, cells, spare, uid_base;
};
struct jail_done {
    struct job_measure measure;
    uint64_t processes_hit;
};
struct jail_message {
    uint32_t type, id;
    union {
        struct cgroups groups; /* the bases that are not -1 come along, in order */
        struct jail_hello hello;
        bool as_root;            /* READY */
        struct err err;          /* REFUSED, FAILED */
        struct cell_order order; /* START, GO */
        uint32_t why;            /* KILL: enum job_limit_hit */
        struct jail_done done;
    } u;
};

#endif
