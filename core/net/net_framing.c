/* net_framing.c - where a request ends must be beyond doubt.
 *
 * If a proxy on the way and we could disagree on it, a client could hide a second request in the body of a
 * first (RFC 9112, 11.2).  evhttp takes more than the grammar allows - signs and blanks in a length, folded
 * lines, names with blanks - and reads no body of a GET, so what it has parsed is looked at once more. */
#include "net_internal.h"

#include <event2/http.h>
#include <sys/queue.h>
#include <event2/keyvalq_struct.h>
#include <strings.h>

#define DIGITS "0123456789"

/* RFC 9110, 5.6.2 */
static bool is_token(const char *name)
{
    static const char allowed[] =
        "!#$%&'*+-.^_`|~" DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

static bool is_length(const char *value)
{
    return value[0] != '\0' && value[strspn(value, DIGITS)] == '\0';
}

bool net_framed(struct evhttp_request *ev)
{
    const enum evhttp_cmd_type with_body = EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH;
    struct evkeyvalq *headers = evhttp_request_get_input_headers(ev);
    const struct evkeyval *h;
    int framings = 0;
    bool body = false;

    TAILQ_FOREACH (h, headers, next) {
        bool length = strcasecmp(h->key, "Content-Length") == 0;
        bool coding = strcasecmp(h->key, "Transfer-Encoding") == 0;

        if (!is_token(h->key) || (length && !is_length(h->value)) ||
            (coding && strcasecmp(h->value, "chunked") != 0))
            return false;
        framings += length + coding;
        body = body || coding || (length && h->value[strspn(h->value, "0")] != '\0');
    }
    return framings <= 1 && (!body || (evhttp_request_get_command(ev) & with_body) != 0);
}
