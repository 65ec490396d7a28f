int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    int fd = open("big", O_CREAT | O_RDWR, 0600);
    TRY("fallocate", fallocate(fd, 0, 0, 10ll << 30));
    TRY("fallocate-keep", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10ll << 30));
    TRY("posix_fallocate", -posix_fallocate(fd, 0, 10ll << 30));
    TRY("ftruncate", ftruncate(fd, 1ll << 60));
    TRY("truncate", truncate("big", 1ll << 40));
    TRY("far", pwrite(fd, "x", 1, 1ll << 40));
    TRY("shm", ftruncate(open("/dev/shm/big", O_CREAT | O_RDWR, 0600), 1ll << 40));
    struct stat st;
    fstat(fd, &st);
    SAY("blocks %ld\n", (long)st.st_blocks);
    return 1;
}
