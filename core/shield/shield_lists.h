/* shield_lists.h - what the filter allows, as data. */
#ifndef EXECD_SHIELD_LISTS_H
#define EXECD_SHIELD_LISTS_H

#include <stdint.h>

#define SHIELD_ARGS 2

/* Who needs it; a rule holds if the process is any of them. */
enum shield_who {
    SHIELD_ALL = 1,
    SHIELD_LISTENS = 2,
    SHIELD_STARTS_REDIS = 4,
    SHIELD_NO_REDIS = 8, /* narrower rules of those who start no redis-server */
    SHIELD_SANITIZER = 16,
    SHIELD_CACHES = 32,
};

/* Allowed where (argument & mask) == value for each; a mask of 0 ends the list. */
struct shield_rule {
    const char *name;
    unsigned who;
    struct {
        unsigned index;
        uint64_t mask, value;
    } arg[SHIELD_ARGS];
};

extern const char *const shield_common[];    /* allowed to all */
extern const char *const shield_listening[]; /* SHIELD_LISTENS */
extern const char *const shield_redis[];     /* SHIELD_STARTS_REDIS */
extern const char *const shield_caching[];   /* SHIELD_CACHES */
extern const char *const shield_sanitizer[]; /* SHIELD_SANITIZER */
extern const char *const shield_absent[];    /* ENOSYS instead of EPERM: there is an older call */
extern const struct shield_rule shield_rules[];

#endif
