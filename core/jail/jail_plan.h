/* jail_plan.h - a description of what cells show, while it is made (jail_plan.c, jail_root.c). */
#ifndef EXECD_JAIL_PLAN_H
#define EXECD_JAIL_PLAN_H

#include "jail_internal.h"

#define JAIL_SHOWN_MAX 1024
#define JAIL_LOOKED_AT_MAX                                                                                   \
    2000000 /* below what is shown, in some 8 s; Debian with four languages has 20,000 */

struct jail_plan {
    struct jail_bundle *bundle;
    int machine, root; /* O_PATH; the same unless there is a root file system of its own */
    bool own;
    struct {
        char *path; /* in a cell */
        char *real; /* of a copied file: of what */
    } shown[JAIL_SHOWN_MAX];
    size_t count, trees, covers, left; /* left: of JAIL_LOOKED_AT_MAX */
};

/* Places that each cell has for itself, or that we fill: nothing else can be shown there. */
bool jail_plan_taken(const char *path);
/* Any entry of cell.h; a symbolic link. */
int jail_plan_put(struct jail_plan *p, uint32_t kind, uint32_t mode, const char *path, struct bytes body,
                  struct err *reterr) NODISCARD;
int jail_plan_link(struct jail_plan *p, const char *path, const char *text, struct err *reterr) NODISCARD;
/* The folder or file `real` (without links) of `from`, one of the plan's two, bound to `path`; looked
 * through. */
int jail_plan_bind(struct jail_plan *p, int from, const char *real, const char *path, bool is_dir,
                   struct err *reterr) NODISCARD;
/* Whatever `path` of the root file system is, unless cells show it already; `must`: it is an error if it is
 * not there. */
int jail_plan_show(struct jail_plan *p, const char *path, bool must, struct err *reterr) NODISCARD;
/* "[!]PATH" or "[!]FROM:PATH" (jail.h) */
int jail_plan_mount(struct jail_plan *p, const char *text, struct err *reterr) NODISCARD;
/* The links in a folder that is not shown, as far as they lead to what is. */
int jail_plan_links(struct jail_plan *p, const char *dir, struct err *reterr) NODISCARD;

#endif
