/* client_spawn.c - what it costs without us: start a program, read what it says, wait for its end.
 *
 * By posix_spawn(3), which is the cheapest way to start a program: a shell or subprocess would flatter us. */
#include "client.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void run(char *const *argv)
{
    posix_spawn_file_actions_t actions;
    char output[4096];
    int p[2], rc, status;
    pid_t pid;

    if (pipe2(p, O_CLOEXEC) != 0)
        die("pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, p[1], STDOUT_FILENO);
    rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        die("%s: %s", argv[0], strerror(rc));
    close(p[1]);
    while (read(p[0], output, sizeof(output)) > 0)
        continue;
    close(p[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("`%s` failed with status %#x", argv[0], status);
}

uint64_t spawn_all(char *const *words)
{
    uint64_t begin = clock_mono_ns();
    char *argv[64];
    size_t n = 0;

    for (;; words++) {
        if (*words != NULL && strcmp(*words, ";") != 0) {
            if (n == COUNT_OF(argv) - 1)
                die("a command of more than %zu words", COUNT_OF(argv) - 1);
            argv[n++] = *words;
            continue;
        }
        argv[n] = NULL;
        run(argv);
        n = 0;
        if (*words == NULL)
            return clock_mono_ns() - begin;
    }
}
