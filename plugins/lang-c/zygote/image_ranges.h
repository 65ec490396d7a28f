/* image_ranges.h - what a process has mapped, before and after an image's start. */
#ifndef IMAGE_RANGES_H
#define IMAGE_RANGES_H

#include <stddef.h>

#include "image.h"

enum { IMAGE_MAPS = 1024 };

struct image_maps {
    struct image_range list[IMAGE_MAPS];
    size_t count;
};

/* Without the heap; nothing where it cannot be read. */
void image_ranges_read(struct image_maps *ret);
/* What is in `after` and was not before is the image's. */
void image_ranges_take(struct image *image, const struct image_maps *before, const struct image_maps *after);

#endif
