/* Tracing of init, of a child, by a child. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void attempt(const char *what, long rc)
{
    printf("%s: %s\n", what, rc == 0 ? "done" : strerror(errno));
    fflush(stdout);
}

int main(void)
{
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    attempt("seize init", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
    attempt("attach init", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    attempt("seize child", ptrace(PTRACE_SEIZE, child, NULL, NULL));
    attempt("attach child", ptrace(PTRACE_ATTACH, child, NULL, NULL));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) {
        attempt("traceme", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
        execl("/bin/true", "true", (char *)NULL);
        _exit(3);
    }
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    printf("child %s\n", WIFSTOPPED(status) ? "stopped" : "ran");
    kill(child, SIGKILL);
}
