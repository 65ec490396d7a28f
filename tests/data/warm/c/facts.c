#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/resource.h>
int main(void)
{
    char l[256];
    FILE *f = fopen("/proc/self/status", "r");
    static const char *const keys[] = {"Umask", "State", "Pid", "PPid", "Groups", "Threads", "SigBlk", "SigIgn", "SigCgt", "Cap", "NoNewPrivs", "Seccomp"};
    while (fgets(l, sizeof l, f))
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strncmp(l, keys[i], strlen(keys[i])) == 0) fputs(l, stdout);
    for (int i = 0; i < 16; i++) { struct rlimit r; getrlimit(i, &r); printf("%d %ld %ld\n", i, (long)r.rlim_cur, (long)r.rlim_max); }
    for (int fd = 0; fd < 10; fd++) printf("%d %d\n", fd, fcntl(fd, F_GETFD));
    return system("ls -l /box | cut -c1-10; ls /");
}
