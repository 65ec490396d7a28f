/* app_facts.c - what the configuration and this machine come to: slots, accepted gaps. */
#include "app.h"

#include <sched.h>

#include "jail/jail.h"

unsigned app_slots(const struct conf *conf)
{
    cpu_set_t set;

    if (conf->slots != 0)
        return (unsigned)conf->slots;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return (unsigned)MAX(CPU_COUNT(&set), 1);
}

static int protect_find(const char *name, uint32_t *bits)
{
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++) {
        if (strcmp(jail_protect_name(i), name) == 0) {
            *bits |= UINT32_C(1) << i;
            return 0;
        }
    }
    return -ENOENT;
}

int app_accept_missing(const struct conf *conf, uint32_t *ret_bits, struct err *reterr)
{
    CLEAN_BUF struct buf names = {0};

    *ret_bits = 0;
    for (size_t i = 0; i < conf->accept_missing_count; i++) {
        if (protect_find(conf->accept_missing[i], ret_bits) == 0)
            continue;
        for (unsigned n = 0; n < JAIL_PROTECT_COUNT; n++)
            buf_addf(&names, " %s", jail_protect_name(n));
        return err_set(reterr, ERR_CONFIG, "worker.accept_missing: `%.40s` is no protection; these are:%s",
                       conf->accept_missing[i], names.data);
    }
    return 0;
}
