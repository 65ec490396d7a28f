/* A build step that leaves a child behind which changes `data` as fast as it can while the kept files are packed. */
int main(void)
{
    int fd = open("out", O_CREAT | O_WRONLY, 0755);
    dprintf(fd, "#!/bin/sh\ncat data\n");
    close(fd);
    fd = open("fine", O_CREAT | O_WRONLY, 0644);
    dprintf(fd, "fine\n");
    close(fd);
    mkdir("folder", 0755);
    symlink(TARGET, "link");
    link("fine", "data");
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            for (;;) {
                rename("data", "old");
                rename("link", "data");
                rename("data", "link");
                rename("folder", "data");
                rename("data", "folder");
                rename("old", "data");
            }
        }
    usleep(2000);
    return 0;
}
