#include <stdio.h>

int main(void)
{
    printf("flushed\n");
    fflush(stdout);
    printf("kept back\n"); /* stdout is a pipe: this stays in the buffer */
    for (volatile unsigned i = 0;; i++)
        ;
}
