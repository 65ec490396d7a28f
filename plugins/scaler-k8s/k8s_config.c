/* k8s_config.c - the pod's own service account; sources that are read again. */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>

static void trim(struct k8s_text *t)
{
    while (t->len > 0 && strchr(" \t\r\n", t->ptr[t->len - 1]) != NULL)
        t->ptr[--t->len] = '\0';
    const size_t blank = strspn(t->ptr, " \t\r\n");

    memmove(t->ptr, t->ptr + blank, t->len - blank + 1);
    t->len -= blank;
}

/* A kubelet replaces these files: one that is not there, or empty, at this very moment is no reason to stop.
 */
bool k8s_source_reload(struct k8s_source *s, char why[K8S_WHY])
{
    struct k8s_text now = {0};
    bool changed;

    if (s->path == NULL || !k8s_file_read(s->path, &now, why))
        return false;
    trim(&now);
    if (now.len == 0)
        k8s_why(why, "%s is empty", s->path);
    changed = now.len > 0 && (s->text.ptr == NULL || strcmp(now.ptr, s->text.ptr) != 0);
    if (!changed) {
        k8s_text_done(&now);
        return false;
    }
    k8s_text_done(&s->text);
    s->text = now;
    return true;
}

static void source_done(struct k8s_source *s)
{
    free(s->path);
    k8s_text_done(&s->text);
}

void k8s_config_done(struct k8s_config *c)
{
    free(c->server);
    free(c->ns);
    source_done(&c->ca);
    source_done(&c->cert);
    source_done(&c->key);
    source_done(&c->token);
    *c = (struct k8s_config){0};
}

static bool account_file(struct k8s_source *s, const char *dir, const char *name, char why[K8S_WHY])
{
    s->path = k8s_printf("%s/%s", dir, name);
    if (s->path == NULL) {
        k8s_why(why, "no memory");
        return false;
    }
    if (!k8s_file_read(s->path, &s->text, why))
        return false;
    trim(&s->text);
    if (s->text.len > 0)
        return true;
    k8s_why(why, "%s is empty", s->path);
    return false;
}

static char *account_namespace(const char *dir)
{
    const char *said = getenv("POD_NAMESPACE");
    struct k8s_source file = {0};
    char why[K8S_WHY];
    char *ns;

    if (said == NULL || said[0] == '\0')
        said = account_file(&file, dir, "namespace", why) ? file.text.ptr : "default";
    ns = strdup(said);
    source_done(&file);
    return ns;
}

bool k8s_config_in_cluster(struct k8s_config *c, const char *account_dir, char why[K8S_WHY])
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool ipv6;

    if (host == NULL || host[0] == '\0' || port == NULL || port[0] == '\0') {
        k8s_why(why,
                "this is no pod (KUBERNETES_SERVICE_HOST and _PORT are not set), and no kubeconfig is set");
        return false;
    }
    ipv6 = strchr(host, ':') != NULL;
    c->server = k8s_printf("https://%s%s%s:%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
    if (!account_file(&c->token, account_dir, "token", why) ||
        !account_file(&c->ca, account_dir, "ca.crt", why)) {
        k8s_config_done(c);
        return false;
    }
    c->ns = account_namespace(account_dir);
    if (c->server != NULL && c->ns != NULL)
        return true;
    k8s_why(why, "no memory");
    k8s_config_done(c);
    return false;
}
