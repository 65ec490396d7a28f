/* waiting.h - programs that wait in real cells, and get a job. */
#ifndef EXECD_TESTS_JAIL_WAITING_H
#define EXECD_TESTS_JAIL_WAITING_H

#include <poll.h>
#include <sys/socket.h>

#include "cells.h"

#include "execd/plugin.h"
#include "jail_internal.h"

#define WAIT_FOR_GO                                                                                          \
    "printf '\\001\\0\\0\\0\\0\\0\\0\\0' >&3; head -c 8 <&3 >/tmp/frame; exec 3<&-; " /* then the job */

struct waiting {
    struct ran ran;
    struct begun begun;
    int ours; /* end of the socket */
};

static const struct job_limits bounds = {.wall_ms = 1, /* until GO there is no end of time */
                                         .cpu_ms = 20000,
                                         .memory_bytes = 512 * MIB,
                                         .processes = 64,
                                         .output_bytes = MIB,
                                         .file_bytes = 64 * MIB,
                                         .open_files = 256,
                                         .box_bytes = 64 * MIB,
                                         .box_inodes = 512,
                                         .stack_bytes = 16 * MIB};

static inline void start(struct waiting *w, struct jail_step *s)
{
    const struct timeval patience = {.tv_sec = 60};
    int ends[2];

    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), errno);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    s->flags = JAIL_STEP_WAITS;
    s->warm_fd = ends[1];
    if (s->limits == NULL)
        s->limits = &bounds;
    w->begun = begin(&w->ran, s);
    w->ours = ends[0];
    close(ends[1]);
}

static inline void start_shell(struct waiting *w, const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", NULL};
    struct jail_step s = {.argv = argv, .env = env, .stdin_fd = -1};

    start(w, &s);
}

/* The frame READY came: the program waits.  False: it ended. */
static inline bool await_ready(struct waiting *w)
{
    unsigned char frame[8] = {0};
    ssize_t n = recv(w->ours, frame, sizeof(frame), MSG_WAITALL);

    return n == (ssize_t)sizeof(frame) && frame[0] == EXECD_FRAME_READY;
}

static inline int go(struct waiting *w, struct jail_go *g, struct err *err)
{
    if (g->limits == NULL)
        g->limits = &usual;
    g->go_fd = w->ours;
    return jail_go(w->begun.run, g, err);
}

static inline void end(struct waiting *w)
{
    finish(&w->ran, w->begun);
    close(w->ours);
}

/* From start to end, with a job within `limits`. */
static inline void warm(struct waiting *w, const char *job, const struct job_limits *limits)
{
    CLEAN_FREE char *script = mem_printf("%s%s", WAIT_FOR_GO, job);
    struct jail_go g = {.limits = limits};
    struct err err = {0};

    start_shell(w, script);
    assert_true(await_ready(w));
    if (go(w, &g, &err) != 0)
        fail_msg("%s", err.text);
    end(w);
}

static inline int bundle_of(const char *path, const char *text)
{
    struct jail_bundle *b = jail_bundle_new("files");
    struct err err = {0};
    int fd;

    assert_int_equal(jail_bundle_file(b, path, bytes_of(text), 0444, &err), 0);
    assert_int_equal(jail_bundle_seal(b, &fd, &err), 0);
    return fd;
}

static inline void assert_no_verdict(const struct waiting *w, const char *why)
{
    assert_true(w->ran.over);
    assert_int_equal(w->ran.err.code, ERR_AGAIN);
    if (strstr(w->ran.err.text, why) == NULL)
        fail_msg("`%s` is not said in: %s", why, w->ran.err.text);
}

#endif
