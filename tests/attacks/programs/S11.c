#include <linux/filter.h>
#include <linux/seccomp.h>
int main(void)
{
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog p = {1, all};
    CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, &p);
    TRY("listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p));
    TRY("log", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &p));
    TRY("strict", syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
    TRY("prctl", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p));
    SAY("mode %d\n", prctl(PR_GET_SECCOMP));
    TRY("mount", syscall(SYS_mount, "", "/", "", 0, NULL));
}
