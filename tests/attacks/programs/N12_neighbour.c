#include <pthread.h>
static void *body(void *arg) { return arg; }
int main(void)
{
    int of_a_cell = 0, of_a_user = 0, p[2];
    for (int i = 0; i < 20; i++, usleep(20000)) {
        pthread_t t;
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        of_a_cell += pid > 0 && waitpid(pid, NULL, 0) == pid;
        if (pipe(p) == 0 && fcntl(p[1], F_SETPIPE_SZ, 1 << 17) > 0)
            of_a_user++;
        close(p[0]);
        close(p[1]);
        if (pthread_create(&t, NULL, body, NULL) == 0)
            of_a_cell += pthread_join(t, NULL) == 0;
        signal(SIGRTMIN, SIG_IGN);
        of_a_user += sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0;
    }
    SAY("of_a_cell %d\n", of_a_cell);
    SAY("of_a_user %d\n", of_a_user);
}
