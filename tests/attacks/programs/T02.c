#include <stdio.h>
#include <unistd.h>

int main(void)
{
    puts("sleeping");
    fflush(stdout);
    sleep(60);
    puts("awake");
}
