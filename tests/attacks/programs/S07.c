int main(void)
{
    char attr[256] = {0};
    CALL(bpf, 0, attr, sizeof(attr));
    TRY("bpf-get", syscall(SYS_bpf, 7, NULL, 16)); /* which a kernel that has bpf switched off looks at all the same */
    TRY("bpf-load", syscall(SYS_bpf, 5, attr, sizeof(attr)));
    CALL(perf_event_open, attr, 0, -1, -1, 0);
    CALL(userfaultfd, 0);
    TRY("userfaultfd-user-mode", syscall(SYS_userfaultfd, 1));
    TRY("dev", open("/dev/userfaultfd", O_RDWR));
}
