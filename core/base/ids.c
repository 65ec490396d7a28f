/* ids.c - time of day, identifiers, randomness. */
#include "base.h"

#include <sys/random.h>
#include <time.h>

uint64_t clock_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void clock_iso(uint64_t unix_ms, char out[CLOCK_ISO_SIZE])
{
    static const uint64_t last = UINT64_C(253402300799999); /* the end of the year 9999 */
    uint64_t ms = MIN(unix_ms, last);
    time_t s = (time_t)(ms / 1000u);
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(out, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + 19, CLOCK_ISO_SIZE - 19, ".%03uZ", (unsigned)(ms % 1000u));
}

void random_bytes(void *out, size_t len)
{
    unsigned char *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            abort(); /* tokens that can be guessed are worse than no service */
        p += n;
        len -= (size_t)n;
    }
}

void uuid_new(char out[UUID_SIZE])
{
    unsigned char b[16];

    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool uuid_valid(const char *s)
{
    for (size_t i = 0; i < UUID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s[i] != '-' : !((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return false;
    }
    return s[UUID_SIZE - 1] == '\0';
}
