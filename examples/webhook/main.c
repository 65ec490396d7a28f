/* main.c - webhook_verify ID TIMESTAMP SIGNATURES [NOW] < BODY, with the secret in WEBHOOK_SECRET.
 *
 * Exit status: 0 valid, 1 not (the reason is on stderr), 2 usage. */
#include <stdio.h>
#include <stdlib.h>

#include "webhook_verify.h"

#define BODY_MAX (64u << 20)

int main(int argc, char **argv)
{
    static const char *const words[] = {[WEBHOOK_VALID] = "valid",
                                        [WEBHOOK_FORGED] = "forged",
                                        [WEBHOOK_STALE] = "stale",
                                        [WEBHOOK_MALFORMED] = "malformed",
                                        [WEBHOOK_BAD_SECRET] = "WEBHOOK_SECRET is no secret"};
    enum webhook_verdict verdict;
    char *body;
    size_t len;

    if (argc != 4 && argc != 5) {
        fputs("usage: webhook_verify ID TIMESTAMP SIGNATURES [NOW] < BODY\n", stderr);
        return 2;
    }
    body = malloc(BODY_MAX);
    if (body == NULL)
        return 2;
    len = fread(body, 1, BODY_MAX, stdin);
    verdict = webhook_verify(getenv("WEBHOOK_SECRET"), argv[1], argv[2], argv[3], body, len,
                             argc == 5 ? (time_t)strtoll(argv[4], NULL, 10) : time(NULL));
    free(body);
    fprintf(stderr, "%s\n", words[verdict]);
    return verdict == WEBHOOK_VALID ? 0 : verdict == WEBHOOK_BAD_SECRET ? 2 : 1;
}
