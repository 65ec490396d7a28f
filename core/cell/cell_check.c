/* cell_check.c - the verification cell: what a program could do from here.
 *
 * It runs where a program would, under its filter, and tries.  A worker does not start before
 * this came back clean. */
#include "cell_internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refused(bool succeeded, const char *what, struct err *reterr)
{
    return succeeded ? err_set(reterr, ERR_INTERNAL, "verification: a program could %s", what) : 0;
}

static bool can_write(const char *path)
{
    CLEAN_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    return fd >= 0;
}

static bool can_socket(int family)
{
    CLEAN_FD int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return fd >= 0;
}

static bool can_read(const char *path)
{
    CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd >= 0;
}

static int check_status(struct err *reterr)
{
    static const char *const lines[] = {"NoNewPrivs:\t1\n",
                                        "Seccomp:\t2\n",
                                        "CapPrm:\t0000000000000000\n",
                                        "CapEff:\t0000000000000000\n",
                                        "CapBnd:\t0000000000000000\n",
                                        "CapAmb:\t0000000000000000\n"};
    CLEAN_FD int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (n < 0)
        return err_sys(reterr, "verification: read /proc/self/status");
    text[n] = '\0';
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (strstr(text, lines[i]) == NULL)
            return err_set(reterr, ERR_INTERNAL, "verification: /proc/self/status lacks `%.*s`",
                           (int)strlen(lines[i]) - 1, lines[i]);
    return 0;
}

int cell_check(struct err *reterr)
{
    int rc;

    if (getpid() != 2 || getuid() != CELL_UID || geteuid() != CELL_UID)
        return err_set(reterr, ERR_INTERNAL, "verification: a program is pid %d, uid %u", (int)getpid(),
                       (unsigned)getuid());
    if ((rc = check_status(reterr)) != 0 ||
        (rc = refused(can_write("/written"), "write to the root", reterr)) != 0 ||
        (rc = refused(can_write("/usr/written"), "write to /usr", reterr)) != 0 ||
        (rc = refused(can_write("/etc/written"), "write to /etc", reterr)) != 0 ||
        (rc = refused(!can_write("/box/.check"), "not write to its box", reterr)) != 0 ||
        (rc = refused(can_socket(AF_INET) || can_socket(AF_INET6) || can_socket(AF_UNIX), "make a socket",
                      reterr)) != 0 ||
        (rc = refused(mount("x", "/tmp", "tmpfs", 0, NULL) == 0, "mount", reterr)) != 0 ||
        (rc = refused(unshare(CLONE_NEWUSER) == 0, "make a user namespace", reterr)) != 0 ||
        (rc = refused(syscall(SYS_ptrace, 16, 1, 0, 0) == 0, "trace PID 1", reterr)) != 0 ||
        (rc = refused(syscall(SYS_bpf, 0, NULL, 0) >= 0, "use bpf", reterr)) != 0 ||
        (rc = refused(can_read("/proc/1/environ"), "read PID 1's environment", reterr)) != 0)
        return rc;
    return 0;
}
