/* store_tls.c - TLS below hiredis, of which Debian 12's (0.14) has none.
 *
 * hiredis keeps reading and writing its descriptor; what it finds there is one end of a socket pair.  The
 * other end is ours: bytes go from it through OpenSSL into the connection that hiredis had opened, and back.
 * Each direction has one buffer, and nothing is read while it is full, so a slow side slows the other and no
 * memory grows.  Nothing of what hiredis says (the password is the first) leaves before the server's
 * certificate was verified: the chain, and the name or address that it is for. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "store_internal.h"

#define PIECE 16384 /* a TLS record */

struct flow {
    char bytes[PIECE];
    size_t at, len;
};

struct store_tls {
    SSL *ssl;
    int plain, secret; /* our end of the pair, the connection */
    struct loop_io *plain_io, *secret_io;
    struct flow up, down; /* to Redis, from it */
    bool greeted, ended;
    bool write_blocked; /* OpenSSL waits until the connection takes more */
    void (*ready)(void *arg);
    void (*failed)(void *arg, const char *why);
    void *arg;
};

/* ---- the context: whom to trust, who we are --------------------------------------------- */

/* The first error is the cause, and the others are what followed from it. */
static const char *openssl_reason(void)
{
    unsigned long first = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(first) ? strerror(ERR_GET_REASON(first)) : ERR_reason_error_string(first);

    return reason != NULL ? reason : "OpenSSL tells no reason";
}

static int load(SSL_CTX *ctx, const struct store_options *o, struct err *reterr)
{
    const char *key = o->tls_key != NULL ? o->tls_key : o->tls_cert;

    ERR_clear_error();
    if (o->tls_ca == NULL ? SSL_CTX_set_default_verify_paths(ctx) != 1
                          : SSL_CTX_load_verify_file(ctx, o->tls_ca) != 1)
        return err_set(reterr, ERR_CONFIG, "queue.tls_ca: `%s` holds no certificates to trust: %s",
                       o->tls_ca != NULL ? o->tls_ca : "the machine's folder", openssl_reason());
    if (o->tls_cert == NULL)
        return o->tls_key == NULL ? 0
                                  : err_set(reterr, ERR_CONFIG,
                                            "queue.tls_key is for queue.tls_cert, which "
                                            "is not there");
    if (SSL_CTX_use_certificate_chain_file(ctx, o->tls_cert) != 1)
        return err_set(reterr, ERR_CONFIG, "queue.tls_cert: `%s` holds no certificate: %s", o->tls_cert,
                       openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return err_set(reterr, ERR_CONFIG, "queue.tls_key: `%s` holds no key for queue.tls_cert: %s", key,
                       openssl_reason());
    return 0;
}

int store_tls_context_new(const struct store_options *o, struct ssl_ctx_st **ret, struct err *reterr)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int rc;

    if (ctx == NULL)
        return err_set(reterr, ERR_INTERNAL, "TLS: %s", openssl_reason());
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if ((rc = load(ctx, o, reterr)) != 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    *ret = ctx;
    return 0;
}

void store_tls_context_free(struct ssl_ctx_st *ctx)
{
    SSL_CTX_free(ctx);
}

/* ---- moving bytes ----------------------------------------------------------------------------- */

static void fail(struct store_tls *t, int code, int error)
{
    long verdict = SSL_get_verify_result(t->ssl);
    char why[160];

    if (!t->greeted && verdict != X509_V_OK)
        snprintf(why, sizeof(why), "TLS: the server's certificate: %s",
                 X509_verify_cert_error_string(verdict));
    else if (code == SSL_ERROR_SSL)
        snprintf(why, sizeof(why), "TLS: %s", openssl_reason());
    else if (error != 0)
        snprintf(why, sizeof(why), "%s", strerror(error));
    else
        snprintf(why, sizeof(why), "TLS: the connection ended%s",
                 t->greeted ? "" : " before it was agreed on");
    t->failed(t->arg, why); /* frees us */
}

/* 1: something moved; 0: not now; -1: it is over, and t may be gone. */
static int judge(struct store_tls *t, int result)
{
    int error = errno, code;

    if (result > 0)
        return 1;
    switch (code = SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        t->write_blocked = true;
        return 0;
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN: /* hiredis reads what is left, and then the end */
        t->ended = true;
        shutdown(t->plain, SHUT_WR);
        return 0;
    default:
        fail(t, code, code == SSL_ERROR_SYSCALL ? error : 0);
        return -1;
    }
}

static int greet(struct store_tls *t)
{
    int moved = judge(t, SSL_do_handshake(t->ssl));

    if (moved <= 0)
        return moved;
    t->greeted = true;
    t->ready(t->arg);
    return 1;
}

static int move_up(struct store_tls *t)
{
    struct flow *f = &t->up;
    int n, moved;

    if (f->len == 0) {
        ssize_t got = read(t->plain, f->bytes, sizeof(f->bytes));

        if (got <= 0)
            return 0; /* that hiredis has gone it tells by itself */
        f->at = 0;
        f->len = (size_t)got;
    }
    n = SSL_write(t->ssl, f->bytes + f->at, (int)f->len);
    moved = judge(t, n);
    if (moved == 1) {
        f->at += (size_t)n;
        f->len -= (size_t)n;
    }
    return moved;
}

static int move_down(struct store_tls *t)
{
    struct flow *f = &t->down;
    ssize_t put;

    if (f->len == 0) {
        int n = SSL_read(t->ssl, f->bytes, sizeof(f->bytes)), moved = judge(t, n);

        if (moved != 1)
            return moved;
        f->at = 0;
        f->len = (size_t)n;
    }
    put = write(t->plain, f->bytes + f->at, f->len);
    if (put <= 0)
        return 0;
    f->at += (size_t)put;
    f->len -= (size_t)put;
    return 1;
}

/* As far as it goes: OpenSSL may hold bytes that the descriptor does not tell of.  It ends because hiredis is
 * asked, and asks, in other turns: both ends of the pair are bounded. */
static void progress(struct store_tls *t)
{
    int up = 1, down = 1;

    t->write_blocked = false;
    ERR_clear_error();
    if (!t->greeted && greet(t) < 0)
        return;
    while (t->greeted && !t->ended && (up == 1 || down == 1)) {
        if ((up = move_up(t)) < 0 || (!t->ended && (down = move_down(t)) < 0))
            return;
    }
    loop_io_set(t->secret_io,
                (t->down.len == 0 && !t->ended ? LOOP_READ : 0) | (t->write_blocked ? LOOP_WRITE : 0));
    loop_io_set(t->plain_io, (t->greeted && t->up.len == 0 && !t->ended ? LOOP_READ : 0) |
                                 (t->down.len > 0 ? LOOP_WRITE : 0));
}

static void on_io(void *arg, int events)
{
    (void)events;
    progress(arg);
}

/* ---- begin and end ------------------------------------------------------------------------------ */

/* A certificate is for a name or for an address, and each is looked for in its own place. */
static int expect(SSL *ssl, const char *name)
{
    unsigned char raw[16];
    bool numeric = inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;

    if (numeric)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct store_tls *store_tls_start(struct loop *loop, struct ssl_ctx_st *ctx, const char *name, int fd,
                                  void (*ready)(void *arg), void (*failed)(void *arg, const char *why),
                                  void *arg)
{
    struct store_tls *t = NEW(struct store_tls);
    int pair[2] = {-1, -1};

    t->secret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    t->ssl = SSL_new(ctx);
    t->plain = -1;
    t->ready = ready;
    t->failed = failed;
    t->arg = arg;
    if (t->secret < 0 || t->ssl == NULL || expect(t->ssl, name) != 1 || SSL_set_fd(t->ssl, t->secret) != 1 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        store_tls_free(t);
        return NULL;
    }
    t->plain = pair[1];
    dup3(pair[0], fd, O_CLOEXEC); /* both exist, so it cannot fail */
    close(pair[0]);
    SSL_set_connect_state(t->ssl);
    t->plain_io = loop_io_new(loop, t->plain, 0, on_io, t);
    t->secret_io =
        loop_io_new(loop, t->secret, LOOP_WRITE, on_io, t); /* when it is connected, or cannot be */
    return t;
}

void store_tls_free(struct store_tls *t)
{
    if (t == NULL)
        return;
    loop_io_free(t->plain_io);
    loop_io_free(t->secret_io);
    SSL_free(t->ssl); /* without a word to the server: hiredis has none either */
    closep(&t->plain);
    closep(&t->secret);
    explicit_bzero(&t->up, sizeof(t->up)); /* it held the password */
    free(t);
}
