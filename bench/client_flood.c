/* client_flood.c - so many requests a second, whatever becomes of those before: clients do not slow down
 * because a server does.
 *
 * Connections are used in turn, so that none is idle for long, and one that the server closes is opened anew.
 * What became of each request is counted: it has its result (`good`, and how long that took), was refused
 * (503 or 429, and how long that took), was answered without a result yet (`pending`), by nobody knows
 * (`unsure`), otherwise (`wrong`), or not at all (`gone`).  `unsent`: it was due, and all connections were
 * busy. */
#include "client.h"

#include <sys/epoll.h>

struct herd {
    const struct flood *o;
    struct bodies bodies;
    struct http *clients;
    size_t *idle; /* a ring of those that have no request */
    size_t idle_first, idle_count;
    int epoll;
    uint64_t begin;
    size_t sent, unsent, pending, unsure, wrong, gone;
    struct samples good, good_at, refused;
};

static void join(struct herd *h, size_t i)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = i};

    http_open(&h->clients[i], h->o->port, h->o->path);
    if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->clients[i].fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void rejoin(struct herd *h, size_t i)
{
    http_close(&h->clients[i]);
    join(h, i);
}

static void put_idle(struct herd *h, size_t i)
{
    h->clients[i].sent_ns = 0;
    h->idle[(h->idle_first + h->idle_count++) % h->o->clients] = i;
}

static void send_one(struct herd *h)
{
    size_t i;

    if (h->idle_count == 0) {
        h->unsent++;
        return;
    }
    i = h->idle[h->idle_first];
    h->idle_first = (h->idle_first + 1) % h->o->clients;
    h->idle_count--;
    h->sent++;
    while (!http_try_send(&h->clients[i], &h->bodies))
        rejoin(h, i);
}

static void judge(struct herd *h, const struct http *c)
{
    uint64_t now = clock_mono_ns();

    if (c->status == 200 && http_good(c, h->o->expect)) {
        sample(&h->good, now - c->sent_ns);
        sample(&h->good_at, now - h->begin);
    } else if (c->status == 202) {
        h->pending++;
    } else if (c->status == 503 && memmem(c->body.ptr, c->body.len, ":unsure", 7) != NULL) {
        h->unsure++;
    } else if (c->status == 503 || c->status == 429) {
        sample(&h->refused, now - c->sent_ns);
    } else if (h->wrong++ == 0) {
        fprintf(stderr, "bench-client: not as expected: %d %.*s\n", c->status,
                (int)MIN(c->body.len, (size_t)600), c->body.ptr);
    }
}

static void hear(struct herd *h, size_t i)
{
    struct http *c = &h->clients[i];
    bool asked = c->sent_ns != 0;

    switch (http_try_read(c, false)) {
    case HTTP_MORE:
        return;
    case HTTP_WHOLE:
        judge(h, c);
        put_idle(h, i);
        return;
    case HTTP_GONE:
        rejoin(h, i);
        if (asked) {
            h->gone++;
            put_idle(h, i);
        }
    }
}

static void run(struct herd *h)
{
    const uint64_t until = h->begin + (uint64_t)(h->o->seconds * 1e9);
    struct epoll_event events[64];

    for (uint64_t now = h->begin; now < until || h->idle_count < h->o->clients; now = clock_mono_ns()) {
        uint64_t due = now < until ? (uint64_t)((double)(now - h->begin) / 1e9 * h->o->rate) : 0;
        int n;

        while (h->sent + h->unsent < due)
            send_one(h);
        n = epoll_wait(h->epoll, events, COUNT_OF(events), 1);
        for (int i = 0; i < n; i++)
            hear(h, events[i].data.u64);
    }
}

void flood(const struct flood *o)
{
    struct herd h = {.o = o, .epoll = epoll_create1(EPOLL_CLOEXEC)};

    bodies_read(&h.bodies, o->bodies);
    h.clients = mem_zero(o->clients, sizeof(*h.clients));
    h.idle = mem_zero(o->clients, sizeof(*h.idle));
    for (size_t i = 0; i < o->clients; i++) {
        join(&h, i);
        put_idle(&h, i);
    }
    h.begin = clock_mono_ns();
    run(&h);
    printf("{\"sent\":%zu,\"unsent\":%zu,\"pending\":%zu,\"unsure\":%zu,\"wrong\":%zu,\"gone\":%zu,", h.sent,
           h.unsent, h.pending, h.unsure, h.wrong, h.gone);
    print_samples("good", &h.good);
    putchar(',');
    print_samples("good_at", &h.good_at);
    putchar(',');
    print_samples("refused", &h.refused);
    puts("}");
}
