/* cell_internal.h - what the files of the host's side share. */
#ifndef EXECD_CELL_INTERNAL_H
#define EXECD_CELL_INTERNAL_H

#include <sys/socket.h>

#include "cell.h"
#include "cell_setup.h"

struct cell_host {
    bool as_root;
    uint32_t uid_base;
    struct cgroups cgroups;
    int init_fd;       /* the program execd-init */
    uint64_t cores;    /* that there can be: no cpu time passes faster */
    bool first_userns; /* there a procfs can be mounted where none is visible */
};

/* cell_root.c: the template root, once. */
int cell_root_enter(struct bytes description, struct err *reterr);

#endif
