#include <ftw.h>
static int made, seen;
static int look(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    char marker[PATH_MAX];
    if (strncmp(path + at->base, "MARKER", 6) == 0)
        seen++;
    if (flag == FTW_D || flag == FTW_DNR) {
        snprintf(marker, sizeof(marker), "%s/MARKER", path);
        int fd = open(marker, O_CREAT | O_EXCL | O_WRONLY, 0666);
        made += fd >= 0;
        close(fd);
    }
    return 0;
}
int main(void)
{
    static const char *const tops[] = {"/box", "/tmp", "/dev", "/run", "/var", "/etc", "/home", "/root", "/opt", "/srv", "/mnt"};
    for (int i = 0; i < 11; i++)
        nftw(tops[i], look, 20, FTW_PHYS);
    SAY("made %s\nseen %d\n", made >= 2 ? "some" : "none", seen - made);
    return seen > made;
}
