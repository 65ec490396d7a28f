/* Comes back from SIGSEGV and SIGBUS and asks for more. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf back;

static void on_signal(int signo)
{
    siglongjmp(back, signo);
}

int main(void)
{
    volatile int faults = 0;
    char *volatile nowhere = NULL;

    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    if (sigsetjmp(back, 1) == 0)
        *nowhere = 1;
    faults++;
    puts("came back");
    fflush(stdout);
    for (;;) {
        if (sigsetjmp(back, 1) != 0)
            faults++;
        for (;;) {
            char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            memset(p, 1, 1 << 20); /* also where there is none */
        }
    }
}
