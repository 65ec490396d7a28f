#include <stdio.h>
int main(void)
{
#if __has_include("/usr/include/stdio.h")
    puts("/usr/include/stdio.h");
#endif
#if __has_include("/box/main.c")
    puts("/box/main.c");
#endif
#if __has_include("/etc/shadow")
    puts("/etc/shadow");
#endif
#if __has_include("/root/.bashrc")
    puts("/root/.bashrc");
#endif
#if __has_include("/var/lib/dpkg/status")
    puts("/var/lib/dpkg/status");
#endif
#if __has_include("/sys/kernel/notes")
    puts("/sys/kernel/notes");
#endif
#if __has_include("@CANARY@")
    puts("canary");
#endif
#if __has_include("@CONF@")
    puts("configuration");
#endif
    return 0;
}
