/* probe.h - what a program could do from inside a cell, tried by a program inside a cell.
 *
 * Theory of operation.  The worker runs execd-probe as an ordinary job before anything else, once with
 * each system call profile (core/jail/jail_verify.c).  It looks at itself and at what it sees, tries what
 * must be refused, and writes one line for each attempt:
 *
 *     NAME: ok
 *     NAME: what could be done, or what is not as ordered
 *
 * NAME is a protection as `worker.accept_missing` knows it; one that has several attempts has several lines,
 * and holds if all of them are ok.  The last line is `end: ok`: a report without it is worth nothing.
 * `execd-probe memory` uses memory until it is killed, which is its one good end.
 *
 * It is static and stands alone, because a cell's root may hold another C library than ours, and because
 * nothing of what it judges may be what it is made of. */
#ifndef EXECD_PROBE_H
#define EXECD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* What the worker ordered, from NAME=NUMBER words; 0: not said, not judged. */
struct probe_order {
    uint64_t profile, root, processes, open_files, file_bytes, stack_bytes, cpu_seconds, box_bytes,
        box_inodes, core_piped, uid_base, uid_count;
};

struct probe_try {
    const char *name;
    const char *(*fn)(const struct probe_order *o); /* NULL: as it should be; else what is wrong */
};
extern const struct probe_try probe_sights[];   /* probe_sight.c: what is; ends with a NULL name */
extern const struct probe_try probe_attempts[]; /* probe_attempt.c: what is refused; likewise */

/* Text in a buffer that the next call overwrites. */
const char *probe_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The whole of a small file into text, terminated; false if it cannot be read. */
bool probe_read(const char *path, char *text, size_t size);
/* The value of `Key:` in /proc/self/status, without blanks around it; "" if there is none. */
const char *probe_status(const char *key);

#endif
