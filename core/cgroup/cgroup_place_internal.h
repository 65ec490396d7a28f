/* cgroup_place_internal.h - what looking for a place in v1 and in v2 share. */
#ifndef EXECD_CGROUP_PLACE_INTERNAL_H
#define EXECD_CGROUP_PLACE_INTERNAL_H

#include "cgroup_internal.h"
#include "cgroup_place.h"

#define CG_PATH 1024

/* ---- where we are (cgroup_find.c) ---- */

struct cg_at {
    char own[CG_PATH]; /* our own cgroup as a path of the file system */
    char top[CG_PATH]; /* the mount point */
    char options[256]; /* of the file system, separated by commas */
};
/* v1 by controller name, v2 by NULL, from files in the form of /proc/self/cgroup and /proc/self/mountinfo.
 * -ENOENT: not mounted. */
int cg_find(const char *cgroup_file, const char *mountinfo_file, const char *controller, struct cg_at *ret);
bool cg_has_word(const char *text, char separator, const char *word);

/* ---- preparing (cgroup_place.c) ---- */

bool cg_has_file(int dir, const char *file);
void cg_detail(struct cgroup_facts *f, const char *fmt, ...) PRINTF(2, 3);
/* Removes what dead jailers left below `parent`. */
void cg_sweep(int parent);
/* Makes bases[i] below `parent` after sweeping that.  0 or -errno. */
int cg_make_base(struct cgroup_place *p, int i, int parent);
/* Makes a cell and puts a process into it, as later for real.  0 or -errno. */
int cg_probe(struct cgroup_place *p);
void cg_forget(struct cgroup_place *p); /* closes and removes the bases */

/* False: not usable, the reason is in facts.detail. */
bool cg1_open(struct cgroup_place *p, const char *root);
bool cg2_open(struct cgroup_place *p, const char *root);

#endif
