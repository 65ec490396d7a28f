/* k8s_kubeconfig.c - a kubeconfig (YAML, or JSON, which is YAML) as struct k8s_config.
 *
 * What is understood: server, certificate-authority[-data], client-certificate[-data], client-key[-data],
 * token, tokenFile, namespace.  Data goes before files, and tokenFile before token, as in kubectl.  Paths are
 * relative to the kubeconfig's folder.  What would change who speaks to whom and is not understood is
 * refused. */
#include "k8s.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

struct reader {
    yaml_document_t doc;
    const char *path;
    char *why;
};

static bool refuse(struct reader *r, const char *what, const char *key)
{
    k8s_why(r->why, "kubeconfig %.80s: %s%s", r->path, what, key);
    return false;
}

/* ---- the document ---------------------------------------------------------------------------- */

static yaml_node_t *get(struct reader *r, const yaml_node_t *map, const char *key)
{
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);

        if (k != NULL && k->type == YAML_SCALAR_NODE && strcmp((const char *)k->data.scalar.value, key) == 0)
            return yaml_document_get_node(&r->doc, p->value);
    }
    return NULL;
}

/* NULL: not there, empty, or no scalar. */
static const char *get_text(struct reader *r, const yaml_node_t *map, const char *key)
{
    const yaml_node_t *n = get(r, map, key);

    return n != NULL && n->type == YAML_SCALAR_NODE && n->data.scalar.length > 0
               ? (const char *)n->data.scalar.value
               : NULL;
}

/* clusters, users and contexts are lists of {name: ..., <what>: {...}}. */
static const yaml_node_t *get_named(struct reader *r, const char *list, const char *what, const char *name)
{
    const yaml_node_t *n = get(r, yaml_document_get_root_node(&r->doc), list);

    if (n == NULL || n->type != YAML_SEQUENCE_NODE)
        return NULL;
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
        const char *its = get_text(r, item, "name");

        if (its != NULL && strcmp(its, name) == 0)
            return get(r, item, what);
    }
    return NULL;
}

/* ---- what it says ----------------------------------------------------------------------------- */

static bool refuse_any(struct reader *r, const yaml_node_t *map, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const char *text = get_text(r, map, *keys);

        if (get(r, map, *keys) != NULL && (text == NULL || strcmp(text, "false") != 0))
            return refuse(r, "not supported here: ", *keys);
    }
    return true;
}

static char *beside(const struct reader *r, const char *path)
{
    const char *slash = strrchr(r->path, '/');

    return path[0] == '/' || slash == NULL ? strdup(path)
                                           : k8s_printf("%.*s/%s", (int)(slash - r->path), r->path, path);
}

static bool take_file(struct reader *r, struct k8s_source *s, const char *path)
{
    s->path = beside(r, path);
    if (s->path == NULL)
        return refuse(r, "no memory", "");
    return k8s_file_read(s->path, &s->text, r->why);
}

/* `key`-data, else the file that `key` names, else nothing. */
static bool take_pem(struct reader *r, const yaml_node_t *map, const char *key, struct k8s_source *s)
{
    char data[64];
    const char *text;

    snprintf(data, sizeof(data), "%s-data", key);
    if ((text = get_text(r, map, data)) != NULL)
        return k8s_base64(text, &s->text) ? true : refuse(r, "it is no base64: ", data);
    return (text = get_text(r, map, key)) == NULL ? true : take_file(r, s, text);
}

static bool take_cluster(struct reader *r, const yaml_node_t *cluster, struct k8s_config *c)
{
    static const char *const not_here[] = {"insecure-skip-tls-verify", "proxy-url", "tls-server-name", NULL};
    const char *server = get_text(r, cluster, "server");

    if (server == NULL)
        return refuse(r, "the context's cluster has no ", "server");
    if (!refuse_any(r, cluster, not_here))
        return false;
    c->server = strdup(server);
    if (c->server == NULL)
        return refuse(r, "no memory", "");
    for (size_t n = strlen(c->server); n > 0 && c->server[n - 1] == '/'; n--)
        c->server[n - 1] = '\0';
    return take_pem(r, cluster, "certificate-authority", &c->ca);
}

static bool take_user(struct reader *r, const yaml_node_t *user, struct k8s_config *c)
{
    static const char *const not_here[] = {"exec",          "auth-provider", "username", "password", "as",
                                           "as-user-extra", "as-groups",     "as-uid",   NULL};
    const char *file = get_text(r, user, "tokenFile"), *token = get_text(r, user, "token");

    if (!refuse_any(r, user, not_here) || !take_pem(r, user, "client-certificate", &c->cert) ||
        !take_pem(r, user, "client-key", &c->key))
        return false;
    if ((c->cert.text.len == 0) != (c->key.text.len == 0))
        return refuse(r, "one of client-certificate and client-key is missing", "");
    if (file != NULL) {
        c->token.path = beside(r, file);
        k8s_source_reload(&c->token, r->why);
        return c->token.text.len > 0 ? true : refuse(r, "there is no token in ", file);
    }
    if (token == NULL)
        return true;
    c->token.text.ptr = strdup(token);
    c->token.text.len = strlen(token);
    return c->token.text.ptr != NULL ? true : refuse(r, "no memory", "");
}

/* A token or a key over plain HTTP would be everybody's; a test's server on this machine may have none. */
static bool check_scheme(struct reader *r, const struct k8s_config *c)
{
    if (strncmp(c->server, "https://", 8) == 0)
        return true;
    if (strncmp(c->server, "http://", 7) != 0)
        return refuse(r, "its server is no URL of http or https: ", c->server);
    return c->token.text.len == 0 && c->cert.text.len == 0
               ? true
               : refuse(r, "credentials are not sent without TLS; server: ", c->server);
}

static bool take(struct reader *r, const char *context, struct k8s_config *c)
{
    const yaml_node_t *at, *cluster, *user;
    const char *name, *ns;

    if (context == NULL &&
        (context = get_text(r, yaml_document_get_root_node(&r->doc), "current-context")) == NULL)
        return refuse(r, "it has no current-context, and no context is set", "");
    at = get_named(r, "contexts", "context", context);
    if (at == NULL)
        return refuse(r, "it has no context ", context);
    if ((name = get_text(r, at, "cluster")) == NULL ||
        (cluster = get_named(r, "clusters", "cluster", name)) == NULL)
        return refuse(r, "there is no cluster for context ", context);
    if (!take_cluster(r, cluster, c))
        return false;
    if ((name = get_text(r, at, "user")) != NULL) {
        if ((user = get_named(r, "users", "user", name)) == NULL)
            return refuse(r, "it has no user ", name);
        if (!take_user(r, user, c))
            return false;
    }
    ns = get_text(r, at, "namespace");
    c->ns = strdup(ns == NULL ? "default" : ns);
    if (c->ns == NULL)
        return refuse(r, "no memory", "");
    return check_scheme(r, c);
}

static bool parse(struct reader *r, const struct k8s_text *file)
{
    yaml_parser_t parser;
    bool fine;

    if (yaml_parser_initialize(&parser) == 0)
        return refuse(r, "no memory", "");
    yaml_parser_set_input_string(&parser, (const unsigned char *)file->ptr, file->len);
    fine = yaml_parser_load(&parser, &r->doc) != 0;
    if (!fine)
        k8s_why(r->why, "kubeconfig %.80s:%zu: %.80s", r->path, parser.problem_mark.line + 1,
                parser.problem == NULL ? "it is no YAML" : parser.problem);
    yaml_parser_delete(&parser);
    return fine;
}

bool k8s_config_kubeconfig(struct k8s_config *c, const char *path, const char *context, char why[K8S_WHY])
{
    struct reader r = {.path = path, .why = why};
    struct k8s_text file = {0};
    bool fine = k8s_file_read(path, &file, why) && parse(&r, &file);

    if (fine) {
        fine = take(&r, context, c);
        yaml_document_delete(&r.doc);
    }
    k8s_text_done(&file);
    if (!fine)
        k8s_config_done(c);
    return fine;
}
