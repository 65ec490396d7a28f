/* shield.h - the seccomp filter that execd puts itself under.
 *
 * Theory of operation.  execd speaks to clients, Redis, receivers of webhooks and jobs' output; what would
 * take it over through one of them must find little to go on with.  So, once the jailer was started,
 * the plugins were loaded and privileges were dropped, it allows itself a list of system calls
 * (shield_lists.c) and refuses all others for as long as it lives.
 *
 * The list has a part for everybody and four for what only some processes do:
 * - to listen (the API, an embedded Redis);
 * - to start a redis-server: fork, execve, write files.  The server inherits the filter, so what it needs is
 * in this part too.  Without an embedded Redis execd starts no program, ever, and without the cache it makes
 * no file either;
 * - to keep compiled output, and results that wait for Redis: make new files, rename and remove them, tell
 * that they were read.  A file that exists is never opened for writing;
 * - to be a build with a sanitizer: the leak check at the end is a debugger of its own process.
 *
 * A refused call is EPERM, or ENOSYS where a C library then takes an older call and for whatever is newer
 * than the list; a call of another architecture (i386, x32) ends the process.  Where the kernel takes no
 * filter, that is an error: execd does not serve without. */
#ifndef EXECD_SHIELD_H
#define EXECD_SHIELD_H

#include "base/base.h"

struct shield_options {
    bool listens;      /* accepts connections */
    bool starts_redis; /* and restarts it */
    bool caches;       /* makes files, in its state folder: compiled output, results that wait */
};

/* For all threads, for good; no_new_privs must be set. */
int shield_raise(const struct shield_options *o, struct err *reterr);

#endif
