/* image_ranges.c - where an image lies, so that the forks of others do without it.
 *
 * To copy the page tables of two images for nothing, and to take them apart again, is half of what a fork of
 * three costs. */
#include "image.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image_ranges.h"

enum { MAPS_MAX = 128 << 10 };

static size_t read_maps(char *text)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 0;

    while (fd >= 0 && len < MAPS_MAX - 1 && (n = read(fd, text + len, MAPS_MAX - 1 - len)) > 0)
        len += (size_t)n;
    if (fd >= 0)
        close(fd);
    if (fd < 0 || n != 0)
        len = 0; /* unreadable, or longer than any that we know */
    text[len] = '\0';
    return len;
}

void image_ranges_read(struct image_maps *ret)
{
    static char text[MAPS_MAX];
    char *line = text, *end;

    ret->count = 0;
    for (read_maps(text); (end = strchr(line, '\n')) != NULL; line = end + 1) {
        struct image_range r;
        char *at;

        *end = '\0';
        if (strchr(line, '[') != NULL) /* the heap, which all have together, and the kernel's */
            continue;
        r.from = (char *)(uintptr_t)strtoull(line, &at, 16);
        r.to = (char *)(uintptr_t)strtoull(at + 1, NULL, 16);
        if (ret->count < IMAGE_MAPS)
            ret->list[ret->count++] = r;
    }
}

static int overlaps(const struct image_maps *maps, const struct image_range *r)
{
    for (size_t i = 0; i < maps->count; i++)
        if (maps->list[i].from < r->to && r->from < maps->list[i].to)
            return 1;
    return 0;
}

/* A mapping that has grown together with an earlier one is nobody's. */
void image_ranges_take(struct image *image, const struct image_maps *before, const struct image_maps *after)
{
    for (size_t i = 0; i < after->count && before->count < IMAGE_MAPS; i++) {
        const struct image_range *r = &after->list[i];
        struct image_range *last = image->range_count > 0 ? &image->ranges[image->range_count - 1] : NULL;

        if (overlaps(before, r))
            continue;
        if (last != NULL && last->to == r->from)
            last->to = r->to;
        else if (image->range_count < IMAGE_RANGES)
            image->ranges[image->range_count++] = *r;
    }
}

void image_leave_out(struct image *image, int out)
{
    if (image->left_out == out)
        return;
    image->left_out = out;
    for (size_t i = 0; i < image->range_count; i++)
        madvise(image->ranges[i].from, (size_t)(image->ranges[i].to - image->ranges[i].from),
                out ? MADV_DONTFORK : MADV_DOFORK);
}
