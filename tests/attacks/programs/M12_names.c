/* Names that are not there: the kernel remembers each. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    long absent = 0;

    puts("asking");
    fflush(stdout);
    for (long i = 0; i < 10000000; i++) {
        char name[64];

        snprintf(name, sizeof(name), "/box/none-%ld-%ld", i, i * 2654435761L % 1000003);
        absent += stat(name, &st) != 0 && errno == ENOENT;
    }
    printf("absent %ld\n", absent);
}
