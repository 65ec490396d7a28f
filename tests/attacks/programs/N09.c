#include <sys/file.h>
#include <sys/inotify.h>
/* On a file that every cell shares: "send" changes what it can for each bit, "look" asks whatever could tell. */
static uint64_t asked(int fd)
{
    struct flock l = {.l_type = F_WRLCK};
    uint64_t h = 0;
    h = h * 31 + (uint64_t)(flock(fd, LOCK_EX | LOCK_NB) == 0 ? 1000 : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_GETLK, &l) == 0 ? 1000 + l.l_type : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_OFD_GETLK, &l) == 0 ? 1000 + l.l_type : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_SETLK, &l) == 0 ? 1000 : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_GETLEASE) >= 0 ? 1000 : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? 1000 : errno);
    h = h * 31 + (uint64_t)(fcntl(fd, F_NOTIFY, 0x1f) == 0 ? 1000 : errno);
    h = h * 31 + (uint64_t)(inotify_init1(0) >= 0 ? 1000 : errno);
    return h;
}
int main(int argc, char **argv)
{
    int fd = open(argv[2], O_RDWR), bits = atoi(argv[3]), differ = 0;
    struct flock read_lock = {.l_type = F_RDLCK}, none = {.l_type = F_UNLCK};
    if (fd < 0 && (fd = open(argv[2], O_RDONLY)) < 0)
        return 1;
    TRY("flock", flock(fd, LOCK_SH | LOCK_NB));
    TRY("getlk", fcntl(fd, F_GETLK, &read_lock));
    TRY("ofd-getlk", fcntl(fd, F_OFD_GETLK, &read_lock));
    TRY("ofd-setlk", fcntl(fd, F_OFD_SETLK, &read_lock));
    TRY("setlease", fcntl(fd, F_SETLEASE, F_RDLCK));
    TRY("getlease", fcntl(fd, F_GETLEASE));
    TRY("notify", fcntl(fd, F_NOTIFY, 0x1f));
    TRY("inotify", inotify_init1(0));
    TRY("write-lock", fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK}));
    uint64_t first = asked(fd), word = 0x9e3779b97f4a7c15ull;
    for (int i = 0; i < bits; i++, usleep(50)) {
        if (strcmp(argv[1], "send") == 0) {
            word ^= word << 13, word ^= word >> 7, word ^= word << 17;
            read_lock.l_type = word & 1 ? F_RDLCK : F_UNLCK;
            fcntl(fd, F_SETLK, &read_lock);
        } else
            differ += asked(fd) != first;
    }
    fcntl(fd, F_SETLK, &none);
    SAY("differ %d\n", differ);
}
