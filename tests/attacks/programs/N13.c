#include <sys/uio.h>
int main(void)
{
    int fd = open("/bin/sh", O_RDONLY);
    char b[4096];
    unsigned char there[64];
    struct iovec v = {b, sizeof(b)};
    struct stat before, after;
    fstat(fd, &before);
    char *map = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);
    TRY("mincore", mincore(map, 65536, there));
    TRY("nowait", preadv2(fd, &v, 1, 0, 8 /* RWF_NOWAIT */) );
    TRY("nowait-raw", syscall(SYS_preadv2, fd, &v, 1, 0, 0, 8));
    TRY("fadvise", syscall(SYS_fadvise64, fd, 0, 0, 4));
    TRY("readahead", readahead(fd, 0, 65536));
    TRY("pageout", madvise(map, 65536, 21 /* MADV_PAGEOUT */));
    TRY("cold", madvise(map, 65536, 20 /* MADV_COLD */));
    TRY("read", read(fd, b, sizeof(b)));
    fstat(fd, &after);
    SAY("atime %s\n", before.st_atim.tv_sec == after.st_atim.tv_sec && before.st_atim.tv_nsec == after.st_atim.tv_nsec ? "still" : "moved");
}
