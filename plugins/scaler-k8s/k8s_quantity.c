/* k8s_quantity.c - Kubernetes' quantities (apimachinery, pkg/api/resource): sign, decimal, suffix or
 * exponent.
 *
 * In thousandths and in integers: a double has 53 bits, and memory in bytes times 1000 may need more. */
#include "k8s.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18
__extension__ typedef unsigned __int128 wide;

struct suffix {
    const char *text;
    int power;   /* of ten */
    int doubled; /* of 1024 */
};
static const struct suffix suffixes[] = {{"n", -9, 0}, {"u", -6, 0}, {"m", -3, 0}, {"", 0, 0},
                                         {"k", 3, 0},  {"M", 6, 0},  {"G", 9, 0},  {"T", 12, 0},
                                         {"P", 15, 0}, {"E", 18, 0}, {"Ki", 0, 1}, {"Mi", 0, 2},
                                         {"Gi", 0, 3}, {"Ti", 0, 4}, {"Pi", 0, 5}, {"Ei", 0, 6}};

/* What follows the number as powers; "1E" is a suffix, "1E3" an exponent. */
static bool take_suffix(const char *text, int *ret_power, int *ret_doubled)
{
    char *end;
    long exponent;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(suffixes[i].text, text) == 0) {
            *ret_power = suffixes[i].power;
            *ret_doubled = suffixes[i].doubled;
            return true;
        }
    if ((text[0] != 'e' && text[0] != 'E') || strchr("+-0123456789", text[1]) == NULL || text[1] == '\0')
        return false;
    exponent = strtol(text + 1, &end, 10);
    *ret_power = (int)exponent;
    *ret_doubled = 0;
    return *end == '\0' && exponent >= -30 && exponent <= 30;
}

bool k8s_quantity_millis(const char *text, int64_t *ret)
{
    const bool negative = *text == '-';
    wide value = 0;
    int digits = 0, power, doubled;
    int fraction = 0;
    bool point = false, exact = true;

    text += *text == '-' || *text == '+';
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        if (++digits > DIGITS_MAX)
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        fraction += point;
    }
    if (digits == 0 || !take_suffix(text, &power, &doubled))
        return false;
    for (; doubled > 0; doubled--)
        value <<= 10;
    for (power += 3 - fraction; power > 0 && value <= INT64_MAX; power--)
        value *= 10;
    for (; power < 0; power++) {
        exact = exact && value % 10 == 0;
        value /= 10;
    }
    value += !exact;
    if (value > INT64_MAX) /* more than there is: as Kubernetes does, the most that fits */
        value = INT64_MAX;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}
