#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *wait_for_ever(void *arg)
{
    pause();
    return arg;
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    int made = 1, rc;

    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    while ((rc = pthread_create(&t, &a, wait_for_ever, NULL)) == 0)
        made++;
    printf("threads %d: %s\n", made, strerror(rc));
    return 1;
}
