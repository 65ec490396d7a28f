#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char c;

    printf("read %zd\n", read(0, &c, 1));
}
