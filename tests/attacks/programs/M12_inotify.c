#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

int main(void)
{
    int n = 0;

    while (n < 100000 && inotify_init1(0) >= 0)
        n++;
    printf("inotify %d: %s\n", n, strerror(errno));
}
