#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (fork() == 0) {
        usleep(argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) * 1000 : 0);
        puts("late");
        return 0;
    }
    puts("early");
}
