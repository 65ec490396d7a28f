/* client.c - bench-client: the side that measures.
 *
 * Theory of operation.  Four ways, each prints one JSON object:
 *
 *   pairs  one client; in each round a request and the same work by hand, in turn, a pause before each
 *   load   many connections, each with one request at a time, for some seconds or a number of requests
 *   flood  so many requests a second, whatever becomes of those before (client_flood.c)
 *   spawn  a command by hand, again and again, and the cpu time of all that it started
 *
 * An answer that lacks what it must have is counted, and the first is shown: speed of a wrong answer means
 * nothing.  What is measured and printed are the single durations; statistics are the reader's. */
#include "client.h"

#include <getopt.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPECT_MAX 8

struct options {
    int port;
    const char *path, *bodies;
    const char *expect[EXPECT_MAX + 1];
    size_t expect_count;
    unsigned long clients, rounds, count, pause_ms;
    double seconds, rate;
    char **command; /* after `--` */
};

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("bench-client: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void sample(struct samples *s, uint64_t ns)
{
    if (s->count == s->cap) {
        s->cap = MAX(s->cap * 2, (size_t)1024);
        s->ns = reallocarray(s->ns, s->cap, sizeof(*s->ns));
        if (s->ns == NULL)
            abort();
    }
    s->ns[s->count++] = ns;
}

void print_samples(const char *name, const struct samples *s)
{
    printf("\"%s\":[", name);
    for (size_t i = 0; i < s->count; i++)
        printf("%s%llu", i == 0 ? "" : ",", (unsigned long long)s->ns[i]);
    printf("]");
}

static void pause_for(unsigned long ms)
{
    const struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

static bool judge(const struct http *h, const struct options *o, size_t *wrong)
{
    if (http_good(h, o->expect))
        return true;
    if ((*wrong)++ == 0)
        fprintf(stderr, "bench-client: not as expected: %d %.*s\n", h->status,
                (int)MIN(h->body.len, (size_t)600), h->body.ptr);
    return false;
}

/* ---- pairs ---------------------------------------------------------------------------- */

static void pairs(const struct options *o)
{
    struct samples execd = {0}, bare = {0};
    struct bodies bodies = {0};
    struct http h = {0};
    size_t wrong = 0;

    bodies_read(&bodies, o->bodies);
    http_open(&h, o->port, o->path);
    for (unsigned long i = 0; i < o->rounds; i++) {
        pause_for(o->pause_ms);
        http_send(&h, &bodies);
        http_read(&h, true);
        sample(&execd, clock_mono_ns() - h.sent_ns);
        judge(&h, o, &wrong);
        if (o->command[0] == NULL)
            continue;
        pause_for(o->pause_ms);
        sample(&bare, spawn_all(o->command));
    }
    printf("{\"wrong\":%zu,", wrong);
    print_samples("execd", &execd);
    putchar(',');
    print_samples("bare", &bare);
    puts("}");
}

/* ---- load ------------------------------------------------------------------------------- */

static void load(const struct options *o)
{
    struct http *clients = mem_zero(o->clients, sizeof(*clients));
    struct samples took = {0}, at = {0};
    struct bodies bodies = {0};
    uint64_t begin, until;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t wrong = 0, sent = 0, open = o->clients;

    bodies_read(&bodies, o->bodies);
    for (size_t i = 0; i < o->clients; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = i};

        http_open(&clients[i], o->port, o->path);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &e) != 0)
            die("epoll_ctl: %s", strerror(errno));
    }
    begin = clock_mono_ns();
    until = o->count > 0 ? UINT64_MAX : begin + (uint64_t)(o->seconds * 1e9);
    for (size_t i = 0; i < o->clients; i++, sent++)
        http_send(&clients[i], &bodies);
    while (open > 0) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, COUNT_OF(events), -1);

        for (int i = 0; i < n; i++) {
            struct http *h = &clients[events[i].data.u64];
            uint64_t now;

            if (!http_read(h, false))
                continue;
            now = clock_mono_ns();
            sample(&took, now - h->sent_ns);
            sample(&at, now - begin);
            judge(h, o, &wrong);
            if (now < until && (o->count == 0 || sent < o->count)) {
                http_send(h, &bodies);
                sent++;
            } else {
                open--;
            }
        }
    }
    printf("{\"wrong\":%zu,", wrong);
    print_samples("took", &took);
    putchar(',');
    print_samples("at", &at);
    puts("}");
}

/* ---- spawn -------------------------------------------------------------------------------- */

static void spawn(const struct options *o)
{
    struct samples took = {0};
    struct rusage ru;

    /* Whom its parents did not wait for costs time as well. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        die("become a subreaper: %s", strerror(errno));
    for (unsigned long i = 0; i < o->count; i++) {
        pause_for(o->pause_ms);
        sample(&took, spawn_all(o->command));
        while (waitpid(-1, NULL, 0) > 0)
            continue;
    }
    getrusage(RUSAGE_CHILDREN, &ru);
    printf("{\"cpu_ns\":%llu,", (unsigned long long)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000u +
                                    (unsigned long long)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000u);
    print_samples("took", &took);
    puts("}");
}

/* ---- command line ---------------------------------------------------------------------------- */

static unsigned long number(const char *text)
{
    uint64_t n;

    if (num_u64(text, 0, 1000000000, &n) != 0)
        die("`%s` is no number", text);
    return (unsigned long)n;
}

static void take(struct options *o, int option)
{
    switch (option) {
    case 'p':
        o->port = (int)number(optarg);
        break;
    case 'u':
        o->path = optarg;
        break;
    case 'b':
        o->bodies = optarg;
        break;
    case 'e':
        if (o->expect_count == EXPECT_MAX)
            die("more than %d --expect", EXPECT_MAX);
        o->expect[o->expect_count++] = optarg;
        break;
    case 'c':
        o->clients = number(optarg);
        break;
    case 'r':
        o->rounds = number(optarg);
        break;
    case 'n':
        o->count = number(optarg);
        break;
    case 'w':
        o->pause_ms = number(optarg);
        break;
    case 's':
        o->seconds = strtod(optarg, NULL);
        break;
    case 'R':
        o->rate = strtod(optarg, NULL);
        break;
    default:
        die("see the head of bench/client.c");
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'u'},
        {"bodies", required_argument, NULL, 'b'},
        {"expect", required_argument, NULL, 'e'},
        {"clients", required_argument, NULL, 'c'},
        {"rounds", required_argument, NULL, 'r'},
        {"count", required_argument, NULL, 'n'},
        {"pause-ms", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'R'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.path = "/v1/jobs?wait=60", .clients = 1};
    int option;

    if (argc < 2)
        die("pairs, load, flood or spawn?");
    while ((option = getopt_long(argc - 1, argv + 1, "+", options, NULL)) != -1)
        take(&o, option);
    o.command = argv + 1 + optind;
    if (strcmp(argv[1], "pairs") == 0 && o.bodies != NULL)
        pairs(&o);
    else if (strcmp(argv[1], "load") == 0 && o.bodies != NULL)
        load(&o);
    else if (strcmp(argv[1], "flood") == 0 && o.bodies != NULL && o.rate > 0)
        flood(&(struct flood){o.port, o.path, o.bodies, o.expect, o.clients, o.rate, o.seconds});
    else if (strcmp(argv[1], "spawn") == 0 && o.command[0] != NULL)
        spawn(&o);
    else
        die("`%s`: see the head of bench/client.c", argv[1]);
    return 0;
}
