/* What is left of the daemon, seen from the next cell. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct stat st;
    int there = 0;

    for (int i = 0; i < 10; i++, usleep(10000))
        there += stat("/tmp/marker", &st) == 0;
    printf("marker %d\n", there);
}
