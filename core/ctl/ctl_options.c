/* ctl_options.c - the command line. */
#include "ctl_internal.h"

#include <getopt.h>

#define NUMBER_MAX 1000000000

static int usage(const char *fmt, ...) PRINTF(1, 2);
static int usage(const char *fmt, ...)
{
    va_list ap;

    fputs("execctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("; see execctl --help\n", stderr);
    return CTL_EXIT_USAGE;
}

static const struct ctl_command *command_find(const char *name)
{
    for (const struct ctl_command *c = ctl_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static int number(const char *option, const char *text, uint64_t min, uint64_t *ret)
{
    if (num_u64(text, min, NUMBER_MAX, ret) == 0)
        return -1;
    return usage("--%s `%s`: a whole number from %llu to %d is wanted", option, text, (unsigned long long)min,
                 NUMBER_MAX);
}

enum { LETTER_URL = 'u', LETTER_KEY = 'k', LETTER_VERSION = 'V', LETTER_HELP = 'h' };

static const struct option options[] = {
    {"url", required_argument, NULL, LETTER_URL},
    {"key-file", required_argument, NULL, LETTER_KEY},
    {"version", no_argument, NULL, LETTER_VERSION},
    {"help", no_argument, NULL, LETTER_HELP},
    /* of commands: ctl_command.options has these letters; `a` allows "-- ARGS" */
    {"language", required_argument, NULL, 'l'},
    {"stdin", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, 't'},
    {"memory", required_argument, NULL, 'm'},
    {"wait", required_argument, NULL, 'w'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

static const char *option_name(int letter)
{
    for (const struct option *o = options; o->name != NULL; o++) {
        if (o->val == letter)
            return o->name;
    }
    return "?";
}

/* One option; -1 or an exit status. */
static int take(struct ctl_options *o, int letter, char *value)
{
    switch (letter) {
    case LETTER_URL:
        o->url = value;
        return -1;
    case LETTER_KEY:
        o->key_file = value;
        return -1;
    case 'l':
        o->language = value;
        return -1;
    case 's':
        o->stdin_file = value;
        return -1;
    case 't':
        return number("timeout", value, 1, &o->timeout_ms);
    case 'm':
        return number("memory", value, 1, &o->memory_mb);
    case 'w':
        return number("wait", value, 0, &o->wait_s);
    case 'j':
        o->json = true;
        return -1;
    default:
        fputs(ctl_help_text, stderr);
        return CTL_EXIT_USAGE;
    }
}

/* getopt takes `--k` for `--key-file`; a word that is spelt wrong must not pass for another. */
static int spelling(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + 2;
        size_t len;
        bool known = false;

        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        len = strcspn(name, "=");
        for (const struct option *o = options; o->name != NULL; o++)
            known = known || (strlen(o->name) == len && strncmp(o->name, name, len) == 0);
        if (!known)
            return usage("`--%.*s`: no such option", (int)len, name);
    }
    return -1;
}

/* All options wherever they stand; `seen` gets the letters of those that belong to commands. */
static int take_all(int argc, char **argv, struct ctl_options *o, char *seen, bool *ret_help)
{
    int letter, status;
    size_t n = 0;

    optind = 0; /* anew: a program may parse more than once */
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == LETTER_HELP) {
            *ret_help = true;
            continue;
        }
        if (letter == LETTER_VERSION) {
            puts("execctl " EXECD_VERSION);
            return 0;
        }
        if ((status = take(o, letter, optarg)) >= 0)
            return status;
        if (letter != LETTER_URL && letter != LETTER_KEY && memchr(seen, letter, n) == NULL)
            seen[n++] = (char)letter;
    }
    return -1;
}

static int check(const struct ctl_options *o, const char *seen)
{
    const struct ctl_command *c = o->command;

    for (const char *s = seen; *s != '\0'; s++) {
        if (strchr(c->options, *s) == NULL)
            return usage("`%s` takes no --%s", c->name, option_name(*s));
    }
    if (o->args[0] != NULL && strchr(c->options, 'a') == NULL)
        return usage("`%s` takes nothing behind `--`", c->name);
    if (o->operand_count < c->operands_min)
        return usage("`%s` wants an operand", c->name);
    if (c->operands_max >= 0 && o->operand_count > c->operands_max)
        return usage("`%s`: one operand too many for `%s`", o->operands[c->operands_max], c->name);
    return -1;
}

static int help(const struct ctl_command *command)
{
    fputs(command == NULL ? ctl_help_text : command->help, stdout);
    return 0;
}

int ctl_options_parse(int argc, char **argv, struct ctl_options *ret)
{
    static char *no_args[] = {NULL};
    char seen[COUNT_OF(options) + 1] = {0};
    bool wants_help = false;
    int end = 1, status;

    *ret = (struct ctl_options){.args = no_args};
    while (end < argc && strcmp(argv[end], "--") != 0)
        end++;
    if (end < argc)
        ret->args = argv + end + 1;
    if ((status = spelling(end, argv)) >= 0 || (status = take_all(end, argv, ret, seen, &wants_help)) >= 0)
        return status;
    if (optind >= end)
        return wants_help ? help(NULL) : usage("a command is missing");
    if ((ret->command = command_find(argv[optind])) == NULL)
        return usage("`%s`: no such command", argv[optind]);
    if (wants_help)
        return help(ret->command);
    ret->operands = argv + optind + 1;
    ret->operand_count = end - optind - 1;
    return check(ret, seen);
}
