#include <netinet/in.h>
int main(void)
{
    int reached = 0;
    for (int i = 0; i < 50; i++, usleep(10000)) {
        int fd = socket(i % 2 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        reached += fd >= 0 || errno != EPERM;
        reached += connect(0, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, 16) == 0 || errno != EPERM;
    }
    SAY("reached %d\n", reached);
}
