/* What this process is and reaches, a line each: the same text in the compiler's place and in the program's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void status_line(const char *key)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            printf("reach %s", line);
    if (f != NULL)
        fclose(f);
}

static void opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    printf("reach open %s %s\n", path, fd >= 0 ? "yes" : strerrorname_np(errno));
    if (fd >= 0)
        close(fd);
}

__attribute__((unused)) static void reach(void)
{
    static const char *const keys[] = {"CapEff:", "CapPrm:", "NoNewPrivs:", "Seccomp:", "Groups:"};

    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        status_line(keys[i]);
    opens("@CANARY@", O_RDONLY);
    opens("@CONF@", O_RDONLY);
    opens("/etc/shadow", O_RDONLY);
    opens("/etc/planted", O_CREAT | O_WRONLY);
    opens("/usr/lib/planted", O_CREAT | O_WRONLY);
    opens("/proc/1/mem", O_RDONLY);
    opens("/box/planted", O_CREAT | O_WRONLY);
    printf("reach socket %s\n", socket(AF_INET, SOCK_STREAM, 0) >= 0 ? "yes" : strerrorname_np(errno));
    printf("reach unshare %s\n", syscall(SYS_unshare, 0x10000000) == 0 ? "yes" : strerrorname_np(errno));
    fflush(stdout);
}
