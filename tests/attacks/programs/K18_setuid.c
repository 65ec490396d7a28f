#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void)
{
    struct stat st = {0};

    if (stat("/box/out", &st) != 0)
        return 1;
    printf("mode %o euid %s\n", (unsigned)st.st_mode & 07777, geteuid() == getuid() ? "same" : "other");
    return 0;
}
