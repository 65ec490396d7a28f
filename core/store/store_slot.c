/* store_slot.c - which shard a job belongs to, and which slot of a cluster a shard.
 *
 * A job's shard is in its token: the number that the last four of its digits are, by the number of shards.
 * So who has a token knows where its job is, and a token that was drawn at random has some shard. */
#include "store_internal.h"

#define DIGITS 4
#define VALUES 65536u

unsigned store_slot_of(const char *tag, size_t len)
{
    unsigned crc = 0; /* CRC-16/XMODEM, as Redis has it */

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned)(unsigned char)tag[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
    }
    return crc % STORE_SLOTS;
}

char *store_tag_new(const char *prefix, unsigned shard, unsigned count)
{
    const unsigned first = store_slot_of(prefix, strlen(prefix));
    const unsigned wanted = first + shard * (STORE_SLOTS / count), near = STORE_SLOTS / count / 16 + 1;
    char name[128];

    if (shard == 0)
        return mem_printf("{%s}", prefix);
    for (unsigned n = 0;; n++) { /* one in 16 / count is near enough */
        int len = snprintf(name, sizeof(name), "%s:%u:%u", prefix, shard, n);

        if ((store_slot_of(name, (size_t)len) + STORE_SLOTS - wanted % STORE_SLOTS + near) % STORE_SLOTS <=
            2 * near)
            return mem_printf("{%s}", name);
    }
}

unsigned store_token_shard(const char *token, unsigned count)
{
    size_t len = strlen(token);

    return count == 1 || len < DIGITS ? 0 : (unsigned)(strtoul(token + len - DIGITS, NULL, 16) % count);
}

void store_token_place(char *token, unsigned shard, unsigned count)
{
    size_t len = strlen(token);
    unsigned value;

    if (count == 1 || len < DIGITS)
        return;
    value = (unsigned)strtoul(token + len - DIGITS, NULL, 16) % VALUES;
    value = value - value % count + shard;
    if (value >= VALUES)
        value -= count;
    snprintf(token + len - DIGITS, DIGITS + 1, "%04x", value);
}

unsigned store_hash_shard(const char *a, const char *b, unsigned count)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (const char *p = a; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    h = h * 16777619u; /* "a", "b" is not "ab", "" */
    for (const char *p = b; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    return (h ^ h >> 16) % count;
}
