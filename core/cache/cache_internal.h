/* cache_internal.h - what the files of cache/ share. */
#ifndef EXECD_CACHE_INTERNAL_H
#define EXECD_CACHE_INTERNAL_H

#include "cache.h"

enum {
    CACHE_VALUE_MAX = 8 << 20, /* bytes of a note and its body */
    CACHE_NAME_SIZE = 2 * CACHE_KEY_SIZE + 1,
};

/* A value in memory; freed as one. */
struct cache_value {
    unsigned char key[CACHE_KEY_SIZE];
    struct bytes note, body; /* within `bytes` */
    char *bytes;
};
void cache_value_done(struct cache_value *v);
void cache_sha256(const struct bytes *pieces, size_t count, unsigned char ret[CACHE_KEY_SIZE], bool *ret_ok);

/* ---- cache_disk.c: one folder; any thread --------------------------------------------------- */

/* 0, -ENOENT, or another -errno for what is there and cannot be used; that is removed. */
int cache_disk_load(int folder, const unsigned char key[CACHE_KEY_SIZE], struct cache_value *ret) NODISCARD;
/* 0 and what the file takes, or -errno; then there is no trace of it. */
int cache_disk_store(int folder, const struct cache_value *v, uint64_t *ret_bytes) NODISCARD;
/* Removes the files that were read longest ago until the rest takes no more than `target`, if all take more
 * than `bytes_max`; and what writers that died have left.  0 and what is left, or -errno. */
int cache_disk_trim(int folder, uint64_t bytes_max, uint64_t target, uint64_t *ret_bytes) NODISCARD;

#endif
