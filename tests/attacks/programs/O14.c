/* Ways into the logs of the machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const char *const paths[] = {"/dev/log",
                                        "/dev/kmsg",
                                        "/dev/console",
                                        "/run/systemd/journal/socket",
                                        "/run/systemd/journal/stdout",
                                        "/proc/kmsg"};
    const char *mark = argc > 1 ? argv[1] : "mark";
    char text[64];
    int fd;

    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fd = open(paths[i], O_WRONLY);
        printf("%s: %s\n", paths[i], fd >= 0 ? "open" : strerror(errno));
        if (fd >= 0 && write(fd, mark, strlen(mark)) > 0)
            puts("written");
    }
    printf("socket: %s\n", socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 ? "made" : strerror(errno));
    printf("klogctl: %s\n", klogctl(3, text, sizeof(text)) >= 0 ? "read" : strerror(errno));
    openlog(mark, LOG_CONS | LOG_NDELAY, LOG_USER);
    for (int i = 0; i < 1000; i++)
        syslog(LOG_ERR, "%s %d", mark, i);
    closelog();
}
