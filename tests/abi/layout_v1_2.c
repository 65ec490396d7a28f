/* layout_v1_2.c - what ABI 1.2 appended to 1.1, where it was released. */
#include <execd/plugin.h>

_Static_assert(EXECD_ABI_MAJOR == 1 && EXECD_ABI_MINOR >= 2, "1.2 was released");
#if UINTPTR_MAX == UINT64_MAX
#define AT(s, m, n) _Static_assert(offsetof(struct s, m) == (n), #s "." #m " moved")
#define SIZE(s, n) _Static_assert(sizeof(struct s) >= (n), #s " shrank")

AT(execd_host, worker_start, 104);
AT(execd_host, worker_end, 112);
AT(execd_host, worker_pid, 120);
SIZE(execd_host, 128);

AT(execd_sample, age_ms, 0);
AT(execd_sample, interval_ms, 8);
AT(execd_sample, waiting, 16);
AT(execd_sample, running, 24);
AT(execd_sample, arrived, 32);
AT(execd_sample, finished, 40);
AT(execd_sample, service_ms_sum, 48);
AT(execd_sample, replicas, 56);
AT(execd_sample, wanted, 60);
AT(execd_sample, slots, 64);
AT(execd_sample, reserved, 68);
SIZE(execd_sample, 72);

AT(execd_policy, size, 0);
AT(execd_policy, kind, 4);
AT(execd_policy, cpu_target_percent, 8);
AT(execd_policy, reserved, 12);
AT(execd_policy, check_ms, 16);
AT(execd_policy, stabilization_ms, 24);
AT(execd_policy, wait_target_ms, 32);
AT(execd_policy, start_ms, 40);
SIZE(execd_policy, 48);

AT(execd_observation, policy, 104);
AT(execd_observation, samples, 112);
AT(execd_observation, sample_count, 120);
AT(execd_observation, sample_stride, 124);
SIZE(execd_observation, 128);

AT(execd_advice, wanted, 168);
AT(execd_advice, reserved, 172);
SIZE(execd_advice, 176);

AT(execd_change, size, 0);
AT(execd_change, replicas, 4);
AT(execd_change, leaving, 8);
AT(execd_change, leaving_count, 16);
AT(execd_change, reserved, 20);
SIZE(execd_change, 24);

AT(execd_scaler_ops, change, 32);
AT(execd_scaler_ops, owns, 40);
AT(execd_scaler_ops, retire, 48);
AT(execd_scaler_ops, flags, 56);
AT(execd_scaler_ops, reserved2, 60);
SIZE(execd_scaler_ops, 64);

#endif
_Static_assert(EXECD_WORKER_DRAINING == 1 && EXECD_WORKER_DRAINED == 2, "a flag of workers changed");
_Static_assert(EXECD_POLICY_QUEUE == 1 && EXECD_POLICY_OBJECTIVE == 2, "a policy changed");

/* An object file needs something in it. */
extern const int layout_v1_2_holds;
const int layout_v1_2_holds = 1;
