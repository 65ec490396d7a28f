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

static int check(CURLU *u, const char *url, struct err *reterr)
{
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
    return has_part(u, CURLUPART_HOST) ? 0 : err_set(reterr, ERR_REQUEST, "it names no host");
}

int net_url_check(const char *url, struct err *reterr)
{
    CURLU *u;
    int rc;

    if (strlen(url) > URL_MAX)
        return err_set(reterr, ERR_REQUEST, "it is longer than %d bytes", URL_MAX);
    for (const unsigned char *p = (const unsigned char *)url; *p != '\0'; p++)
        if (*p <= ' ' || *p == 0x7f)
            return err_set(reterr, ERR_REQUEST, "it holds a blank or a control character");
    u = curl_url();
    if (u == NULL)
        return err_set(reterr, ERR_AGAIN, "no memory");
    rc = check(u, url, reterr);
    curl_url_cleanup(u);
    return rc;
}
