#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
static void *f(void *a) { return (char *)a + 1; }
int main(void) { pthread_t t; void *r; if (pthread_create(&t, NULL, f, (void *)41) || pthread_join(t, &r)) return 1; printf("%ld\n", (long)r); return 0; }
