/* cell.h - one sandbox; used by the jailer only.
 *
 * Theory of operation.  A *host* is made once: it finds the cgroups, leaves the machine's mount,
 * network, IPC and UTS namespaces, pivots into a small read-only root, and compiles the
 * seccomp filters.  After that a *cell* costs one clone3(2): its init (PID 1 of a new pid
 * namespace) copies that root's mounts, adds a private tmpfs (/box, /tmp, /dev/shm) and its own
 * /proc, becomes uid 1000 of a new user namespace, gives up every capability, and says ready.  Cells
 * are built before they are needed and know nothing of a language.
 *
 * To run, the host sizes the tmpfs through a handle that init sent (no path is opened), writes
 * the cgroup's limits and sends init one order with descriptors: init unpacks the files into the box,
 * forks the program (PID 2), and reports how it ended; the result is fixed at that moment.  Then init
 * kills whatever else lives in the cell, packs the files to keep, and exits, which ends the pid namespace.
 *
 *   BUILDING --ready--> READY --start--> RUNNING --exit--> ENDING --init is gone--> DEAD
 *   (any state) --kill--> DEAD
 *
 * Untrusted code shares a uid with its init but cannot touch it: init is not dumpable, PID 1 of
 * its namespace ignores signals from inside, ptrace and foreign prlimit are not in the filter.
 * Thread: one.  Nothing here blocks except cell_host_open(). */
#ifndef EXECD_CELL_H
#define EXECD_CELL_H

#include "base/base.h"
#include "job/job.h"

/* ---- bundles: what travels in sealed memfds ------------------------------------------- */

#define CELL_ENTRY_MAGIC 0x6c6c6563u
#define CELL_PATH_MAX 1024
enum cell_entry_kind { CELL_ENTRY_FILE = 1, CELL_ENTRY_DIR, CELL_ENTRY_ARG, CELL_ENTRY_ENV, CELL_ENTRY_KEEP };
/* Followed by path_len bytes of path and body_len bytes of body, without padding. */
struct cell_entry {
    uint32_t magic, kind, mode, path_len;
    uint64_t body_len;
};
struct cell_entry_view {
    struct cell_entry head;
    const char *path, *body; /* not terminated */
};
/* Walks a mapped bundle: 1 and *ret filled, 0 at the end, -EBADMSG if it is malformed.  *at starts at 0. */
int cell_entry_next(struct bytes bundle, size_t *at, struct cell_entry_view *ret);
/* Maps a memfd that must be sealed against writing, growing and shrinking. */
int cell_bundle_map(int fd, struct bytes *ret, struct err *reterr) NODISCARD;
void cell_bundle_unmap(struct bytes *b);

/* One datagram of exactly `size` bytes with up to 16 descriptors over a SOCK_SEQPACKET (unix(7), SCM_RIGHTS).
 * send: 0 or -errno.  recv: its size, 0 at the other side's end, -errno, -EBADMSG for another size;
 * descriptors received are the caller's and close-on-exec. */
int cell_message_send(int fd, const void *body, size_t size, const int *fds, size_t count, int flags);
ssize_t cell_message_recv(int fd, void *body, size_t size, int *fds, size_t max, size_t *ret_count,
                          int flags);

/* ---- the host --------------------------------------------------------------------------- */

struct cell_host;
struct cell_host_options {
    const char *cgroup_root;   /* NULL: found */
    uint32_t uid_base;         /* as root: slot i runs as uid_base + i */
    const char *const *mounts; /* NULL-terminated, '!' before those that must exist */
};
struct cell_host_facts {
    bool as_root;
    int cgroup_version;
    bool memory, pids, cpu, swap, oom_group;
    char cgroup_root[256], detail[512];
};
/* Not to be undone: this process changes its namespaces and its root. */
int cell_host_open(const struct cell_host_options *o, struct cell_host **ret, struct cell_host_facts *facts,
                   struct err *reterr) NODISCARD;
void cell_host_free(struct cell_host *h); /* after every cell */

/* ---- cells --------------------------------------------------------------------------------- */

struct cell;
enum cell_state { CELL_BUILDING, CELL_READY, CELL_RUNNING, CELL_ENDING, CELL_DEAD };
/* `slot`: unique among living cells. */
int cell_new(struct cell_host *h, unsigned slot, struct cell **ret, struct err *reterr) NODISCARD;
enum cell_state cell_state(const struct cell *c);

#define CELL_BUNDLES_MAX 4
struct cell_start {
    struct job_limits limits;
    uint32_t profile, extra_processes;
    uint64_t keep_bytes;
    bool check;  /* run the verification instead of a program */
    int args_fd; /* bundle of ARG, ENV and KEEP entries */
    int bundles[CELL_BUNDLES_MAX];
    unsigned bundle_count;
    int stdin_fd, stdout_fd, stderr_fd; /* stdin -1: /dev/null; all stay the caller's */
};
int cell_start(struct cell *c, const struct cell_start *s, struct err *reterr) NODISCARD;

/* Descriptors to poll: messages (POLLIN), the end of init (POLLIN), out of memory (*events; -1 if none). */
int cell_ctl_fd(const struct cell *c);
int cell_pid_fd(const struct cell *c);
int cell_oom_fd(const struct cell *c, short *events);
void cell_on_ctl(struct cell *c);
void cell_on_pid(struct cell *c);
void cell_on_oom(struct cell *c);
/* Looks at the deadlines of a running cell; returns when to look again (CLOCK_MONOTONIC, ns), UINT64_MAX:
 * never. */
uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns);
void cell_kill(struct cell *c, enum job_limit_hit why);

struct cell_result {
    struct job_measure measure;
    uint64_t forks_refused;
    int kept_fd;    /* the caller's; -1 if none */
    struct err err; /* code 0: measure holds */
};
/* Of a DEAD cell, once. */
void cell_result_take(struct cell *c, struct cell_result *ret);
/* Of a DEAD cell: false while the kernel still holds on to its cgroup (call again). */
bool cell_free(struct cell *c);

#endif
