static void again(const char *name, const char *path)
{
    char key[100], by[100];
    snprintf(key, sizeof(key), "%s-write", name);
    TRY(key, open(path, O_WRONLY));
    snprintf(key, sizeof(key), "%s-path", name);
    int fd = open(path, O_PATH);
    if (fd < 0)
        SAY("%s %s\n", key, strerrorname_np(errno));
    else {
        snprintf(by, sizeof(by), "/proc/self/fd/%d", fd);
        TRY(key, open(by, O_WRONLY | O_TRUNC));
    }
    snprintf(key, sizeof(key), "%s-truncate", name);
    TRY(key, truncate(path, 0));
}
int main(void)
{
    again("self", "/proc/self/exe");
    again("init", "/proc/1/exe");
    again("shell", "/bin/sh");
    again("libc", "/lib64/ld-linux-x86-64.so.2");
    TRY("read-init", open("/proc/1/exe", O_RDONLY));
}
