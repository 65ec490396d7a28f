/* cells.h - real cells through the real jailer, for the tests that run programs in them. */
#ifndef EXECD_TEST_CELLS_H
#define EXECD_TEST_CELLS_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "jail/jail.h"

#define MIB (UINT64_C(1) << 20)

static struct loop *loop;
static struct jail *jail;
static pid_t jailer_pid;

struct ran {
    struct jail_outcome outcome;
    struct err err;
    bool over;
    char out[65536], errs[4096];
};

static const struct job_limits usual = {.wall_ms = 60000, /* for machines that are emulated on busy ones */
                                        .cpu_ms = 10000,
                                        .memory_bytes = 256 * MIB,
                                        .cpu_millis = 0,
                                        .processes = 32,
                                        .output_bytes = MIB,
                                        .file_bytes = 16 * MIB,
                                        .open_files = 64,
                                        .box_bytes = 32 * MIB,
                                        .box_inodes = 512,
                                        .stack_bytes = 8 * MIB};

/* A machine that lacks a protection by its nature may be named by the runner (an ordinary user has no uids to
 * give). */
static inline uint32_t accepted(void)
{
    const char *names = getenv("EXECD_TEST_ACCEPT_MISSING");
    uint32_t bits = 0;

    for (unsigned i = 0; names != NULL && i < JAIL_PROTECT_COUNT; i++)
        if (strstr(names, jail_protect_name(i)) != NULL)
            bits |= UINT32_C(1) << i;
    return bits;
}

static const char *const usual_mounts[] = {
    "!/usr/lib:/shown/lib", "/nowhere:/x", "/usr/bin/python3", "/usr/lib/python3.11", "/usr/lib/python3.12",
    "/usr/lib/python3.13",  NULL};

static inline int open_jail(unsigned cells, const char *const *mounts, struct err *err)
{
    const struct jail_root root = {.mounts = mounts};
    struct jail_options o = {
        .cells = cells, .spare = 2, .uid_base = 1900000000u, .accept_missing = accepted()};
    const char *path = getenv("EXECD_TEST_JAILER");
    struct jail_process *p;
    int rc;

    if (jail_root_describe(&root, &o.root_fd, err) != 0)
        return -1;
    rc = jail_spawn(path != NULL ? path : EXECD_JAILER, getenv("EXECD_TEST_CGROUP_ROOT"), &p, err);
    if (rc == 0) {
        jailer_pid = jail_process_pid(p);
        rc = jail_open(loop, p, &o, &jail, err);
    }
    close(o.root_fd);
    return rc;
}

static inline int setup(void **state)
{
    struct err err = {0};

    (void)state;
    if (loop_new(&loop, &err) != 0 || open_jail(4, usual_mounts, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    jail_free(jail);
    loop_free(loop);
    return 0;
}

static inline void on_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct ran *r = arg;

    r->over = true;
    r->outcome.kept_fd = -1;
    if (outcome != NULL)
        r->outcome = *outcome;
    if (err != NULL)
        r->err = *err;
    loop_stop(loop);
}

static inline void drain(int fd, char *text, size_t size)
{
    size_t got = 0;
    ssize_t n;

    while (got < size - 1 && (n = read(fd, text + got, size - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = '\0';
    close(fd);
}

struct begun {
    int out, err;
    struct jail_run *run;
};

static inline struct begun begin(struct ran *r, struct jail_step *s)
{
    struct err err = {0};
    struct begun b;
    int out[2], errs[2];

    memset(r, 0, sizeof(*r));
    assert_return_code(pipe2(out, O_CLOEXEC | O_NONBLOCK), errno);
    assert_return_code(pipe2(errs, O_CLOEXEC | O_NONBLOCK), errno);
    s->stdout_fd = out[1];
    s->stderr_fd = errs[1];
    if (s->limits == NULL)
        s->limits = &usual;
    if (s->profile == 0)
        s->profile = JAIL_PROFILE_STRICT;
    if (jail_run(jail, s, on_done, r, &b.run, &err) != 0)
        fail_msg("%s", err.text);
    close(out[1]);
    close(errs[1]);
    b.out = out[0];
    b.err = errs[0];
    return b;
}

static inline void finish(struct ran *r, struct begun b)
{
    while (!r->over)
        loop_run(loop);
    drain(b.out, r->out, sizeof(r->out));
    drain(b.err, r->errs, sizeof(r->errs));
}

static inline void run(struct ran *r, struct jail_step *s)
{
    finish(r, begin(r, s));
    if (r->err.code != 0)
        print_error("jailer says: %s\n", r->err.text);
}

#endif
