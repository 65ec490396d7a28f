/* argument: "die" by SIGXFSZ, or "see" every error and go on with further files */
int main(int argc, char **argv)
{
    static char page[65536];
    int see = strcmp(argv[1], "see") == 0, large = 0;
    long written = 0;
    if (see)
        signal(SIGXFSZ, SIG_IGN);
    memset(page, 'x', sizeof(page));
    for (int n = 0; n < 100; n++) {
        char name[20];
        snprintf(name, sizeof(name), "file%d", n);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        ssize_t got;
        if (fd < 0)
            break;
        while ((got = write(fd, page, sizeof(page))) > 0)
            written += got;
        large += errno == EFBIG;
        if (errno == ENOSPC)
            break;
    }
    SAY("end %s\nlarge %d\nmib %ld\n", strerrorname_np(errno), large, written >> 20);
    return 1;
}
