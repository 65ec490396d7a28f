/* ctl.c - the commands of execctl (theory of operation: ctl.h). */
#include "ctl_internal.h"

#include <signal.h>

#define SUBMIT_OPTIONS                                                                                       \
    "  --language L   an id or a name of `execctl languages`; otherwise the file's name decides\n"           \
    "                 (.py Python, .js JavaScript, .c C, .java Java)\n"                                      \
    "  --stdin FILE   what the program reads; `-` hands on our own stdin; nothing by default\n"              \
    "  --timeout MS   wall time of the program; the server's default otherwise\n"                            \
    "  --memory MB    memory of the program; the server's default otherwise\n"                               \
    "  -- ARGS...     arguments of the program\n"

const struct ctl_command ctl_commands[] = {
    {"run", ctl_run, 1, -1, "lstma",
     "usage: execctl run FILE... [OPTIONS] [-- ARGS...]\n"
     "\n"
     "Submits each FILE (`-`: standard input), waits, and prints what the program printed: its\n"
     "stdout to stdout, its stderr and the compiler's output to stderr.\n"
     "\n" SUBMIT_OPTIONS "\n"
     "Exit status: the program's own; 128+N if signal N ended it; 1 if it does not compile;\n"
     "124 time limit; 137 memory limit; 153 output limit; 130 cancelled; 125 if the fault is not\n"
     "the program's (no server, no access, internal error); 2 usage.  With several files: that of\n"
     "the first one that is not 0.  Ctrl-C cancels what has not ended.\n"},
    {"submit", ctl_submit, 1, -1, "lstma",
     "usage: execctl submit FILE... [OPTIONS] [-- ARGS...]\n"
     "\n"
     "Submits each FILE (`-`: standard input) and prints its token, one a line, without waiting.\n"
     "\n" SUBMIT_OPTIONS},
    {"result", ctl_result, 1, 1, "wj",
     "usage: execctl result TOKEN [--wait SECONDS] [--json]\n"
     "\n"
     "Prints what the program printed and ends as it did (see execctl run --help); 75 if it has\n"
     "not ended.\n"
     "\n"
     "  --wait SECONDS  wait so long for its end\n"
     "  --json          print the whole answer of the server instead; exit status 0, or 75\n"},
    {"deliveries", ctl_deliveries, 1, 1, "j",
     "usage: execctl deliveries TOKEN [--json]\n"
     "\n"
     "Prints what became of a job's webhook, and each attempt to deliver it: its number, when it\n"
     "began, how long it took, the receiver's status, what followed and why.  Exit status 0 if it\n"
     "was delivered, 1 if it was given up or there is none, 75 if it is still to come.\n"
     "\n"
     "  --json  print the whole answer of the server instead\n"},
    {"redeliver", ctl_redeliver, 1, -1, "",
     "usage: execctl redeliver TOKEN...\n"
     "\n"
     "Has the webhook of each job delivered anew, as soon as its receiver's turn comes.  Each counts as a\n"
     "job by the key's rate.  Exit status 0 if the server will.\n"},
    {"dead", ctl_dead, 1, -1, "",
     "usage: execctl dead list\n"
     "       execctl dead show TOKEN...\n"
     "       execctl dead retry TOKEN...\n"
     "\n"
     "Dead letters: jobs that ended as internal_error because their worker was lost each time.\n"
     "`list` prints a line for each, the newest first; `show` prints one with its program, as JSON;\n"
     "`retry` submits each again as a new job, takes it off the list, and prints the new token.\n"},
    {"languages", ctl_languages, 0, 0, "",
     "usage: execctl languages\n"
     "\n"
     "Prints id, name and version of what the server runs.\n"},
    {"health", ctl_health, 0, 0, "",
     "usage: execctl health\n"
     "\n"
     "Prints what the server checked of itself.  Exit status 0 if it is healthy, 1 if not, 125 if\n"
     "it does not answer.\n"},
    {0},
};

const char ctl_help_text[] =
    "usage: execctl [--url URL] [--key-file FILE] COMMAND ...\n"
    "\n"
    "  run FILE...      run programs and print what they print\n"
    "  submit FILE...   submit programs and print their tokens\n"
    "  result TOKEN     a job's output and verdict\n"
    "  deliveries TOKEN what became of a job's webhook\n"
    "  redeliver TOKEN  deliver it anew\n"
    "  dead list        jobs that cost their worker each time; also show, retry\n"
    "  languages        what the server runs\n"
    "  health           is the server well?\n"
    "\n"
    "  --url URL        the server; or the environment's EXECD_URL; http://127.0.0.1:2358 by default\n"
    "  --key-file FILE  holds the API key; or the environment's EXECD_API_KEY\n"
    "  --version, --help; execctl COMMAND --help tells more\n";

int ctl_main(int argc, char **argv)
{
    struct ctl ctl = {0};
    struct err err = {0};
    int status = ctl_options_parse(argc, argv, &ctl.o);

    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    if (ctl_open(&ctl, &err) != 0)
        status = ctl_fail(err.code == ERR_CONFIG ? CTL_EXIT_USAGE : CTL_EXIT_FAULT, "%s", err.text);
    else
        status = ctl.o.command->run(&ctl);
    ctl_close(&ctl);
    if (fflush(stdout) != 0 && status == 0)
        status = ctl_fail(CTL_EXIT_FAULT, "stdout: %s", strerror(errno));
    return status;
}
