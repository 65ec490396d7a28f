int main(void)
{
    char c = 'x';
    for (int fd = 0; fd < 3; fd++) {
        char name[40];
        snprintf(name, sizeof(name), "TIOCSTI-%d", fd);
        TRY(name, syscall(SYS_ioctl, fd, TIOCSTI, &c));
        snprintf(name, sizeof(name), "TIOCSTI-high-%d", fd);
        TRY(name, syscall(SYS_ioctl, fd, TIOCSTI | 1ull << 32, &c));
        snprintf(name, sizeof(name), "TIOCLINUX-%d", fd);
        c = 3;
        TRY(name, syscall(SYS_ioctl, fd, 0x541C, &c));
        snprintf(name, sizeof(name), "TIOCSCTTY-%d", fd);
        TRY(name, syscall(SYS_ioctl, fd, TIOCSCTTY, 1));
        snprintf(name, sizeof(name), "TCGETS-%d", fd);
        char termios[64];
        TRY(name, syscall(SYS_ioctl, fd, 0x5401, termios));
    }
    TRY("tty", open("/dev/tty", O_RDWR));
    TRY("console", open("/dev/console", O_RDWR));
    TRY("tty0", open("/dev/tty0", O_RDWR));
    TRY("ptmx", open("/dev/ptmx", O_RDWR));
    TRY("setsid", setsid());
}
