/* lang_node.c - JavaScript: one file for Node.js, with a heap that ends before the job's memory does. */
#include <execd/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "lang_util.h"

EMBED(node_boot, NODE_BOOT);

enum { NODE_ID = 63, NODE_THREADS = 16 };
#define MODULES "/node_modules" /* where cells show the operator's packages */
#define BOOT ".boot"            /* of a warm one's box; gone before its job comes */
#define BOOT_PROGRAM "/box/.boot"
#define BOOT_SCRIPT "/dev/shm/.node"
enum { OPT_INTERPRETER, OPT_MODULES, OPT_COUNT };

struct node {
    const struct execd_host *host;
    const char *interpreter;
    struct mounts mounts;
    const char *env[5];
    struct execd_language language;
};

static const struct execd_option options[OPT_COUNT] = {
    [OPT_INTERPRETER] = {"interpreter", EXECD_OPT_PATH, 0, "/usr/bin/node", "the node to run", 0, 0},
    [OPT_MODULES] = {"modules", EXECD_OPT_STRING, 0, "", "a folder of packages that programs may require()",
                     0, 0},
};

/* ---- instance -------------------------------------------------------------------------- */

static void node_destroy(void *self)
{
    struct node *n = self;

    mounts_done(&n->mounts);
    free(n);
}

/* The paths that cells show for it (Debian keeps parts of Node.js in the folders of that name), and the
 * environment of its programs. */
static void node_paths(struct node *n, struct execd_ctx *ctx, const char *modules)
{
    static const char *const usual[] = {"PATH=/usr/bin:/bin", "HOME=/box", "LANG=C.UTF-8"};
    char real[PATH_MAX];

    memcpy(n->env, usual, sizeof(usual));
    mounts_program(&n->mounts, n->host, ctx, n->interpreter, real);
    mounts_add(&n->mounts, "", "/usr/share/nodejs", "");
    mounts_add(&n->mounts, "", "/usr/lib/nodejs", "");
    if (modules[0] == '\0')
        return;
    mounts_add(&n->mounts, "!", modules, ":" MODULES);
    n->env[sizeof(usual) / sizeof(usual[0])] = "NODE_PATH=" MODULES;
}

static int32_t node_create(const struct execd_host *host, struct execd_ctx *ctx,
                           const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    const char *modules = values[OPT_MODULES].string;
    struct node *n;

    if (modules[0] != '\0' && modules[0] != '/')
        return host->fail(err, EXECD_E_CONFIG, "modules: `%s` is no absolute path", modules);
    n = calloc(1, sizeof(*n));
    if (n == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    n->host = host;
    n->interpreter = values[OPT_INTERPRETER].string;
    node_paths(n, ctx, modules);
    if (n->mounts.failed) {
        node_destroy(n);
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    }
    n->language = (struct execd_language){
        .id = NODE_ID,
        .name = "JavaScript",
        .file_name = "main.js",
        .memory_min = 64 * MIB,
        .mounts = (const char *const *)n->mounts.list,
        .selftest_source = "const text = require('fs').readFileSync(0, 'utf8');\n"
                           "Promise.resolve([1, 2, 3].map((x) => x * x)).then((a) => {\n"
                           "  console.log('node', a.join(' '), JSON.stringify(text));\n"
                           "});\n",
        .selftest_output = "node 1 4 9 \"\"\n",
    };
    *ret_self = n;
    return EXECD_OK;
}

static int32_t node_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                              uint32_t *ret_stride, struct execd_error *err)
{
    struct node *n = self;

    (void)err;
    *ret = &n->language;
    *ret_count = 1;
    *ret_stride = sizeof(n->language);
    return EXECD_OK;
}

/* ---- plans -------------------------------------------------------------------------------- */

/* What the limit leaves for V8's old space: 32 MiB are node's own, a quarter is for the young space,
 * buffers and code.  So a heap that grows without end is told so by V8 instead of being killed. */
static unsigned heap_mib(uint64_t memory_bytes)
{
    uint64_t mib = memory_bytes / MIB, heap = mib > 32 ? (mib - 32) / 4 * 3 : 0;

    if (heap < 16)
        heap = 16;
    return (unsigned)(heap > 1048576 ? 1048576 : heap);
}

static int32_t node_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                         struct execd_error *err)
{
    struct node *n = self;
    char heap[48];
    const char *const argv[] = {n->interpreter, heap, "main.js", NULL};
    const struct execd_step run = {
        .size = sizeof(run),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = n->env,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = NODE_THREADS,
        .flags = EXECD_STEP_ARGS,
        .warm = EXECD_WARM_PREBOOT,
        .warm_variant = heap_mib(submission->memory_bytes),
    };

    snprintf(heap, sizeof(heap), "--max-old-space-size=%u", run.warm_variant);
    if (n->host->plan_file(plan, EXECD_PHASE_RUN, "main.js", submission->source, 0444) != EXECD_OK ||
        n->host->plan_step(plan, &run) != EXECD_OK)
        return n->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static int32_t node_probe(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err)
{
    struct node *n = self;
    const char *const argv[] = {n->interpreter, "--version", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = n->env,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = NODE_THREADS,
    };

    (void)language_id;
    if (n->host->plan_step(plan, &step) != EXECD_OK)
        return n->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* "v20.20.0\n" */
static int32_t node_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                           uint32_t size, struct execd_error *err)
{
    struct node *n = self;
    uint64_t len = 0;

    (void)language_id;
    if (output.len < 2 || output.ptr[0] != 'v' || output.ptr[1] < '0' || output.ptr[1] > '9')
        return n->host->fail(err, EXECD_E_CONFIG, "`%s --version` did not answer `v...`", n->interpreter);
    while (1 + len < output.len && output.ptr[1 + len] > ' ')
        len++;
    snprintf(version, size, "JavaScript (Node.js %.*s)", (int)(len < 40 ? len : 40), output.ptr + 1);
    return EXECD_OK;
}

/* ---- warm ---------------------------------------------------------------------------------- */

/* A node that has all but its program, as node_boot.c and boot.js say; `variant` is the heap in MiB.  Its
 * command is the cold one's without arguments: those it learns with the job. */
static int32_t node_preboot(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                            struct execd_error *err)
{
    struct node *n = self;
    char heap[48];
    const char *const argv[] = {BOOT_PROGRAM, BOOT_SCRIPT, n->interpreter, heap, "main.js", NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = n->env,
        .profile = EXECD_PROFILE_JIT,
        .extra_processes = NODE_THREADS,
    };

    (void)language_id;
    snprintf(heap, sizeof(heap), "--max-old-space-size=%u", variant);
    if (n->host->plan_file(plan, EXECD_PHASE_RUN, BOOT, EMBEDDED(node_boot), 0555) != EXECD_OK ||
        n->host->plan_step(plan, &step) != EXECD_OK)
        return n->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

static const struct execd_warm_ops node_warm = {
    .size = sizeof(node_warm),
    .preboot = node_preboot,
};

/* ---- verdicts ------------------------------------------------------------------------------ */

/* V8 gives up with a message and an abort (a trap in some builds): both have to be there. */
static uint32_t node_classify(void *self, const struct execd_outcome *o, uint32_t verdict)
{
    int aborted = o->term_signal == 6 || o->term_signal == 5 || o->term_signal == 4 || o->exit_code == 134;

    (void)self;
    if (verdict == EXECD_VERDICT_RUNTIME_ERROR && aborted && o->peak_bytes >= o->memory_bytes / 4 &&
        bytes_find(o->stderr_tail, "JavaScript heap out of memory") != NULL)
        return EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED;
    return verdict;
}

static const struct execd_lang_ops node_ops = {
    .size = sizeof(node_ops),
    .languages = node_languages,
    .plan = node_plan,
    .probe = node_probe,
    .probed = node_probed,
    .classify = node_classify,
    .warm = &node_warm,
};

static const struct execd_plugin node_plugin = {
    EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_LANG, 1u),
    .name = "node",
    .version = EXECD_VERSION,
    .options = options,
    .option_count = OPT_COUNT,
    .option_stride = sizeof(options[0]),
    .create = node_create,
    .destroy = node_destroy,
    .lang = &node_ops,
};
EXECD_PLUGIN_DEFINE(node_plugin)
