#include <pthread.h>
enum { SIZE = 32 << 20 };
static char *area;
static void *thrash(void *arg)
{
    for (unsigned long i = (unsigned long)arg;; i += 4097)
        area[i * 64 % SIZE]++;
}
static void *barriers(void *arg)
{
    for (;;)
        syscall(SYS_membarrier, 1 << 0, 0, 0);
}
int main(void)
{
    pthread_t t;
    area = malloc(SIZE);
    for (long i = 0; i < 8; i++)
        pthread_create(&t, NULL, i % 4 == 3 ? barriers : thrash, (void *)i);
    TRY("membarrier", syscall(SYS_membarrier, 0, 0, 0));
    for (;;)
        pause();
}
