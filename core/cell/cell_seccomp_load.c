/* cell_seccomp_load.c - a filter put into force; what execd-init needs of seccomp. */
#include "cell_seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int cell_seccomp_load(const struct cell_filter *f)
{
    struct sock_fprog program = {.len = f->len, .filter = (struct sock_filter *)(uintptr_t)f->code};

    if (f->code == NULL || f->len == 0)
        return -EINVAL;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
