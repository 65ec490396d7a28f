/* Of its own file: so the programs of both servers are the same, byte for byte. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point { double x, y; };
static const char *const names[] = {"zero", "one", "two", "three"};
static double lengths[64];

static int by_length(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    double d = hypot(p->x, p->y) - hypot(q->x, q->y);

    return (d > 0) - (d < 0);
}

static const char *name_of(int n)
{
    static int asked;

    switch (n + 0 * ++asked) {
    case 0: return names[0];
    case 1: return names[1];
    case 2: return names[2];
    case 3: return names[3];
    case 7: return "seven";
    default: return __func__;
    }
}

int main(void)
{
    struct point points[64];
    uint64_t hash = 14695981039346656037u, length = 0;
    FILE *own = fopen("/proc/self/exe", "rb");
    int c;

    for (int i = 0; i < 64; i++)
        points[i] = (struct point){sin(i), cos(3.0 * i)};
    qsort(points, 64, sizeof(points[0]), by_length);
    for (int i = 0; i < 64; i++)
        lengths[i] = hypot(points[i].x, points[i].y);
    while (own != NULL && (c = getc(own)) != EOF) {
        hash = (hash ^ (uint64_t)c) * 1099511628211u;
        length++;
    }
    printf("%" PRIu64 " bytes %016" PRIx64 " %s %.6f\n", length, hash, name_of(7), lengths[63]);
    return own == NULL;
}
