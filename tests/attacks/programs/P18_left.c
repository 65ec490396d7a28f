/* A child dies by abort(); what it left beside the program. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct dirent *e;
    int status = 0, files = 0;
    DIR *d;

    if (fork() == 0)
        abort();
    wait(&status);
    d = opendir(".");
    while (d != NULL && (e = readdir(d)) != NULL)
        files += e->d_name[0] != '.';
    printf("signal %d dumped %d files %d\n", WTERMSIG(status), WCOREDUMP(status) != 0, files);
}
