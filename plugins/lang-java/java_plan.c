/* java_plan.c - the commands: javac and java, and what stands in for them.
 *
 * Cold, a job is two processes. Warm, its source goes to a javac that stays (service/CompileService.java) and
 * its classes to a JVM that was booted with the same flags (java_boot.c).  Which flags those are depends on
 * the job's limits, so a variant is a way to write them as a number: the shape of a JVM. */
#include "lang_java.h"

#include <stdio.h>

#include "embed.h"
#include "lang_util.h"

EMBED(boot, JAVA_BOOT);
EMBED(service, JAVA_SERVICE);

const char *const java_environment[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", NULL};
static const char *const kept[] = {"classes", NULL};

#define BOOT ".boot" /* of a warm one's box; gone before its job comes */
#define PRELOAD "LD_PRELOAD=/box/.boot"
#define SERVICE ".service.jar"
enum { ARGV_MAX = JAVA_FLAGS_MAX + 24 };

/* ---- the shape of a JVM -------------------------------------------------------------------- */

enum { STEPS_BITS = 19, STACK_BITS = 6, CORES_BITS = 7 }; /* of a variant: 32 */

struct shape {
    unsigned heap_steps; /* of 3 MiB */
    unsigned stack_mib, cores;
};

/* The heap of a JVM that may use so much: 48 MiB are its own, a quarter is for stacks, code and
 * classes.  So a heap that grows without end gets an OutOfMemoryError instead of being killed. */
static unsigned heap_steps(uint64_t memory_bytes)
{
    uint64_t mib = memory_bytes / MIB, steps = mib > 48 ? (mib - 48) / 4 : 0;
    const uint64_t most = (1u << STEPS_BITS) - 1;

    return (unsigned)(steps > most ? most : steps);
}

static unsigned heap_mib(unsigned steps)
{
    return steps * 3 < 16 ? 16 : steps * 3;
}

/* Deep recursion is the program's right as far as the stack limit goes; but unwinding an overflow takes
 * HotSpot about seven times the stack, and a StackOverflowError should stay one. */
static unsigned stack_mib(const struct execd_submission *s)
{
    uint64_t mib = (s->stack_bytes < s->memory_bytes / 16 ? s->stack_bytes : s->memory_bytes / 16) / MIB;

    return mib < 1 ? 1 : mib > 1u << STACK_BITS ? 1u << STACK_BITS : (unsigned)mib;
}

/* A JVM sees all cores of the machine: told what it has, it sizes its pools for that. */
static unsigned cores(const struct java *j, const struct execd_submission *s)
{
    uint64_t n = EXECD_HAS(s, struct execd_submission, cpu_millis) ? (s->cpu_millis + 999) / 1000 : 0;

    return n == 0 || n > j->cores ? j->cores : (unsigned)n;
}

/* 0 where no number says it: then there is no warm one. */
static int shape_write(const struct shape *s, uint32_t *ret_variant)
{
    if (s->cores > 1u << CORES_BITS)
        return 0;
    *ret_variant =
        s->heap_steps | (s->stack_mib - 1) << STEPS_BITS | (s->cores - 1) << (STEPS_BITS + STACK_BITS);
    return 1;
}

static struct shape shape_read(uint32_t variant)
{
    return (struct shape){
        .heap_steps = variant & ((1u << STEPS_BITS) - 1),
        .stack_mib = (variant >> STEPS_BITS & ((1u << STACK_BITS) - 1)) + 1,
        .cores = (variant >> (STEPS_BITS + STACK_BITS)) + 1,
    };
}

/* ---- commands ---------------------------------------------------------------------------------- */

struct command {
    const char *argv[ARGV_MAX]; /* NULL-terminated */
    int argc;
    char heap[32], stack[32], processors[48], home[560];
};

static void add(struct command *c, const char *word)
{
    c->argv[c->argc++] = word;
}

static void add_all(struct command *c, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        add(c, words[i]);
}

static void compile_command(const struct java *j, unsigned heap, const char *file, struct command *c)
{
    static const char *const flags[] = {
        "-J-XX:+UseSerialGC",
        "-J-XX:TieredStopAtLevel=1",
        "-J-XX:-UsePerfData",
        "-J-Xss8m",
        "-proc:none",
        "-encoding",
        "UTF-8",
        "-d",
        "classes",
    };

    snprintf(c->heap, sizeof(c->heap), "-J-Xmx%um", heap_mib(heap));
    add(c, j->javac);
    add(c, c->heap);
    add_all(c, flags, (int)(sizeof(flags) / sizeof(flags[0])));
    add_all(c, j->javac_flags, j->javac_flag_count);
    add(c, file);
}

static void run_command(const struct java *j, const struct shape *s, const char *class_name,
                        struct command *c)
{
    static const char *const flags[] = {
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-XX:ErrorFile=/dev/null",
        /* stdout is the program's: what the JVM itself has to say goes to stderr */
        "-Xlog:disable",
        "-Xlog:all=warning:stderr",
        "-XX:+DisplayVMOutputToStderr",
    };

    snprintf(c->heap, sizeof(c->heap), "-Xmx%um", heap_mib(s->heap_steps));
    snprintf(c->stack, sizeof(c->stack), "-Xss%um", s->stack_mib);
    snprintf(c->processors, sizeof(c->processors), "-XX:ActiveProcessorCount=%u", s->cores);
    add(c, j->java);
    add(c, c->heap);
    add(c, c->stack);
    add(c, c->processors);
    add_all(c, flags, (int)(sizeof(flags) / sizeof(flags[0])));
    add_all(c, j->java_flags, j->java_flag_count);
    add(c, "-cp");
    add(c, "classes");
    add(c, class_name);
}

/* The same javac in a JVM that stays: a little less stack, so that what would not fit a cold one's does not
 * fit its either (it then gives up, and the cold one has the word). */
static void service_command(const struct java *j, unsigned heap, struct command *c)
{
    static const char *const flags[] = {
        "-Xss3m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "-cp",
        SERVICE,
        "CompileService",
    };
    static char socket[16];

    snprintf(socket, sizeof(socket), "%d", EXECD_WARM_FD);
    snprintf(c->heap, sizeof(c->heap), "-Xmx%um", heap_mib(heap));
    snprintf(c->home, sizeof(c->home), "-Dapplication.home=%s", j->home.path); /* as the javac command sets */
    add(c, j->java);
    add(c, c->heap);
    add(c, c->home);
    add_all(c, flags, (int)(sizeof(flags) / sizeof(flags[0])));
    add(c, socket);
}

/* ---- plans --------------------------------------------------------------------------------------- */

static struct execd_step step_of(uint32_t phase, const struct command *c)
{
    return (struct execd_step){
        .size = sizeof(struct execd_step),
        .phase = phase,
        .argv = c->argv,
        .env = java_environment,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = JAVA_THREADS,
    };
}

static int32_t plan_build(const struct java *j, const struct execd_submission *s,
                          const struct java_names *names, struct execd_plan *plan)
{
    unsigned heap = heap_steps(s->build_memory_bytes);
    struct command command = {0};
    struct execd_step step;

    compile_command(j, heap, names->file, &command);
    step = step_of(EXECD_PHASE_BUILD, &command);
    step.keep = kept;
    if (names->types) /* without, there is nothing to keep, and the host has a word for that */
        step.warm = EXECD_WARM_SERVICE;
    step.warm_variant = heap;
    return j->host->plan_step(plan, &step);
}

static int32_t plan_run(const struct java *j, const struct execd_submission *s, const char *class_name,
                        struct execd_plan *plan)
{
    const struct shape shape = {heap_steps(s->memory_bytes), stack_mib(s), cores(j, s)};
    struct command command = {0};
    struct execd_step step;

    run_command(j, &shape, class_name, &command);
    step = step_of(EXECD_PHASE_RUN, &command);
    step.flags = EXECD_STEP_ARGS;
    if (shape_write(&shape, &step.warm_variant))
        step.warm = EXECD_WARM_PREBOOT;
    return j->host->plan_step(plan, &step);
}

int32_t java_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                  struct execd_error *err)
{
    struct java *j = self;
    struct java_names names;

    if (java_names_of(submission->source, &names) != 0)
        return j->host->fail(err, EXECD_E_REQUEST,
                             "source_code: the name of the class or of its package is longer than "
                             "%d bytes",
                             JAVA_NAME_MAX);
    if (j->host->plan_file(plan, EXECD_PHASE_BUILD, names.file, submission->source, 0444) != EXECD_OK ||
        plan_build(j, submission, &names, plan) != EXECD_OK ||
        plan_run(j, submission, names.run, plan) != EXECD_OK)
        return j->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* ---- warm ------------------------------------------------------------------------------------------ */

static int32_t plan_warm(const struct java *j, const char *path, struct execd_bytes body, uint32_t mode,
                         const struct execd_step *step, struct execd_plan *plan, struct execd_error *err)
{
    if (j->host->plan_file(plan, EXECD_PHASE_RUN, path, body, mode) != EXECD_OK ||
        j->host->plan_step(plan, step) != EXECD_OK)
        return j->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t java_preboot(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                            struct execd_error *err)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8", PRELOAD,
                                              NULL};
    const struct shape shape = shape_read(variant);
    struct java *j = self;
    struct command command = {0};
    struct execd_step step;

    (void)language_id;
    run_command(j, &shape, "Main", &command);
    step = step_of(EXECD_PHASE_RUN, &command);
    step.env = environment;
    return plan_warm(j, BOOT, EMBEDDED(boot), 0555, &step, plan, err);
}

static int32_t java_service(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                            struct execd_error *err)
{
    struct java *j = self;
    struct command command = {0};
    struct execd_step step;

    (void)language_id;
    service_command(j, variant, &command);
    step = step_of(EXECD_PHASE_RUN, &command);
    return plan_warm(j, SERVICE, EMBEDDED(service), 0444, &step, plan, err);
}

const struct execd_warm_ops java_warm = {
    .size = sizeof(java_warm),
    .uses_max = 2000,
    .preboot = java_preboot,
    .service = java_service,
};
