/* loop_io.c - descriptors and signals. */
#include "loop_internal.h"

struct loop_io {
    struct loop *loop;
    struct event *event;
    int fd, events;
    loop_io_fn fn;
    void *arg;
};

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    struct loop_io *io = arg;

    (void)fd;
    io->fn(io->arg, ((what & EV_READ) != 0 ? LOOP_READ : 0) | ((what & EV_WRITE) != 0 ? LOOP_WRITE : 0));
}

struct loop_io *loop_io_new(struct loop *loop, int fd, int events, loop_io_fn fn, void *arg)
{
    struct loop_io *io = NEW(struct loop_io);

    io->loop = loop;
    io->fd = fd;
    io->fn = fn;
    io->arg = arg;
    io->event = loop_event_new(loop, fd, EV_PERSIST, on_io, io);
    loop_io_set(io, events);
    return io;
}

void loop_io_set(struct loop_io *io, int events)
{
    short what = EV_PERSIST;

    if (events == io->events)
        return;
    io->events = events;
    event_del(io->event);
    if (events == 0)
        return;
    what = (short)(what | ((events & LOOP_READ) != 0 ? EV_READ : 0) |
                   ((events & LOOP_WRITE) != 0 ? EV_WRITE : 0));
    event_assign(io->event, io->loop->base, io->fd, what, on_io, io);
    event_add(io->event, NULL);
}

void loop_io_free(struct loop_io *io)
{
    if (io == NULL)
        return;
    event_free(io->event);
    free(io);
}

struct loop_signal {
    struct event *event;
    loop_fn fn;
    void *arg;
};

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct loop_signal *s = arg;

    (void)signo;
    (void)what;
    s->fn(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn fn, void *arg)
{
    struct loop_signal *s = NEW(struct loop_signal);

    s->fn = fn;
    s->arg = arg;
    s->event = loop_event_new(loop, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
    event_add(s->event, NULL);
    return s;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s == NULL)
        return;
    event_free(s->event);
    free(s);
}
