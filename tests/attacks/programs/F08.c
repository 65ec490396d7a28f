int main(void)
{
    TRY("rootfs", link("/bin/sh", "/box/sh"));
    TRY("libc", link("/lib64/ld-linux-x86-64.so.2", "/tmp/ld"));
    TRY("init", linkat(AT_FDCWD, "/proc/1/exe", AT_FDCWD, "/box/init", AT_SYMLINK_FOLLOW));
    TRY("passwd", link("/etc/passwd", "/box/passwd"));
    TRY("stdin", linkat(AT_FDCWD, "/proc/self/fd/0", AT_FDCWD, "/box/stdin", AT_SYMLINK_FOLLOW));
    TRY("empty-path", linkat(0, "", AT_FDCWD, "/box/stdin", AT_EMPTY_PATH));
    TRY("proc", link("/proc/self/status", "/box/status"));
    TRY("between", link("/box/main", "/dev/shm/main"));
    TRY("own", link("/box/main", "/box/again"));
}
