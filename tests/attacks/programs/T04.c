#include <pthread.h>
#include <stdio.h>

static void *spin(void *arg)
{
    for (volatile unsigned i = 0;; i++)
        ;
    return arg;
}

int main(void)
{
    pthread_t t;
    int made = 0;

    for (int i = 0; i < 3; i++)
        made += pthread_create(&t, NULL, spin, NULL) == 0;
    printf("threads %d\n", made + 1);
    fflush(stdout);
    spin(NULL);
}
