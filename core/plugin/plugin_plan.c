/* plugin_plan.c - a plan as it is collected: copied, bounded, checked; the first refusal is remembered.
 *
 * A plugin that ignores what plan_file() or plan_step() answered is refused all the same, and a
 * plan that is impossible is the plugin's fault, never the submitter's. */
#include "plugin_internal.h"

enum {
    FILES_MAX = 64,
    PATH_BYTES_MAX = 1024,
    FILE_BYTES_MAX = 64 << 20, /* of all files of a plan */
    ARGV_MAX = 256,
    ENV_MAX = 64,
    KEEP_MAX = 16,
    WORDS_BYTES_MAX = 128 << 10, /* of argv, and of env */
    EXTRA_PROCESSES_MAX = 4096,
    JOB_ARGS_MAX = 4096,
};

#define STEP_SIZE_1_0 (offsetof(struct execd_step, reserved) + sizeof(uint32_t))

struct execd_plan {
    struct plugin_plan *plan;
    uint64_t bytes;
    char *const *args; /* of the job; borrowed */
    size_t arg_count;
    struct err err; /* the first refusal */
};

/* ---- release -------------------------------------------------------------------------------- */

static void words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static void step_done(struct plugin_step *s)
{
    words_free(s->argv);
    words_free(s->env);
    words_free(s->keep);
}

void plugin_plan_freep(struct plugin_plan **plan)
{
    struct plugin_plan *p = *plan;

    *plan = NULL;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->file_count; i++) {
        free(p->files[i].path);
        buf_done(&p->files[i].body);
    }
    free(p->files);
    step_done(&p->build);
    step_done(&p->run);
    free(p);
}

/* ---- files ------------------------------------------------------------------------------------ */

static int32_t refuse(struct execd_plan *plan, const char *fmt, ...) PRINTF(2, 3);
static int32_t refuse(struct execd_plan *plan, const char *fmt, ...)
{
    char text[sizeof(plan->err.text)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (plan->err.code == 0)
        err_set(&plan->err, ERR_INTERNAL, "%s", text);
    return EXECD_E_INTERNAL;
}

static const char *component_fault(const char *s, size_t len)
{
    if (len == 0)
        return "has an empty component";
    if (len > 255)
        return "has a component of more than 255 bytes";
    if ((len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
        return "leaves the box or goes round in it";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return "has a control character";
    return NULL;
}

const char *plugin_path_fault(const char *path)
{
    size_t len = strnlen(path, PATH_BYTES_MAX + 1);
    const char *fault;

    if (len > PATH_BYTES_MAX)
        return "has more than 1024 bytes";
    if (path[0] == '/')
        return "is absolute";
    for (const char *s = path;; s++) {
        size_t n = strcspn(s, "/");

        if ((fault = component_fault(s, n)) != NULL)
            return fault;
        s += n;
        if (*s == '\0')
            return NULL;
    }
}

/* Shown in a message: cut, and without control bytes. */
static const char *shown(const char *s, char *out, size_t size)
{
    if (s == NULL)
        return "(NULL)";
    plugin_text(s, 60, out, size);
    return out;
}

int32_t plugin_plan_file(struct execd_plan *plan, uint32_t phases, const char *path, struct execd_bytes body,
                         uint32_t mode)
{
    char name[64];
    const char *fault = path == NULL ? "is missing" : plugin_path_fault(path);
    struct plugin_plan *p = plan->plan;
    struct plugin_file *f;

    if (fault != NULL)
        return refuse(plan, "plan_file: path `%s` %s", shown(path, name, sizeof(name)), fault);
    shown(path, name, sizeof(name));
    if (phases == 0 || (phases & ~(uint32_t)(EXECD_PHASE_BUILD | EXECD_PHASE_RUN)) != 0)
        return refuse(plan, "plan_file: `%s` is for the unknown phases 0x%x", name, phases);
    if ((mode & ~0777u) != 0)
        return refuse(plan, "plan_file: `%s` has mode 0%o, more than permission bits", name, mode);
    if (p->file_count == FILES_MAX)
        return refuse(plan, "plan_file: more than %d files", FILES_MAX);
    if (body.len > FILE_BYTES_MAX - plan->bytes || (body.len > 0 && body.ptr == NULL))
        return refuse(plan, "plan_file: `%s` brings the files above %d bytes", name, FILE_BYTES_MAX);
    for (size_t i = 0; i < p->file_count; i++)
        if (strcmp(p->files[i].path, path) == 0 && (p->files[i].phases & phases) != 0)
            return refuse(plan, "plan_file: `%s` is there already", name);
    if (p->files == NULL)
        p->files = mem_zero(FILES_MAX, sizeof(*p->files));
    f = &p->files[p->file_count];
    if (buf_add(&f->body, body.ptr != NULL ? body.ptr : "", (size_t)body.len) != 0)
        return refuse(plan, "plan_file: no memory for `%s`", name);
    p->file_count++;
    plan->bytes += body.len;
    f->path = mem_dup(path);
    f->mode = mode;
    f->phases = phases;
    return EXECD_OK;
}

/* ---- steps -------------------------------------------------------------------------------------- */

/* Copies at most `max` words (and room for `more`); NULL with a reason. */
static char **words_copy(struct execd_plan *plan, const char *what, const char *const *words, size_t max,
                         size_t more)
{
    size_t count = 0, bytes = 0;
    char **copy;

    while (words[count] != NULL && count <= max) {
        bytes += strnlen(words[count], WORDS_BYTES_MAX + 1);
        if (++count > max || bytes > WORDS_BYTES_MAX) {
            refuse(plan, "plan_step: %s has more than %zu entries or %d bytes", what, max, WORDS_BYTES_MAX);
            return NULL;
        }
    }
    copy = mem_zero(count + more + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_dup(words[i]);
    return copy;
}

static size_t words_count(char *const *words)
{
    size_t n = 0;

    while (words[n] != NULL)
        n++;
    return n;
}

static int32_t step_argv(struct execd_plan *plan, const struct execd_step *s, struct plugin_step *out)
{
    size_t more = (s->flags & EXECD_STEP_ARGS) != 0 ? plan->arg_count : 0;
    char name[64];

    if (s->argv == NULL || s->argv[0] == NULL)
        return refuse(plan, "plan_step: argv is empty");
    if (s->argv[0][0] != '/')
        return refuse(plan, "plan_step: argv[0] `%s` is not an absolute path",
                      shown(s->argv[0], name, sizeof(name)));
    if ((out->argv = words_copy(plan, "argv", s->argv, ARGV_MAX, more)) == NULL)
        return EXECD_E_INTERNAL;
    for (size_t i = 0, at = words_count(out->argv); i < more; i++)
        out->argv[at + i] = mem_dup(plan->args[i]);
    return EXECD_OK;
}

static int32_t step_env(struct execd_plan *plan, const struct execd_step *s, struct plugin_step *out)
{
    char name[64];

    if (s->env == NULL)
        return EXECD_OK;
    if ((out->env = words_copy(plan, "env", s->env, ENV_MAX, 0)) == NULL)
        return EXECD_E_INTERNAL;
    for (size_t i = 0; out->env[i] != NULL; i++) {
        const char *eq = strchr(out->env[i], '=');

        if (eq == NULL || eq == out->env[i])
            return refuse(plan, "plan_step: env `%s` is not KEY=value",
                          shown(out->env[i], name, sizeof(name)));
    }
    return EXECD_OK;
}

static int32_t step_keep(struct execd_plan *plan, const struct execd_step *s, struct plugin_step *out)
{
    char name[64];

    if (s->keep == NULL)
        return EXECD_OK;
    if (s->phase != EXECD_PHASE_BUILD)
        return refuse(plan, "plan_step: the run step keeps files, only a build step may");
    if ((out->keep = words_copy(plan, "keep", s->keep, KEEP_MAX, 0)) == NULL)
        return EXECD_E_INTERNAL;
    for (size_t i = 0; out->keep[i] != NULL; i++) {
        const char *fault = plugin_path_fault(out->keep[i]);

        if (fault != NULL)
            return refuse(plan, "plan_step: keep `%s` %s", shown(out->keep[i], name, sizeof(name)), fault);
    }
    return EXECD_OK;
}

static int32_t step_check(struct execd_plan *plan, const struct execd_step *s)
{
    const struct plugin_step *there = s->phase == EXECD_PHASE_BUILD ? &plan->plan->build : &plan->plan->run;

    if (s->phase != EXECD_PHASE_BUILD && s->phase != EXECD_PHASE_RUN)
        return refuse(plan, "plan_step: unknown phase %u", s->phase);
    if (there->present)
        return refuse(plan, "plan_step: a second %s step", s->phase == EXECD_PHASE_BUILD ? "build" : "run");
    if (s->profile < EXECD_PROFILE_STRICT || s->profile > EXECD_PROFILE_JIT)
        return refuse(plan, "plan_step: unknown profile %u", s->profile);
    if (s->extra_processes > EXTRA_PROCESSES_MAX)
        return refuse(plan, "plan_step: %u extra processes, at most %d", s->extra_processes,
                      EXTRA_PROCESSES_MAX);
    if ((s->flags & ~(uint32_t)EXECD_STEP_ARGS) != 0 || s->reserved != 0)
        return refuse(plan, "plan_step: unknown flags 0x%x", s->flags);
    if ((s->flags & EXECD_STEP_ARGS) != 0 && s->phase != EXECD_PHASE_RUN)
        return refuse(plan, "plan_step: the build step asks for the submission's args");
    if (s->warm > EXECD_WARM_SERVICE)
        return refuse(plan, "plan_step: unknown warm runtime %u", s->warm);
    if (s->warm == EXECD_WARM_PREBOOT && s->phase != EXECD_PHASE_RUN)
        return refuse(plan, "plan_step: the build step asks for a pre-booted runtime");
    if (s->warm == EXECD_WARM_SERVICE && s->phase != EXECD_PHASE_BUILD)
        return refuse(plan, "plan_step: the run step asks for a compile service");
    return EXECD_OK;
}

int32_t plugin_plan_step(struct execd_plan *plan, const struct execd_step *step)
{
    struct execd_step s = {0};
    struct plugin_step out = {.present = true};
    int32_t rc;

    if (step == NULL || step->size < STEP_SIZE_1_0)
        return refuse(plan, "plan_step: the step has %u bytes, one of ABI 1.0 has %zu",
                      step == NULL ? 0 : step->size, STEP_SIZE_1_0);
    memcpy(&s, step, MIN(sizeof(s), (size_t)step->size));
    if ((rc = step_check(plan, &s)) != EXECD_OK)
        return rc;
    if ((rc = step_argv(plan, &s, &out)) != EXECD_OK || (rc = step_env(plan, &s, &out)) != EXECD_OK ||
        (rc = step_keep(plan, &s, &out)) != EXECD_OK) {
        step_done(&out);
        return rc;
    }
    out.profile = s.profile;
    out.extra_processes = s.extra_processes;
    out.warm = s.warm;
    out.warm_variant = s.warm_variant;
    if (s.phase == EXECD_PHASE_BUILD)
        plan->plan->build = out;
    else
        plan->plan->run = out;
    return EXECD_OK;
}

/* ---- begin and end -------------------------------------------------------------------------------- */

struct execd_plan *plugin_plan_begin(char *const *args, size_t arg_count)
{
    struct execd_plan *plan = NEW(struct execd_plan);

    plan->plan = NEW(struct plugin_plan);
    plan->args = args;
    plan->arg_count = arg_count;
    return plan;
}

int plugin_answer(const char *call, int32_t rc, const struct execd_error *error, struct err *reterr)
{
    char text[sizeof(error->text)];

    plugin_text(error->text, sizeof(error->text), text, sizeof(text));
    if (text[0] == '\0')
        snprintf(text, sizeof(text), "it gave no reason");
    switch (rc) {
    case EXECD_E_REQUEST:
        return err_set(reterr, ERR_REQUEST, "%s", text);
    case EXECD_E_CONFIG:
        return err_set(reterr, ERR_CONFIG, "%s() failed: %s", call, text);
    case EXECD_E_AGAIN:
        return err_set(reterr, ERR_AGAIN, "%s() failed: %s", call, text);
    case EXECD_E_INTERNAL:
        return err_set(reterr, ERR_INTERNAL, "%s() failed: %s", call, text);
    default:
        return err_set(reterr, ERR_INTERNAL, "%s() returned %d, which is no EXECD_E_*", call, rc);
    }
}

static int plan_judge(const struct execd_plan *plan, const char *call, int32_t rc,
                      const struct execd_error *error, struct err *reterr)
{
    if (plan->err.code != 0) /* whatever the plugin says: this is why */
        return err_set(reterr, ERR_INTERNAL, "%s", plan->err.text);
    if (rc != EXECD_OK)
        return plugin_answer(call, rc, error, reterr);
    if (!plan->plan->run.present)
        return err_set(reterr, ERR_INTERNAL, "%s() planned no run step", call);
    if (plan->arg_count > JOB_ARGS_MAX)
        return err_set(reterr, ERR_REQUEST, "args: %zu of them, at most %d", plan->arg_count, JOB_ARGS_MAX);
    return 0;
}

int plugin_plan_end(struct execd_plan *plan, const char *call, int32_t rc, const struct execd_error *error,
                    struct plugin_plan **ret, struct err *reterr)
{
    int our_rc = plan_judge(plan, call, rc, error, reterr);

    if (our_rc == 0)
        *ret = steal(&plan->plan);
    plugin_plan_freep(&plan->plan);
    free(plan);
    return our_rc;
}

/* ---- comparison -------------------------------------------------------------------------------------- */

static bool words_same(char *const *a, char *const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

static bool steps_same(const struct plugin_step *a, const struct plugin_step *b)
{
    return a->present == b->present && a->profile == b->profile && a->extra_processes == b->extra_processes &&
           a->warm == b->warm && a->warm_variant == b->warm_variant && words_same(a->argv, b->argv) &&
           words_same(a->env, b->env) && words_same(a->keep, b->keep);
}

bool plugin_plan_same(const struct plugin_plan *a, const struct plugin_plan *b)
{
    if (a->file_count != b->file_count || !steps_same(&a->build, &b->build) || !steps_same(&a->run, &b->run))
        return false;
    for (size_t i = 0; i < a->file_count; i++) {
        const struct plugin_file *x = &a->files[i], *y = &b->files[i];

        if (strcmp(x->path, y->path) != 0 || x->mode != y->mode || x->phases != y->phases ||
            x->body.len != y->body.len ||
            (x->body.len > 0 && memcmp(x->body.data, y->body.data, x->body.len) != 0))
            return false;
    }
    return true;
}
