/* wire_cpu.c - Kubernetes quantities of cpu: "200m", "0.5", "2". */
#include "wire_internal.h"

#define CORES_MAX 1000000u

int wire_cpu_parse(const char *s, uint64_t *ret_millis)
{
    uint64_t whole = 0, millis = 0, unit = 100;
    const char *p = s;
    bool more = false; /* a part below a thousandth, which rounds up */

    for (; *p >= '0' && *p <= '9'; p++)
        if ((whole = whole * 10 + (uint64_t)(*p - '0')) > CORES_MAX * UINT64_C(1000))
            return -ERANGE;
    if (p == s)
        return -EINVAL;
    if (p[0] == 'm' && p[1] == '\0') {
        *ret_millis = whole;
        return 0;
    }
    if (*p == '.') {
        const char *point = p++;

        for (; *p >= '0' && *p <= '9'; p++, unit /= 10) {
            millis += (uint64_t)(*p - '0') * unit;
            more = more || (unit == 0 && *p != '0');
        }
        if (p == point + 1)
            return -EINVAL;
    }
    if (*p != '\0')
        return -EINVAL;
    if (whole > CORES_MAX)
        return -ERANGE;
    *ret_millis = whole * 1000 + millis + (more ? 1 : 0);
    return 0;
}
