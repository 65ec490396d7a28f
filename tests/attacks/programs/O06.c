#include <time.h>
#include <unistd.h>

int main(void)
{
    while (write(1, "x", 1) == 1)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
}
