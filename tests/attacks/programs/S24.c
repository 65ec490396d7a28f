/* Random calls with random arguments until the time given is over, in children that are replaced as they die. */
#include <time.h>
static uint64_t state;
static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
static char area[1 << 16];
static uint64_t argument(void)
{
    switch (next() % 8) {
    case 0: return 0;
    case 1: return next() % 16;
    case 2: return (uint64_t)(uintptr_t)(area + next() % sizeof(area));
    case 3: return 1ull << next() % 64;
    case 4: return ~0ull - next() % 4;
    case 5: return next();
    case 6: return (uint32_t)next();
    default: return next() % 4096;
    }
}
int main(int argc, char **argv)
{
    double seconds = atof(argv[1]);
    uint64_t seed = strtoull(argv[2], NULL, 0);
    struct timespec begin, now;
    long calls = 0, children = 0;
    long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SAY("seed %llu\n", (unsigned long long)seed);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGALRM, SIG_DFL);
            struct { long a[4]; } timer = {{0, 0, 0, 50000}};
            syscall(SYS_setitimer, 0, &timer, NULL);
            state = seed * 0x9e3779b97f4a7c15ull + (uint64_t)children * 77 + 1;
            for (int i = 0; i < 200; i++) {
                long nr = (long)(next() % 470);
                if (nr == SYS_kill || nr == SYS_exit_group || nr == SYS_exit) /* would end the harness */
                    continue;
                shared[0]++;
                syscall(nr, argument(), argument(), argument(), argument(), argument(), argument());
            }
            _exit(0);
        }
        if (pid < 0) { /* what it left behind fills the cell: done early */
            SAY("full yes\n");
            break;
        }
        int status;
        for (int i = 0; i < 4000 && waitpid(pid, &status, WNOHANG) == 0; i++)
            usleep(100);
        kill(pid, SIGKILL);
        while (waitpid(-1, &status, WNOHANG) > 0)
            ;
        children++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9 < seconds);
    SAY("children %ld\ncalls %ld\n", children, shared[0]);
    return 0;
}
