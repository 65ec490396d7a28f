int main(void)
{
    int n = 0;
    for (; n < 1000000; n++) {
        char name[20];
        snprintf(name, sizeof(name), "f%d", n);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    SAY("end %s\nmade %d\n", strerrorname_np(errno), n);
    TRY("tmp", mkdir("/tmp/more", 0700));
    return 1;
}
