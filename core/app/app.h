/* app.h - the program: options, roles, wiring in order, shutdown in reverse.
 *
 * Theory of operation.  Started as root, the order is: read the file, start the
 * jailer (the only process that keeps privilege), load the plugins, open the state
 * directory, become the unprivileged user under a seccomp filter, and only then open anything a client, Redis
 * or a job could speak through.  Each later part is ready before the next is started:
 * Redis, languages (each self-tested in a real cell), worker, hook, and the API last,
 * so that the line `execd ready on ...` means that a job submitted now will run.
 *
 * Shutdown is the reverse: the API accepts no more, the worker drains, the hook's
 * leases run out by themselves, then store, plugins, embedded Redis, jailer, loop. */
#ifndef EXECD_APP_H
#define EXECD_APP_H

#include "base/base.h"
#include "conf/conf.h"
#include "shield/shield.h"
#include "store/store.h"

enum { APP_ROLE_API = 1, APP_ROLE_WORKER = 2, APP_ROLE_HOOK = 4, APP_ROLE_SCALER = 8, APP_ROLE_ALL = 15 };

struct app_options {
    const char *config_path; /* NULL: defaults */
    unsigned roles;
    const char *jailer_path, *plugin_dir; /* found beside the binary unless configured */
    const char *trace_path;               /* NULL: no trace */
};

/* Serves until SIGTERM or SIGINT; the process' exit status. */
int app_serve(const struct app_options *o, struct conf *conf);
/* What this machine can enforce; exit status 0 if everything the configuration asks for holds. */
int app_doctor(const struct app_options *o, struct conf *conf);

/* ---- facts (app_facts.c) ---- */

/* How many jobs run at once: worker.slots, else the cores we may use. */
unsigned app_slots(const struct conf *conf);
/* worker.accept_missing as JAIL_PROTECT_* bits; ERR_CONFIG names a word that is no protection. */
int app_accept_missing(const struct conf *conf, uint32_t *ret_bits, struct err *reterr);

/* ---- the store (app_store.c) ---- */

/* queue.accept_missing as bits of store_accept_find(); ERR_CONFIG names a word that is none. */
int app_queue_accept(const struct conf *conf, uint32_t *ret_bits, struct err *reterr);
/* url: conf->queue_url, or that of the embedded server. */
int app_store_open(struct loop *loop, const struct conf *conf, const char *url, struct store **ret,
                   struct err *reterr) NODISCARD;
/* A socket may be in a folder that is closed to the user that execd becomes (that of another execd's embedded
 * Redis), or its path longer than a socket's may be: with all privileges, opens the folder of a unix: url; -1
 * where there is none.  app_store_url(), as that user, has the url, the caller's: by folder_fd where the name
 * does not do. */
int app_store_folder(const char *url);
char *app_store_url(const char *url, int folder_fd);
/* Of a store that has just connected: logs what its Redis promises less than all; ERR_CONFIG if that is more
 * than the configuration accepts. */
int app_store_judge(const struct store *s, struct err *reterr);

/* ---- the role scaler (app_scaler.c) ---- */

struct plugin_set;
struct app_scaler;
/* With all privileges, after the plugins were opened: *ret stays NULL where nothing is to be scaled.
 * ERR_CONFIG: the role was asked for by name, and there is no plugin for it. */
int app_scaler_prepare(const struct app_options *o, const struct conf *conf, struct plugin_set *plugins,
                       bool embedded, struct app_scaler **ret, struct err *reterr) NODISCARD;
/* lost: what starts workers ended unasked. */
void app_scaler_start(struct app_scaler *s, struct loop *loop, struct store *store, loop_fn lost, void *arg);
/* Decides no more, ends its own workers; fn when they are gone (now or in a later turn).  NULL is fine for
 * all of these. */
void app_scaler_stop(struct app_scaler *s, loop_fn fn, void *arg);
void app_scaler_hurry(struct app_scaler *s); /* their jobs get no more time */
void app_scaler_free(struct app_scaler *s);  /* after store_free(), before plugin_set_free() */

/* ---- privilege (app_privilege.c) ---- */

struct app_user {
    uid_t uid;
    gid_t gid;
};
/* Whom to become: `process.user`, else the user `execd`, else a numeric id nobody uses; ourselves unless
 * root. */
int app_user_find(const struct conf *conf, struct app_user *ret, struct err *reterr);
/* Makes the state directory if needed (0700, owned by that user).  *ret_fd, the caller's, outlives the loss
 * of privilege and is O_PATH: the root of a pod has no CAP_DAC_OVERRIDE, and may not open what by its second
 * start is that user's alone.  Names below it are opened with it, by the user (open(2), O_PATH). */
int app_state_open(const char *path, const struct app_user *user, int *ret_fd, struct err *reterr);
/* As root: the cells' ids (worker.uid_base and on) exist in this user namespace; ERR_CONFIG if not. */
int app_cell_ids_check(const struct conf *conf, struct err *reterr);
/* The same for those of as many workers as a scaler may start on this machine. */
int app_worker_ids_check(const struct conf *conf, struct err *reterr);
/* Closes every descriptor above 2 that we were started with (systemd's LISTEN_FDS among them: not used), and
 * opens those of 0 to 2 that are closed.  To be called when the files on the command line were read. */
int app_descriptors_tidy(struct err *reterr);
/* Drops groups, gid, uid, capabilities and the right to gain any; verified.  No way back.  The shield is to
 * be raised next, when what it forbids has been read. */
int app_privilege_drop(const struct app_user *user, struct err *reterr);

#endif
