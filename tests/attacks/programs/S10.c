#if defined(__x86_64__)
static long int80(void)
{
    long rc = 20; /* getpid of i386 */
    __asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11");
    return rc;
}
#endif
int main(void)
{
    /* "int main: getpid by int 0x80, exit", an i386 program of one page */
    static const unsigned char i386[] = {
        0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 4, 8, 52, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 4, 8,
        0, 0x80, 4, 8, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
        0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80};
    TRY_APART("getpid", syscall(SYS_getpid));
#if defined(__x86_64__)
    TRY_APART("x32-getpid", syscall(39 | 0x40000000));
    TRY_APART("x32-ioctl", syscall(514 | 0x40000000, 0, 0, 0));
    TRY_APART("x32-minus-1", syscall(-1));
    TRY_APART("int80", int80());
#endif
    int fd = open("/box/i386", O_CREAT | O_WRONLY, 0755);
    TRY("write", write(fd, i386, sizeof(i386)));
    close(fd);
    TRY_APART("i386", execl("/box/i386", "i386", NULL));
}
