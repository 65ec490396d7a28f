#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == 'c')
        fclose(stdin);
    puts("not interested");
}
