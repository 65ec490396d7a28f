#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
int main(void)
{
    static const struct { const char *name, *address; int port, type, protocol; } four[] = {
        {"tcp-1.1.1.1", "1.1.1.1", 80, SOCK_STREAM, 0}, {"udp-1.1.1.1", "1.1.1.1", 53, SOCK_DGRAM, 0},
        {"icmp", "1.1.1.1", 0, SOCK_DGRAM, IPPROTO_ICMP}, {"raw-icmp", "1.1.1.1", 0, SOCK_RAW, IPPROTO_ICMP},
        {"metadata", "169.254.169.254", 80, SOCK_STREAM, 0}, {"redis", "127.0.0.1", 6379, SOCK_STREAM, 0},
        {"api", "127.0.0.1", 2358, SOCK_STREAM, 0}, {"web", "127.0.0.1", 8080, SOCK_STREAM, 0}, {"ssh", "127.0.0.1", 22, SOCK_STREAM, 0},
        {"inspector", "127.0.0.1", 9229, SOCK_STREAM, 0}, {"gateway", "10.0.0.1", 80, SOCK_STREAM, 0}, {"gateway-docker", "172.17.0.1", 80, SOCK_STREAM, 0}};
    for (int i = 0; i < 12; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(four[i].port)};
        inet_pton(AF_INET, four[i].address, &to.sin_addr);
        int fd = socket(AF_INET, four[i].type, four[i].protocol);
        if (fd < 0)
            SAY("%s %s\n", four[i].name, strerrorname_np(errno));
        else
            TRY(four[i].name, connect(fd, (struct sockaddr *)&to, sizeof(to)));
    }
    TRY("ipv6", socket(AF_INET6, SOCK_STREAM, 0));
    TRY("connect-stdin", connect(0, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, 16));
    TRY("sendto", sendto(0, "x", 1, 0, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, 16));
    struct addrinfo *found;
    static const char *const names[] = {"example.org", "kubernetes.default", "kubernetes.default.svc.cluster.local", "metadata.google.internal"};
    for (int i = 0; i < 4; i++)
        SAY("%s %s\n", names[i], getaddrinfo(names[i], "80", NULL, &found) == 0 ? "found" : "unknown");
}
