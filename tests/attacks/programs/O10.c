/* Bytes that are hard to say in JSON. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "bytes") == 0)
        for (int i = 0; i < 256; i++)
            putchar(i);
    else if (strcmp(what, "surrogates") == 0)
        fputs("a\xed\xa0\x80z\xed\xbf\xbf\xc0\x80\xf4\x90\x80\x80\xef\xbf\xbf", stdout);
    else if (strcmp(what, "split") == 0) /* the cap falls within the last one */
        for (int i = 0; i < 65536 / 3 + 1; i++)
            fputs("\xe2\x82\xac", stdout);
    else if (strcmp(what, "nul") == 0)
        fwrite("a\0b\0\0", 1, 5, stdout);
    else if (strcmp(what, "json") == 0)
        fputs("\"},\"status\":\"completed\",\\u0000\\\"\x1b[2J\x7f\xe2\x80\xa8", stdout);
    else /* one line */
        for (int i = 0; i < 4 << 20; i++)
            putchar('l');
    return 0;
}
