int main(int argc, char **argv)
{
    static char page[65536];
    int fds[30], n = 0, ended = 0;
    long written = 0;
    memset(page, 'x', sizeof(page));
    if (argc > 1) { /* the next job: is the space back? */
        for (int i = 0; i < 3; i++) {
            int fd = open(i == 0 ? "a" : i == 1 ? "b" : "c", O_CREAT | O_WRONLY, 0600);
            for (ssize_t got; written < (i + 1) * (8 << 20) && (got = write(fd, page, sizeof(page))) > 0;)
                written += got;
        }
        SAY("mib %ld\n", written >> 20);
        return 0;
    }
    for (; n < 30; n++) {
        fds[n] = open("gone", O_CREAT | O_EXCL | O_WRONLY, 0600);
        unlink("gone");
    }
    while (!ended)
        for (int i = 0; i < n && !ended; i++) {
            ssize_t got = write(fds[i], page, sizeof(page));
            written += got > 0 ? got : 0;
            ended = got < 0;
        }
    SAY("end %s\nmib %ld\n", strerrorname_np(errno), written >> 20);
    return 1;
}
