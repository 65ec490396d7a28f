#include <sys/time.h>
#include <time.h>
#include <sys/timex.h>
int main(void)
{
    struct timeval tv = {0, 0};
    struct timespec ts = {0, 0};
    struct timex tx = {.modes = ADJ_OFFSET};
    TRY("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0 /* CAD off */, NULL));
    CALL(kexec_load, 0, 0, NULL, 0);
    CALL(kexec_file_load, -1, -1, 0, NULL, 0);
    CALL(init_module, NULL, 0, "");
    CALL(finit_module, -1, "", 0);
    CALL(delete_module, "x", O_NONBLOCK);
    CALL(swapon, "/box/x", 0);
    CALL(swapoff, "/box/x");
    CALL(acct, NULL);
    CALL(quotactl, 0, NULL, 0, NULL);
    CALL(syslog, 10, NULL, 0);
    TRY("settimeofday", settimeofday(&tv, NULL));
    TRY("clock_settime", clock_settime(CLOCK_REALTIME, &ts));
    TRY("adjtimex", adjtimex(&tx));
    TRY("adjtimex-look", syscall(SYS_adjtimex, &(struct timex){.modes = 0})); /* the kernel lets anybody */
    TRY("clock_adjtime", clock_adjtime(CLOCK_REALTIME, &tx));
#if defined(__x86_64__)
    CALL(ioperm, 0x80, 1, 1);
    CALL(iopl, 3);
#endif
    CALL(vhangup, 0);
}
