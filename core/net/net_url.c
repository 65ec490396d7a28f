/* net_url.c - is this a URL that we would send to? */
#include <curl/curl.h>

#include "net.h"

#define URL_MAX 2048

static bool has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(u, part, &text, 0) == CURLUE_OK && text[0] != '\0';

    curl_free(text);
    return there;
}

/* Ports of protocols that a request could be mistaken for: https://fetch.spec.whatwg.org/#port-blocking, and
 * those of Redis and memcached. */
static bool port_blocked(uint64_t port)
{
    static const uint16_t ports[] = {
        0,    1,    7,    9,    11,   13,   15,   17,   19,    20,   21,   22,   23,   25,   37,
        42,   43,   53,   69,   77,   79,   87,   95,   101,   102,  103,  104,  109,  110,  111,
        113,  115,  117,  119,  123,  135,  137,  139,  143,   161,  179,  389,  427,  465,  512,
        513,  514,  515,  526,  530,  531,  532,  540,  548,   554,  556,  563,  587,  601,  636,
        989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659,  4045, 4190, 5060, 5061, 6000, 6379,
        6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211};

    for (size_t i = 0; i < COUNT_OF(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

static int check_port(CURLU *u, struct err *reterr)
{
    char *text = NULL;
    uint64_t port = 0;
    bool fine = curl_url_get(u, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                num_u64(text, 0, UINT16_MAX, &port) == 0 && !port_blocked(port);

    curl_free(text);
    return fine ? 0 : err_set(reterr, ERR_REQUEST, "port %llu is not one for HTTP", (unsigned long long)port);
}

static int check(CURLU *u, const char *url, bool any_port, struct err *reterr)
{
    const char *host;
    char *scheme = NULL;
    bool web;

    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return err_set(reterr, ERR_REQUEST, "it is no absolute URL");
    web = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    if (!web)
        return err_set(reterr, ERR_REQUEST, "its scheme is neither http nor https");
    if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
        return err_set(reterr, ERR_REQUEST, "it carries a user or a password");
    /* As whoever reads the URL without curl finds it: endpoints are told apart by what is written. */
    host = strstr(url, "://");
    if (host != NULL && memchr(host + 3, '%', strcspn(host + 3, "/?")) != NULL)
        return err_set(reterr, ERR_REQUEST, "its host has a percent sign");
    if (!has_part(u, CURLUPART_HOST) || host == NULL || host[3] == '/') /* curl would take the path for one */
        return err_set(reterr, ERR_REQUEST, "it names no host");
    return any_port ? 0 : check_port(u, reterr);
}

static int examine(const char *url, bool any_port, struct err *reterr)
{
    CURLU *u;
    int rc;

    if (strlen(url) > URL_MAX)
        return err_set(reterr, ERR_REQUEST, "it is longer than %d bytes", URL_MAX);
    for (const unsigned char *p = (const unsigned char *)url; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '\\' ||
            *p == '#') /* RFC 3986, 2; a fragment is not for servers */
            return err_set(reterr, ERR_REQUEST,
                           "it holds a blank, a backslash, a fragment or a byte that is not ASCII");
    u = curl_url();
    if (u == NULL)
        return err_set(reterr, ERR_AGAIN, "no memory");
    rc = check(u, url, any_port, reterr);
    curl_url_cleanup(u);
    return rc;
}

int net_url_check(const char *url, struct err *reterr)
{
    return examine(url, true, reterr);
}

int net_callback_check(const char *url, struct err *reterr)
{
    return examine(url, false, reterr);
}
