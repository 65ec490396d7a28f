#include <linux/sched.h>
#include <pthread.h>
static void *body(void *arg) { *(int *)arg = 7; return NULL; }
int main(void)
{
    static const struct { const char *name; unsigned long bit; } kinds[] = {
        {"ns", CLONE_NEWNS}, {"cgroup", CLONE_NEWCGROUP}, {"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC},
        {"user", CLONE_NEWUSER}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET}, {"time", 0x80},
        {"all", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET}};
    char name[64];
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof(name), "unshare-%s", kinds[i].name);
        TRY(name, unshare((int)kinds[i].bit));
        if (kinds[i].bit == 0x80) /* clone() has its exit signal there */
            continue;
        snprintf(name, sizeof(name), "clone-%s", kinds[i].name);
        TRY(name, syscall(SYS_clone, kinds[i].bit | SIGCHLD, 0, 0, 0, 0));
        snprintf(name, sizeof(name), "clone-high-%s", kinds[i].name);
        TRY(name, syscall(SYS_clone, kinds[i].bit | SIGCHLD | 1ul << 40, 0, 0, 0, 0));
    }
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD}, plain = {.exit_signal = SIGCHLD};
    TRY("clone3-user", syscall(SYS_clone3, &args, sizeof(args)));
    TRY("clone3-plain", syscall(SYS_clone3, &plain, sizeof(plain)));
    pthread_t t;
    int got = 0;
    pthread_create(&t, NULL, body, &got);
    pthread_join(t, NULL);
    SAY("thread %d\n", got);
}
