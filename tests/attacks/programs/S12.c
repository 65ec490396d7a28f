#include <sys/personality.h>
int main(void)
{
    static const struct { const char *name; int op; unsigned long a; } prctls[] = {
        {"PR_SET_MM", PR_SET_MM, PR_SET_MM_BRK}, {"PR_SET_DUMPABLE", PR_SET_DUMPABLE, 1},
        {"PR_SET_SECUREBITS", PR_SET_SECUREBITS, 0}, {"PR_SET_PTRACER", PR_SET_PTRACER, ~0ul},
        {"PR_SET_KEEPCAPS", PR_SET_KEEPCAPS, 1}, {"PR_CAPBSET_DROP", PR_CAPBSET_DROP, 0},
        {"PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, 1}, {"PR_MCE_KILL", PR_MCE_KILL, 0},
        {"PR_SET_TSC", PR_SET_TSC, 1}, {"PR_SET_SPECULATION_CTRL", PR_SET_SPECULATION_CTRL, 0},
        {"PR_TASK_PERF_EVENTS_DISABLE", PR_TASK_PERF_EVENTS_DISABLE, 0}, {"PR_SCHED_CORE", 62, 1},
        {"PR_SET_IO_FLUSHER", 57, 1}, {"PR_SET_SYSCALL_USER_DISPATCH", 59, 0}, {"PR_GET_DUMPABLE", PR_GET_DUMPABLE, 0},
        {"PR_SET_NAME", PR_SET_NAME, (unsigned long)"name"}, {"PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1}};
    TRY("ADDR_NO_RANDOMIZE", personality(ADDR_NO_RANDOMIZE));
    TRY("READ_IMPLIES_EXEC", personality(READ_IMPLIES_EXEC));
    TRY("PER_LINUX32", personality(PER_LINUX32));
    TRY("personality-asked", personality(0xffffffff));
    for (int i = 0; i < 17; i++)
        TRY(prctls[i].name, prctl(prctls[i].op, prctls[i].a, 0, 0, 0));
#if defined(__x86_64__)
    CALL(modify_ldt, 0, NULL, 0);
    TRY("ARCH_GET_FS", syscall(SYS_arch_prctl, 0x1003, &(unsigned long){0}));
    TRY("ARCH_SET_CPUID", syscall(SYS_arch_prctl, 0x1012, 1));
    TRY("ARCH_REQ_XCOMP_PERM", syscall(SYS_arch_prctl, 0x1023, 18));
    TRY("ARCH_MAP_VDSO", syscall(SYS_arch_prctl, 0x2001, 0));
#endif
}
