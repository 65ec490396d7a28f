#include <dirent.h>
int main(void)
{
    char path[100], cwd[PATH_MAX];
    DIR *d = opendir("/proc/self/fd");
    SAY("listed");
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
            SAY(" %s", e->d_name);
    closedir(d);
    SAY("\nopen");
    for (int fd = 0; fd < 65536; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            SAY(" %d", fd);
    SAY("\n");
    int moved = 0;
    for (int fd = 0; fd < 64; fd++)
        for (int up = 0; up < 3; up++) {
            snprintf(path, sizeof(path), "/proc/self/fd/%d%s", fd, up == 0 ? "" : up == 1 ? "/.." : "/../..");
            moved += chdir(path) == 0;
        }
    SAY("moved %d\n", moved);
    SAY("cwd %s\n", getcwd(cwd, sizeof(cwd)));
    TRY("root-above", chdir("/proc/self/root/../../.."));
    SAY("above %s\n", getcwd(cwd, sizeof(cwd)));
    struct stat a, b;
    SAY("same %d\n", stat(".", &a) == 0 && stat("/", &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}
