#include <dirent.h>
int main(int argc, char **argv)
{
    const char *places[] = {"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/run", "/var/lock", getenv("HOME"), ".", "/dev", "/", "/proc", "/sys"};
    int made = 0, seen = 0;
    for (int round = 0; round < 50; round++, usleep(10000))
        for (int i = 0; i < 12; i++) {
            char path[PATH_MAX];
            if (round == 0) {
                snprintf(path, sizeof(path), "%s/MARKER-%s", places[i], argv[1]);
                int fd = open(path, O_CREAT | O_WRONLY, 0666);
                made += fd >= 0;
                close(fd);
            }
            DIR *d = opendir(places[i]);
            for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
                seen += strncmp(e->d_name, "MARKER-", 7) == 0 && strcmp(e->d_name + 7, argv[1]) != 0;
            if (d != NULL)
                closedir(d);
        }
    SAY("made %s\nseen %d\n", made >= 2 ? "some" : "none", seen);
}
