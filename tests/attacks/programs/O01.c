#include <string.h>
#include <unistd.h>

int main(void)
{
    static char chunk[8192];

    for (int i = 0; i < 4096; i++)
        memcpy(chunk + 2 * i, "y\n", 2);
    for (;;)
        if (write(1, chunk, sizeof(chunk)) < 0)
            return 1;
}
