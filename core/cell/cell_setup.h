/* cell_setup.h - from a fresh process to a closed cell; the jailer's children do it, and forks of zygotes.
 *
 * A zygote's cell is cloned into its user namespace at once and stays root of that: it has power over what is
 * made inside, and over nothing else.  Its forks do there what the jailer's other children do here. */
#ifndef EXECD_CELL_SETUP_H
#define EXECD_CELL_SETUP_H

#include "cell_wire.h"

struct cell_child {
    bool zygote;
    uint32_t uid; /* as this process' user namespace knows it; 0: it may become no other */
    int ctl, init_fd;
    int joined;      /* its cgroup: 0 or -errno */
    bool above_proc; /* what is at /proc now need not stay beneath the cell's own */
};
/* What making cells takes.  CAP_SETFCAP is for who must map its own 0 (user_namespaces(7), since Linux 5.12).
 */
#define CELL_CAP(name) (UINT64_C(1) << CAP_##name)
#define CELL_CAPS_BUILD                                                                                      \
    (CELL_CAP(CHOWN) | CELL_CAP(DAC_OVERRIDE) | CELL_CAP(FOWNER) | CELL_CAP(KILL) | CELL_CAP(SETGID) |       \
     CELL_CAP(SETUID) | CELL_CAP(SETPCAP) | CELL_CAP(SYS_ADMIN))
int cell_set_caps(uint64_t caps); /* permitted and effective; 0, or -1 and errno */
/* A new one, by `flags`, or the one we are in, where `inner` is the only id and ours outside. */
int cell_enter_userns(int flags, uint32_t inner, uid_t uid, gid_t gid, struct err *reterr) NODISCARD;
int cell_close_privileges(struct err *reterr) NODISCARD; /* no_new_privs, and nobody looks into us */
/* CELL_FD_CTL, _BOX and _INIT are in place afterwards; a failure is to be told. */
int cell_setup(const struct cell_child *in, struct err *reterr) NODISCARD;
/* ... and on into execd-init. */
void cell_setup_main(const struct cell_child *in) __attribute__((noreturn));

#endif
