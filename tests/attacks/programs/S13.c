#include <sys/resource.h>
int main(void)
{
    struct sched_param one = {1}, zero = {0};
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t prio; uint64_t run, dead, period; } deadline = {
        48, 6, 0, 0, 0, 1000000, 10000000, 10000000};
    TRY("fifo", sched_setscheduler(0, SCHED_FIFO, &one));
    TRY("rr", sched_setscheduler(0, SCHED_RR, &one));
    TRY("fifo-reset-on-fork", sched_setscheduler(0, SCHED_FIFO | 0x40000000, &one));
    TRY("setparam", sched_setparam(0, &zero));
    CALL(sched_setattr, 0, &deadline, 0);
    TRY("nice", setpriority(PRIO_PROCESS, 0, -20));
    TRY("nice-pgrp", setpriority(PRIO_PGRP, 0, -1));
    TRY("nicer", setpriority(PRIO_PROCESS, 0, 19));
    TRY("rlimit-nice", setrlimit(RLIMIT_NICE, &(struct rlimit){40, 40}));
    TRY("rlimit-rtprio", setrlimit(RLIMIT_RTPRIO, &(struct rlimit){1, 1}));
    CALL(ioprio_set, 1, 0, 1 << 13);
    cpu_set_t all;
    memset(&all, 0xff, sizeof(all));
    TRY("affinity", sched_setaffinity(0, sizeof(all), &all));
    TRY("affinity-init", sched_setaffinity(1, sizeof(all), &all));
}
