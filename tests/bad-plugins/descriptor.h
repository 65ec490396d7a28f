/* descriptor.h - the descriptor over what good.h has, but for what was defined before. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include "good.h"

#ifndef HEAD
#define HEAD EXECD_PLUGIN_HEAD(EXECD_KIND_LANG)
#endif
#ifndef NAME
#define NAME "shell"
#endif
#ifndef VERSION
#define VERSION "1"
#endif
#ifndef OPTIONS
#define OPTIONS NULL, 0, 0
#endif
#ifndef CREATE
#define CREATE good_create
#endif
#ifndef DESTROY
#define DESTROY good_destroy
#endif
#ifndef LANGUAGES
#define LANGUAGES good_languages
#endif
#ifndef PLAN
#define PLAN good_plan
#endif
#ifndef PROBE
#define PROBE good_probe
#endif
#ifndef PROBED
#define PROBED good_probed
#endif
#ifndef WARM
#define WARM NULL
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(struct execd_lang_ops)
#endif
#ifndef OPS
#define OPS &ops, NULL
#endif

/* Unused where OPS was set to something else. */
static const struct execd_lang_ops ops
    __attribute__((unused)) = {OPS_SIZE, 0, LANGUAGES, PLAN, PROBE, PROBED, NULL, WARM};
static const struct execd_plugin descriptor = {HEAD, NAME, VERSION, OPTIONS, CREATE,
                                               NULL, NULL, DESTROY, OPS};
EXECD_PLUGIN_DEFINE(descriptor)

#endif
