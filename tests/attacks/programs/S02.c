#include <grp.h>
int main(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[512];
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "Cap", 3) == 0)
            SAY("%.*s %s", (int)strcspn(line, ":"), line, strchr(line, '\t') + 1);
    SAY("uid %d\n", getuid() != 0 && geteuid() != 0 && getgid() != 0);
    TRY("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
    CALL(setuid, 0);
    CALL(setgid, 0);
    CALL(setresuid, 0, 0, 0);
    CALL(setfsuid, 0);
    CALL(setgroups, 0, NULL);
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    uint32_t data[6] = {~0u, ~0u, 0, ~0u, ~0u, 0};
    CALL(capset, &head, data);
    TRY("chroot", chroot("/box"));
    TRY("sethostname", sethostname("x", 1));
    TRY("setdomainname", setdomainname("x", 1));
    TRY("socket", socket(AF_INET, SOCK_STREAM, 0)); /* as for a bind to port 80 */
    TRY("bind", bind(0, NULL, 0));
    TRY("chown", chown("/box/main", 0, 0));
    TRY("chown-self", chown("/box/main", getuid(), getgid()));
}
