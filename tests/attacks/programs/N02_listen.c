#include <netinet/in.h>
int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2; i++) {
        char name[40];
        int fd = -1;
        snprintf(name, sizeof(name), "socket%d", i);
        TRY(name, fd = socket(families[i], SOCK_STREAM, 0));
        snprintf(name, sizeof(name), "listen%d", i);
        TRY(name, listen(fd < 0 ? 0 : fd, 1));
        snprintf(name, sizeof(name), "accept%d", i);
        TRY(name, accept(fd < 0 ? 0 : fd, NULL, NULL));
    }
    usleep(500000); /* there for whoever connects */
}
