/* layout_v1_0.c - every member of ABI 1.0 where it was released, every number what it was.
 *
 * Compiled against the header of today and against the frozen one.  A line that fails here is a
 * change that breaks plugins in the field: append instead, or raise the major. */
#include <execd/plugin.h>

#if UINTPTR_MAX == UINT64_MAX
#define AT(s, m, n) _Static_assert(offsetof(struct s, m) == (n), #s "." #m " moved")
/* A struct may have grown, but only at its end. */
#define SIZE(s, n) _Static_assert(sizeof(struct s) >= (n), #s " shrank")

AT(execd_bytes, ptr, 0);
AT(execd_bytes, len, 8);
SIZE(execd_bytes, 16);

AT(execd_error, size, 0);
AT(execd_error, code, 4);
AT(execd_error, text, 8);
SIZE(execd_error, 248);

AT(execd_option, key, 0);
AT(execd_option, type, 8);
AT(execd_option, flags, 12);
AT(execd_option, fallback, 16);
AT(execd_option, help, 24);
AT(execd_option, min, 32);
AT(execd_option, max, 40);
SIZE(execd_option, 48);

AT(execd_value, number, 0);
AT(execd_value, string, 8);
AT(execd_value, given, 16);
AT(execd_value, line, 20);
SIZE(execd_value, 24);

AT(execd_step, size, 0);
AT(execd_step, phase, 4);
AT(execd_step, argv, 8);
AT(execd_step, env, 16);
AT(execd_step, keep, 24);
AT(execd_step, profile, 32);
AT(execd_step, extra_processes, 36);
AT(execd_step, flags, 40);
AT(execd_step, warm, 44);
AT(execd_step, warm_variant, 48);
AT(execd_step, reserved, 52);
SIZE(execd_step, 56);

AT(execd_http_request, size, 0);
AT(execd_http_request, flags, 4);
AT(execd_http_request, method, 8);
AT(execd_http_request, url, 16);
AT(execd_http_request, headers, 24);
AT(execd_http_request, body, 32);
AT(execd_http_request, ca_file, 48);
AT(execd_http_request, deadline_ms, 56);
AT(execd_http_request, body_max, 64);
SIZE(execd_http_request, 72);

AT(execd_host, size, 0);
AT(execd_host, abi_minor, 4);
AT(execd_host, log, 8);
AT(execd_host, post, 16);
AT(execd_host, fail, 24);
AT(execd_host, now_ms, 32);
AT(execd_host, timer, 40);
AT(execd_host, timer_cancel, 48);
AT(execd_host, plan_file, 56);
AT(execd_host, plan_step, 64);
AT(execd_host, http_start, 72);
AT(execd_host, http_cancel, 80);
SIZE(execd_host, 88);

AT(execd_language, id, 0);
AT(execd_language, flags, 4);
AT(execd_language, name, 8);
AT(execd_language, file_name, 16);
AT(execd_language, memory_min, 24);
AT(execd_language, mounts, 32);
AT(execd_language, selftest_source, 40);
AT(execd_language, selftest_output, 48);
SIZE(execd_language, 56);

AT(execd_submission, size, 0);
AT(execd_submission, flags, 4);
AT(execd_submission, language_id, 8);
AT(execd_submission, arg_count, 12);
AT(execd_submission, source, 16);
AT(execd_submission, args, 32);
AT(execd_submission, wall_ms, 40);
AT(execd_submission, cpu_ms, 48);
AT(execd_submission, memory_bytes, 56);
AT(execd_submission, stack_bytes, 64);
AT(execd_submission, processes, 72);
AT(execd_submission, output_bytes, 80);
AT(execd_submission, build_wall_ms, 88);
AT(execd_submission, build_memory_bytes, 96);
SIZE(execd_submission, 104);

AT(execd_outcome, size, 0);
AT(execd_outcome, phase, 4);
AT(execd_outcome, language_id, 8);
AT(execd_outcome, exit_code, 12);
AT(execd_outcome, term_signal, 16);
AT(execd_outcome, reserved, 20);
AT(execd_outcome, wall_ms, 24);
AT(execd_outcome, cpu_ms, 32);
AT(execd_outcome, peak_bytes, 40);
AT(execd_outcome, memory_bytes, 48);
AT(execd_outcome, stderr_tail, 56);
SIZE(execd_outcome, 72);

AT(execd_lang_ops, size, 0);
AT(execd_lang_ops, reserved, 4);
AT(execd_lang_ops, languages, 8);
AT(execd_lang_ops, plan, 16);
AT(execd_lang_ops, probe, 24);
AT(execd_lang_ops, probed, 32);
AT(execd_lang_ops, classify, 40);
AT(execd_lang_ops, warm, 48);
SIZE(execd_lang_ops, 56);

AT(execd_warm_ops, size, 0);
AT(execd_warm_ops, uses_max, 4);
AT(execd_warm_ops, age_max_ms, 8);
AT(execd_warm_ops, zygote, 16);
AT(execd_warm_ops, preboot, 24);
AT(execd_warm_ops, service, 32);
SIZE(execd_warm_ops, 40);

AT(execd_worker, id, 0);
AT(execd_worker, slots, 8);
AT(execd_worker, running, 12);
AT(execd_worker, flags, 16);
AT(execd_worker, reserved, 20);
AT(execd_worker, cpu_millis, 24);
AT(execd_worker, cpu_millis_max, 32);
AT(execd_worker, memory_bytes, 40);
AT(execd_worker, memory_bytes_max, 48);
AT(execd_worker, age_ms, 56);
SIZE(execd_worker, 64);

AT(execd_observation, size, 0);
AT(execd_observation, reserved, 4);
AT(execd_observation, now_ms, 8);
AT(execd_observation, interval_ms, 16);
AT(execd_observation, waiting, 24);
AT(execd_observation, running, 32);
AT(execd_observation, oldest_wait_ms, 40);
AT(execd_observation, arrived, 48);
AT(execd_observation, finished, 56);
AT(execd_observation, service_ms_sum, 64);
AT(execd_observation, replicas, 72);
AT(execd_observation, replicas_min, 76);
AT(execd_observation, replicas_max, 80);
AT(execd_observation, jobs_per_replica, 84);
AT(execd_observation, workers, 88);
AT(execd_observation, worker_count, 96);
AT(execd_observation, worker_stride, 100);
SIZE(execd_observation, 104);

AT(execd_advice, size, 0);
AT(execd_advice, replicas, 4);
AT(execd_advice, reason, 8);
SIZE(execd_advice, 168);

AT(execd_scaler_ops, size, 0);
AT(execd_scaler_ops, reserved, 4);
AT(execd_scaler_ops, decide, 8);
AT(execd_scaler_ops, apply, 16);
AT(execd_scaler_ops, current, 24);
SIZE(execd_scaler_ops, 32);

AT(execd_plugin, magic, 0);
AT(execd_plugin, size, 4);
AT(execd_plugin, abi_major, 8);
AT(execd_plugin, abi_minor, 10);
AT(execd_plugin, needs_host_minor, 12);
AT(execd_plugin, kind, 16);
AT(execd_plugin, reserved, 20);
AT(execd_plugin, name, 24);
AT(execd_plugin, version, 32);
AT(execd_plugin, options, 40);
AT(execd_plugin, option_count, 48);
AT(execd_plugin, option_stride, 52);
AT(execd_plugin, create, 56);
AT(execd_plugin, start, 64);
AT(execd_plugin, stop, 72);
AT(execd_plugin, destroy, 80);
AT(execd_plugin, lang, 88);
AT(execd_plugin, scaler, 96);
SIZE(execd_plugin, 104);
#endif

#define IS(name, n) _Static_assert((name) == (n), #name " changed")
IS(EXECD_ABI_MAJOR, 1u);
IS(EXECD_PLUGIN_MAGIC, 0x64636578u);
IS(EXECD_WARM_FD, 3);
IS(EXECD_FRAME_MAX, 67108864u);
IS(EXECD_OK, 0);
IS(EXECD_E_CONFIG, -1);
IS(EXECD_E_REQUEST, -2);
IS(EXECD_E_AGAIN, -3);
IS(EXECD_E_INTERNAL, -4);
IS(EXECD_LOG_DEBUG, 0);
IS(EXECD_LOG_INFO, 1);
IS(EXECD_LOG_WARN, 2);
IS(EXECD_LOG_ERROR, 3);
IS(EXECD_OPT_STRING, 1);
IS(EXECD_OPT_INT, 2);
IS(EXECD_OPT_BOOL, 3);
IS(EXECD_OPT_MILLIS, 4);
IS(EXECD_OPT_BYTES, 5);
IS(EXECD_OPT_PATH, 6);
IS(EXECD_OPT_REQUIRED, 1);
IS(EXECD_OPT_SECRET, 2);
IS(EXECD_PHASE_BUILD, 1);
IS(EXECD_PHASE_RUN, 2);
IS(EXECD_PROFILE_STRICT, 1);
IS(EXECD_PROFILE_COMPILER, 2);
IS(EXECD_PROFILE_JIT, 3);
IS(EXECD_STEP_ARGS, 1);
IS(EXECD_WARM_NONE, 0);
IS(EXECD_WARM_ZYGOTE, 1);
IS(EXECD_WARM_PREBOOT, 2);
IS(EXECD_WARM_SERVICE, 3);
IS(EXECD_VERDICT_COMPLETED, 1);
IS(EXECD_VERDICT_COMPILE_ERROR, 2);
IS(EXECD_VERDICT_RUNTIME_ERROR, 3);
IS(EXECD_VERDICT_TIME_LIMIT_EXCEEDED, 4);
IS(EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED, 5);
IS(EXECD_VERDICT_OUTPUT_LIMIT_EXCEEDED, 6);
IS(EXECD_VERDICT_WRONG_ANSWER, 7);
IS(EXECD_VERDICT_CANCELLED, 8);
IS(EXECD_VERDICT_INTERNAL_ERROR, 9);
IS(EXECD_FRAME_READY, 1);
IS(EXECD_FRAME_ARGV, 2);
IS(EXECD_FRAME_FILE, 3);
IS(EXECD_FRAME_GO, 4);
IS(EXECD_FRAME_OUTPUT, 5);
IS(EXECD_FRAME_EXIT, 6);
IS(EXECD_WORKER_DRAINING, 1);
IS(EXECD_KIND_LANG, 1);
IS(EXECD_KIND_SCALER, 2);

/* Closed structs never grow within a major. */
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct execd_bytes) == 16, "execd_bytes is closed");
_Static_assert(sizeof(struct execd_value) == 24, "execd_value is closed");
#endif

/* An object file needs something in it. */
extern const int layout_v1_0_holds;
const int layout_v1_0_holds = 1;
