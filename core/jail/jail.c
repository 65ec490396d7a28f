/* jail.c - runs: asked for, answered, killed, lost. */
#include "jail_internal.h"

#include <sys/socket.h>
#include <unistd.h>

const struct jail_facts *jail_facts(const struct jail *j)
{
    return &j->facts;
}

void jail_on_lost(struct jail *j, loop_fn fn, void *arg)
{
    j->lost_fn = fn;
    j->lost_arg = arg;
}

unsigned jail_free_cells(const struct jail *j)
{
    return j->lost ? 0 : j->cells - j->busy;
}

/* ---- answers --------------------------------------------------------------------- */

static void run_end(struct jail_run *r, const struct jail_outcome *outcome, const struct err *err)
{
    struct jail *j = r->jail;
    jail_done_fn done = r->done;
    void *arg = r->arg;

    TAILQ_REMOVE(&j->runs, r, link);
    j->busy--;
    free(r);
    done(arg, outcome, err);
}

static void lose(struct jail *j)
{
    struct err err = {0};
    struct jail_run *r;

    if (j->lost)
        return;
    j->lost = true;
    loop_io_set(j->io, 0);
    err_set(&err, ERR_AGAIN, "the jailer ended");
    while ((r = TAILQ_FIRST(&j->runs)) != NULL)
        run_end(r, NULL, &err);
    if (j->lost_fn != NULL)
        j->lost_fn(j->lost_arg);
}

static void answer(struct jail *j, struct jail_message *m, int *kept)
{
    struct jail_outcome outcome = {
        .measure = m->u.done.measure, .processes_hit = m->u.done.processes_hit, .kept_fd = -1};
    struct jail_run *r;

    TAILQ_FOREACH (r, &j->runs, link)
        if (r->id == m->id)
            break;
    if (r == NULL)
        return;
    if (m->type == JAIL_FAILED) {
        m->u.err.text[sizeof(m->u.err.text) - 1] = '\0';
        if (m->u.err.code >= 0)
            m->u.err.code = ERR_INTERNAL;
        run_end(r, NULL, &m->u.err);
        return;
    }
    outcome.kept_fd = steal_fd(kept);
    run_end(r, &outcome, NULL);
}

void jail_read(struct jail *j)
{
    for (int i = 0; i < 64 && !j->lost; i++) { /* bounded: others want the loop too */
        struct jail_message m;
        size_t count;
        int fd = -1;
        ssize_t n = cell_message_recv(j->fd, &m, sizeof(m), &fd, 1, &count, MSG_DONTWAIT);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            lose(j);
            return;
        }
        if (m.type == JAIL_DONE || m.type == JAIL_FAILED)
            answer(j, &m, &fd);
        closep(&fd);
    }
}

/* ---- questions ---------------------------------------------------------------------- */

static int words(struct jail_bundle *b, uint32_t kind, const char *const *list, struct err *reterr)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && list != NULL && list[i] != NULL; i++)
        rc = jail_bundle_word(b, kind, list[i], reterr);
    return rc;
}

static int make_args(const struct jail_step *s, int *ret_fd, struct err *reterr)
{
    struct jail_bundle *b = jail_bundle_new("args");
    int rc = words(b, CELL_ENTRY_ARG, s->argv, reterr);

    if (rc == 0)
        rc = words(b, CELL_ENTRY_ENV, s->env, reterr);
    if (rc == 0)
        rc = words(b, CELL_ENTRY_KEEP, s->keep, reterr);
    if (rc != 0) {
        jail_bundle_free(b);
        return rc;
    }
    return jail_bundle_seal(b, ret_fd, reterr);
}

static int send_start(struct jail *j, uint32_t id, const struct jail_step *s, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_START, .id = id};
    CLEAN_FD int args = -1;
    int fds[1 + JAIL_BUNDLES_MAX + 3], rc;
    size_t n = 0;

    if ((rc = make_args(s, &args, reterr)) != 0)
        return rc;
    m.u.start = (struct jail_start){.limits = *s->limits,
                                    .keep_bytes = s->keep_bytes,
                                    .profile = (uint32_t)s->profile,
                                    .extra_processes = s->extra_processes,
                                    .bundle_count = s->bundle_count,
                                    .has_stdin = s->stdin_fd >= 0};
    fds[n++] = args;
    for (unsigned i = 0; i < s->bundle_count; i++)
        fds[n++] = s->bundles[i];
    if (s->stdin_fd >= 0)
        fds[n++] = s->stdin_fd;
    fds[n++] = s->stdout_fd;
    fds[n++] = s->stderr_fd;
    rc = cell_message_send(j->fd, &m, sizeof(m), fds, n, MSG_DONTWAIT);
    return rc == 0 ? 0 : err_set(reterr, ERR_AGAIN, "ask the jailer: %s", strerror(-rc));
}

int jail_run(struct jail *j, const struct jail_step *step, jail_done_fn done, void *arg,
             struct jail_run **ret, struct err *reterr)
{
    struct jail_run *r;
    uint32_t id = ++j->next_id;
    int rc;

    if (j->lost)
        return err_set(reterr, ERR_AGAIN, "the jailer ended");
    if (j->busy == j->cells)
        return err_set(reterr, ERR_FULL, "all %u cells are busy", j->cells);
    if (step->bundle_count > JAIL_BUNDLES_MAX || step->argv[0] == NULL)
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles or without a program",
                       step->bundle_count);
    if ((rc = send_start(j, id, step, reterr)) != 0)
        return rc;
    r = NEW(struct jail_run);
    r->jail = j;
    r->id = id;
    r->done = done;
    r->arg = arg;
    TAILQ_INSERT_TAIL(&j->runs, r, link);
    j->busy++;
    *ret = r;
    return 0;
}

void jail_kill(struct jail_run *run, enum job_limit_hit why)
{
    struct jail_message m = {.type = JAIL_KILL, .id = run->id};

    m.u.why = (uint32_t)why;
    if (cell_message_send(run->jail->fd, &m, sizeof(m), NULL, 0, MSG_DONTWAIT) != 0)
        shutdown(run->jail->fd, SHUT_RDWR); /* deaf: then it ends with every cell, and we learn of it */
}
