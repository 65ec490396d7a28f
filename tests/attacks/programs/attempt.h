/* Before each program of test_filesystem, test_syscalls, test_channels and test_disk: a line per attempt, "NAME ok" or
 * "NAME EPERM". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAY(...) (printf(__VA_ARGS__), fflush(stdout))
#define TRY(name, call)                                                                                      \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long rc_ = (long)(call);                                                                             \
        SAY("%s %s\n", name, rc_ >= 0 ? "ok" : strerrorname_np(errno));                                      \
    } while (0)
#define CALL(name, ...) TRY(#name, syscall(SYS_##name, __VA_ARGS__))
/* In a child: "NAME signal N" where one ended it. */
#define TRY_APART(name, call)                                                                                \
    do {                                                                                                     \
        int status_ = 0;                                                                                     \
        pid_t pid_ = fork();                                                                                 \
        if (pid_ == 0) {                                                                                     \
            TRY(name, call);                                                                                 \
            _exit(0);                                                                                        \
        }                                                                                                    \
        if (pid_ < 0 || waitpid(pid_, &status_, 0) != pid_)                                                  \
            SAY("%s nochild\n", name);                                                                       \
        else if (WIFSIGNALED(status_))                                                                       \
            SAY("%s signal %d\n", name, WTERMSIG(status_));                                                  \
    } while (0)
