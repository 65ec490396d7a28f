/* cache.h - what was made once and can be used again: bytes by the hash of all that decided them.
 *
 * Theory of operation.  A value is a note (a few bytes) and a body, which is handed out as a sealed memfd. It
 * lives in a file of its own in one folder, under its key in hexadecimal, so that what one worker made the
 * others of the host find, also after a restart; the files read last are kept as open memfds as well, so that
 * a hit among these costs no look at the disk.
 *
 * A file is written under another name and then renamed, without fsync(2): what a crash leaves half written
 * is told by its checksum.  Whatever is wrong with a file (its owner, its mode, its length, its sum, the key
 * in it) makes it a miss, and it is removed.  A full disk, a folder that vanished, want of memory are misses
 * as well; nothing here can fail a job.
 *
 * The folder is bounded in bytes.  Files are written, and the oldest removed, by the loop's helper threads;
 * each worker does so on its own and counts the whole folder, so together they may exceed the bound by a
 * sixteenth of it each.  Age is the time of the last reading from the disk (mtime).
 *
 * Thread: the loop's. */
#ifndef EXECD_CACHE_H
#define EXECD_CACHE_H

#include "base/base.h"
#include "loop/loop.h"

#define CACHE_KEY_SIZE 32
#define CACHE_HOT_MAX 64 /* descriptors that the cache keeps open */

/* ---- keys (cache_hash.c): SHA-256 -------------------------------------------------------- */

struct cache_hash;
struct cache_hash *cache_hash_new(void);
/* A field with its length before it, so that no two sequences of fields are the same bytes. */
void cache_hash_add(struct cache_hash *h, const void *bytes, size_t len);
void cache_hash_add_u64(struct cache_hash *h, uint64_t value);
/* False where libcrypto failed on the way: there is no key then.  Frees h. */
bool cache_hash_end(struct cache_hash *h, unsigned char ret_key[CACHE_KEY_SIZE]) NODISCARD;

/* ---- the cache (cache.c) -------------------------------------------------------------------- */

struct cache;

/* Below the folder `parent`: makes the cache's own, 0700, or takes the one that is there if it is ours.
 * Before the process is confined. */
int cache_folder_open(int parent, const char *name, int *ret_fd, struct err *reterr) NODISCARD;
/* folder_fd stays the caller's. */
struct cache *cache_new(struct loop *loop, int folder_fd, uint64_t bytes_max);
/* After loop_free(), whose helpers may have been writing.  NULL is fine. */
void cache_free(struct cache *c);

/* True: *ret_fd is a sealed memfd of the body, the caller's; the note is appended to `note`. */
bool cache_get(struct cache *c, const unsigned char key[CACHE_KEY_SIZE], struct buf *note, int *ret_fd);
/* body_fd: any descriptor that can be read by pread(2); stays the caller's.  What is too large is not kept.
 */
void cache_put(struct cache *c, const unsigned char key[CACHE_KEY_SIZE], struct bytes note, int body_fd);

#endif
