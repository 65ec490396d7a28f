#include <sys/sendfile.h>
int main(void)
{
    int file = open("/bin/sh", O_RDONLY), p[2], q[2];
    TRY("alg", socket(38, SOCK_SEQPACKET, 0));
    TRY("pipe", pipe(p) | pipe(q));
    TRY("splice", splice(file, NULL, p[1], NULL, 100, 0));
    TRY("tee", tee(p[0], q[1], 100, 0));
    TRY("vmsplice", syscall(SYS_vmsplice, p[1], NULL, 0, 0));
    TRY("sendfile", sendfile(p[1], file, NULL, 100));
    TRY("copy_file_range", copy_file_range(file, NULL, open("/box/c", O_CREAT | O_RDWR, 0600), NULL, 100, 0));
    TRY("write-shared", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED ? -1 : 0);
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    TRY("mprotect-shared", mprotect(shared, 4096, PROT_READ | PROT_WRITE));
    char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    own[0] = 'X'; /* a copy of its own */
    SAY("copied %d\n", own[0] == 'X' && shared[0] == 0x7f);
    int mem = open("/proc/self/mem", O_RDWR); /* Dirty COW's door */
    TRY("mem-shared", mem < 0 ? -1 : pwrite(mem, "X", 1, (off_t)(uintptr_t)shared));
    SAY("intact %d\n", shared[0] == 0x7f);
    SAY("advised %d\n", posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
}
