/* trace.h - when each step of a job's way was reached: counted time for whoever looks for it.
 *
 * Theory of operation.  `execd --trace FILE` appends a line `TOKEN STEP NANOSECONDS` for each step that a job
 * reaches, by the monotonic clock; a step whose name ends with `_took` has a duration in its place.  Lines
 * are collected and written 64 KiB at a time, and when execd ends.  Off, which is the default, a step costs
 * the test of one variable.
 *
 * The steps, in order: received, checked (api); claim_asked, claimed, planned, compile_asked, compile_took,
 * compile_done, run_asked, run_took, run_done (again for each test), judged, recorded (worker); told,
 * answered (the API's long poll).  Processes of one machine share the clock, so their files can be read as
 * one.
 *
 * Thread: the loop's. */
#ifndef EXECD_TRACE_H
#define EXECD_TRACE_H

#include "base/base.h"

extern bool trace_on;

/* As whoever we are now; ERR_CONFIG where the file cannot be written. */
int trace_open(const char *path, struct err *reterr) NODISCARD;
void trace_close(void); /* writes what was collected; without trace_open() it does nothing */
void trace_write(const char *token, const char *step, uint64_t ns);

#define TRACE_AT(token, step, ns)                                                                            \
    do {                                                                                                     \
        if (trace_on)                                                                                        \
            trace_write((token), (step), (ns));                                                              \
    } while (0)
#define TRACE(token, step) TRACE_AT(token, step, clock_mono_ns())

#endif
