/* Uses four times its memory, each piece given back once written (the kernel takes it when it must), and then
 * raises the signal that its argument names. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
    for (int i = 0; i < 64; i++) {
        char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            return 1;
        memset(p, 1, 4 << 20);
        if (madvise(p, 4 << 20, MADV_FREE) != 0)
            return 1;
    }
    return argc == 2 ? raise((int)strtol(argv[1], NULL, 10)) : 1;
}
