/* client_http.c - just enough HTTP to be no part of what is measured: one write, one read, no copies. */
#include "client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

void bodies_read(struct bodies *b, const char *file)
{
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    if (f == NULL)
        die("%s: %s", file, strerror(errno));
    while ((n = getline(&line, &size, f)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        b->lines = reallocarray(b->lines, b->count + 1, sizeof(*b->lines));
        if (b->lines == NULL)
            abort();
        b->lines[b->count++] = mem_dup(line);
    }
    free(line);
    fclose(f);
    if (b->count == 0)
        die("%s: no request in it", file);
    random_bytes(&b->serial, sizeof(b->serial));
    b->serial %= 1000000000; /* what an earlier run sent is not sent again, and there is room to count */
}

void http_open(struct http *h, int port, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    h->path = path;
    if (h->fd < 0 || connect(h->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect to port %d: %s", port, strerror(errno));
    setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void http_close(struct http *h)
{
    close(h->fd);
    buf_done(&h->out);
    buf_done(&h->in);
    *h = (struct http){.fd = -1};
}

static void number_body(char *body, uint64_t serial)
{
    char digits[sizeof(COUNTER)];

    snprintf(digits, sizeof(digits), "%0*llu", (int)sizeof(COUNTER) - 1, (unsigned long long)serial);
    for (char *at = body; (at = strstr(at, COUNTER)) != NULL;)
        memcpy(at, digits, sizeof(COUNTER) - 1);
}

bool http_try_send(struct http *h, struct bodies *b)
{
    const char *body = b->lines[b->next++ % b->count];
    size_t head, done = 0;

    buf_clear(&h->out);
    buf_clear(&h->in);
    if (buf_addf(&h->out,
                 "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 h->path, strlen(body)) != 0)
        abort();
    head = h->out.len;
    if (buf_adds(&h->out, body) != 0)
        abort();
    number_body(h->out.data + head, b->serial++);
    h->sent_ns = clock_mono_ns();
    while (done < h->out.len) {
        ssize_t n = send(h->fd, h->out.data + done, h->out.len - done, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

void http_send(struct http *h, struct bodies *b)
{
    if (!http_try_send(h, b))
        die("send a request: %s", strerror(errno));
}

/* Is all of it there?  We know our server: it always says Content-Length. */
static bool complete(struct http *h)
{
    static const char mark[] = "\r\nContent-Length: ";
    char *end = h->in.len == 0 ? NULL : strstr(h->in.data, "\r\n\r\n"), *length;
    size_t want;

    if (end == NULL)
        return false;
    length = strcasestr(h->in.data, mark);
    if (length == NULL || length > end)
        die("an answer without Content-Length: %.200s", h->in.data);
    want = strtoul(length + sizeof(mark) - 1, NULL, 10);
    h->body = (struct bytes){end + 4, want};
    h->status = (int)strtol(h->in.data + sizeof("HTTP/1.1"), NULL, 10);
    return h->in.len >= (size_t)(end + 4 - h->in.data) + want;
}

enum http_state http_try_read(struct http *h, bool block)
{
    for (;;) {
        ssize_t n;

        if (complete(h))
            return HTTP_WHOLE;
        if (buf_reserve(&h->in, 16384) != 0)
            abort();
        n = recv(h->fd, h->in.data + h->in.len, 16384, block ? 0 : MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN && !block)
            return HTTP_MORE;
        if (n <= 0)
            return HTTP_GONE;
        h->in.len += (size_t)n;
        h->in.data[h->in.len] = '\0';
    }
}

bool http_read(struct http *h, bool block)
{
    enum http_state state = http_try_read(h, block);

    if (state == HTTP_GONE)
        die("read an answer: the server closed the connection");
    return state == HTTP_WHOLE;
}

bool http_good(const struct http *h, const char *const *texts)
{
    if (h->status / 100 != 2)
        return false;
    for (; *texts != NULL; texts++)
        if (memmem(h->body.ptr, h->body.len, *texts, strlen(*texts)) == NULL)
            return false;
    return true;
}
