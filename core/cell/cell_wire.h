/* cell_wire.h - what the two sides of a cell's border say to each other, and in which form.
 *
 * The jailer's side is cell.c; inside, without any privilege, is the program execd-init (core/init/). */
#ifndef EXECD_CELL_WIRE_H
#define EXECD_CELL_WIRE_H

#include "base/core.h"
#include "base/defence.h"
#include "job/job_limits.h"

/* ---- bundles: what travels in sealed memfds ------------------------------------------- */

#define CELL_ENTRY_MAGIC 0x6c6c6563u
#define CELL_PATH_MAX 1024
enum cell_entry_kind {
    CELL_ENTRY_FILE = 1,
    CELL_ENTRY_DIR,
    CELL_ENTRY_ARG,
    CELL_ENTRY_ENV,
    CELL_ENTRY_KEEP,
    /* of a root's description only: */
    CELL_ENTRY_LINK, /* body: its text */
    CELL_ENTRY_ROOT, /* body: the folder that sources lie in */
    CELL_ENTRY_TREE, /* body: source, a path without links; mode 1: of the machine, whatever ROOT says */
    CELL_ENTRY_COVER /* a file that cells must not have, below a TREE */
};
#define CELL_TREES_MAX 128
#define CELL_COVERS_MAX 64
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

/* ---- orders and news ------------------------------------------------------------------ */

#define CELL_UID 1000u
#define CELL_UID_FIRST 1u /* as root a zygote knows slot i as CELL_UID_FIRST + i */
#define CELL_PROFILES 3
#define CELL_SLOTS_MAX 512
#define CELL_BUNDLES_MAX 4
#define CELL_FDS_MAX (1 + CELL_BUNDLES_MAX + 1 + 3)
/* In execd-init: the socket to the host, the tmpfs' handle, and, until it is executed, itself. */
enum { CELL_FD_CTL = 3, CELL_FD_BOX, CELL_FD_INIT };

/* A step, from the worker through the host to init, with descriptors: arguments, bundles, stdin if there is
 * one, stdout, stderr, the program's socket if there is one.  A program that waits gets its job by a second
 * one, of which limits, extra_processes and bundle_count count, with descriptors: bundles, the socket's other
 * end. */
struct cell_order {
    struct job_limits limits;
    uint64_t keep_bytes;
    uint32_t profile, extra_processes, bundle_count, flags;
    uint32_t zygote;             /* 0, or the run that is to be forked for this one: the jailer's */
    uint8_t has_stdin, has_warm; /* 0 or 1 */
};
enum {                   /* flags */
       CELL_WAITS = 1,   /* the program is started without its job */
       CELL_ZYGOTE = 2,  /* the program makes cells, of forks of itself, and keeps what that takes */
       CELL_EXECUTES = 4 /* in a zygote's cell: argv is executed, and the zygote's program does not go on */
};
#define CELL_FD_WARM 3   /* EXECD_WARM_FD of <execd/plugin.h>: the socket, in the program */
#define CELL_FRAME_GO 4u /* EXECD_FRAME_GO: what init writes into its other end */
enum cell_news_kind {
    CELL_NEWS_READY = 1,
    CELL_NEWS_EXIT,
    CELL_NEWS_KEPT,
    CELL_NEWS_FAILED,
    CELL_NEWS_BEGUN,
    CELL_NEWS_SERVES
};
/* Init to host.  READY carries the tmpfs' handle and, from a fork of a zygote, init's pidfd; SERVES the
 * socket where a zygote is asked for cells; BEGUN says that a program that waited is about to be told of its
 * job; EXIT comes when the program ended, KEPT, with the bundle, when everything else in the cell is dead
 * too. */
struct cell_news {
    uint32_t kind;
    int32_t exit_code, signal;
    uint32_t box_full;                   /* not 0: no byte or no inode was left */
    uint64_t wall_ns, cpu_ns, rss_bytes; /* the last two for machines without cgroups */
    struct err err;
};
/* Host to zygote: a cell, please.  With descriptors: the cell's end of its socket to the
 * host, execd-init, and the files that its process writes itself into to be in its cgroups. */
struct cell_request {
    uint32_t uid; /* as its receiver knows it; 0: it has no other to give */
};

#endif
