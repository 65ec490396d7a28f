#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    char *volatile p = malloc((size_t)10 << 30);

    puts(p != NULL ? "a pointer" : "NULL");
}
