/* Its outputs end before it does: then it spins, or it ends half a second later. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    puts("closing");
    fflush(stdout);
    close(1);
    close(2);
    if (argc > 1 && argv[1][0] == 's')
        for (volatile unsigned i = 0;; i++)
            ;
    usleep(500000);
    return 0;
}
