/* conf_print.c - the commented default file, made from the table. */
#include "conf_internal.h"

#define WIDTH 100

/* ---- comments --------------------------------------------------------------------- */

/* Words of `text` in lines of at most WIDTH, each behind `prefix`. */
static int comment_add(struct buf *out, const char *prefix, const char *text)
{
    size_t column = 0;
    int rc = 0;

    while (rc == 0 && *text != '\0') {
        size_t n = strcspn(text, " \n"), gap = strspn(text + n, " \n");

        if (column > 0 && column + 1 + n > WIDTH) {
            rc = buf_adds(out, "\n");
            column = 0;
        }
        if (rc == 0)
            rc = buf_adds(out, column == 0 ? prefix : " ");
        if (rc == 0)
            rc = buf_add(out, text, n);
        column += (column == 0 ? strlen(prefix) : 1) + n;
        text += n + gap;
    }
    return rc == 0 ? buf_adds(out, "\n") : rc;
}

static int help_add(struct buf *out, const struct conf_item *it)
{
    CLEAN_FREE char *text = NULL;
    char bounds[64];

    conf_bounds_text(it, bounds, sizeof(bounds));
    text = bounds[0] != '\0' ? mem_printf("%s.  %s.", it->help, bounds) : mem_printf("%s.", it->help);
    return comment_add(out, "  # ", text);
}

/* ---- keys ---------------------------------------------------------------------------- */

static bool all_digits(const char *s)
{
    return s[strspn(s, "0123456789")] == '\0';
}

static int value_add(struct buf *out, const struct conf_item *it)
{
    switch (it->type) {
    case CONF_SECRET:
        return buf_addf(out, "  # %s_file = \"%s\";\n", it->name, it->example);
    case CONF_STRINGS:
    case CONF_KEYS:
        return buf_addf(out, "  # %s = %s;\n  %s = ( );\n", it->name, it->example, it->name);
    case CONF_BOOL:
    case CONF_COUNT:
    case CONF_MS:
    case CONF_PORT:
        return buf_addf(out, "  %s = %s;\n", it->name, it->initial);
    case CONF_BYTES:
        if (all_digits(it->initial))
            return buf_addf(out, "  %s = %s;\n", it->name, it->initial);
        break;
    default:
        break;
    }
    if (it->initial == NULL)
        return buf_addf(out, "  # %s = \"%s\";\n", it->name, it->example);
    return buf_addf(out, "  %s = \"%s\";\n", it->name, it->initial);
}

static int section_add(struct buf *out, const struct conf_section *s)
{
    CLEAN_FREE char *title = mem_printf("---- %s: %s. ----", s->name, s->help);
    bool first = true;
    int rc = comment_add(out, "# ", title);

    if (rc != 0 || (rc = buf_addf(out, "%s = {\n", s->name)) != 0)
        return rc;
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];

        if (strcmp(it->section, s->name) != 0)
            continue;
        if (!first && (rc = buf_adds(out, "\n")) != 0)
            return rc;
        first = false;
        if ((rc = help_add(out, it)) != 0 || (rc = value_add(out, it)) != 0)
            return rc;
    }
    return buf_adds(out, "};\n\n");
}

static int plugins_add(struct buf *out)
{
    int rc = buf_adds(
        out,
        "# ---- plugins: the languages, and a scaler, as shared objects, in the order of their start. ----\n"
        "# `file` is a name in process.plugin_dir or an absolute path.  One that is missing or broken\n"
        "# refuses the start, unless `optional = true`.  `warm = false`: every job of its languages starts\n"
        "# its interpreter or compiler itself.  `settings` are the plugin's own keys, which\n"
        "# `execd --check-plugin FILE` lists:\n"
        "#   { file = \"lang-c.so\"; optional = true; settings = { compiler = \"/usr/bin/gcc\"; }; }\n"
        "plugins = (\n");

    for (size_t i = 0; rc == 0 && conf_plugins_default[i] != NULL; i++)
        rc = buf_addf(out, "  { file = \"%s\"; }%s\n", conf_plugins_default[i],
                      conf_plugins_default[i + 1] != NULL ? "," : "");
    return rc == 0 ? buf_adds(out, ");\n") : rc;
}

int conf_print_defaults(struct buf *out)
{
    int rc = buf_adds(
        out,
        "# execd.conf - every key of execd with its default, as `execd --print-config` prints it.\n"
        "#\n"
        "# A key that is left out has its default; an unknown key is a mistake.  `execd --check-config\n"
        "# FILE` names every mistake with its line.  Times are milliseconds (_ms); sizes are bytes\n"
        "# (_bytes), as a number or as a string with k, M or G (powers of 1024).  The environment\n"
        "# overrides single keys: EXECD_API_PORT=8080 is api.port.  Secrets are better kept in files of\n"
        "# their own (NAME_file) or in the environment (NAME_env).  See docs/configuration.md.\n\n");

    for (size_t i = 0; rc == 0 && i < conf_section_count; i++)
        rc = section_add(out, &conf_sections[i]);
    return rc == 0 ? plugins_add(out) : rc;
}
