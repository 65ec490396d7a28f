int main(void)
{
    int done = 0, fd = open("/bin/sh", O_RDONLY), own = open("file", O_CREAT | O_WRONLY, 0600);
    TRY("sync", syscall(SYS_sync) == 0 ? 0 : -1);
    CALL(syncfs, fd);
    CALL(sync_file_range, fd, 0, 0, 2);
    TRY("fsync-shared", fsync(fd));
    TRY("fdatasync-directory", fdatasync(open("/usr", O_RDONLY)));
    for (int i = 0; i < 2000; i++) {
        write(own, "x", 1);
        done += fsync(own) == 0 && fdatasync(fd) == 0;
    }
    SAY("done %d\n", done);
}
