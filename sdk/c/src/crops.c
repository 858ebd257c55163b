/*
 * From pixels to the crops that a network sees: margins trimmed, tall crops laid down, lines cut into windows.
 *
 * This is section 2 of the model contract, for files of format 3. All of it is integer arithmetic, so that every
 * platform gets the same pixels.
 */

#include <string.h>

#include "internal.h"

#define PLAIN 24 /* levels of luma: on a plain ground, noise and JPEG artefacts differ by less, legible ink by more */
#define RIM 16   /* trimming leaves a rim of 1/16 of the remaining side, because the tips of letters are faint */
#define TILE 64  /* pixels: a tile's lines fit into the processor's cache */

static int least(int one, int other) {
    return one < other ? one : other;
}

static int most(int one, int other) {
    return one > other ? one : other;
}

static skd_plane part(skd_plane plane, int left, int top, int right, int bottom) {
    return (skd_plane){plane.bytes + top * plane.stride + left, plane.stride, right - left, bottom - top};
}

/* How many rows from the first on, in steps of 1 or -1, are plain and similar to the first. */
static int plain_rows(const skd_plane *light, int first, int step) {
    int low = 255, high = 0;
    for (int row = 0; row < light->height; row++) {
        const uint8_t *levels = light->bytes + (first + row * step) * light->stride;
        int lowest = low, highest = high;
        for (int x = 0; x < light->width; x++) {
            lowest = least(lowest, levels[x]);
            highest = most(highest, levels[x]);
        }
        if (highest - lowest > PLAIN) {
            return row;
        }
        if (row == 0) {
            low = lowest;
            high = highest;
        }
    }
    return light->height;
}

/* The same for columns. They are checked row by row, in the order of memory, until they differ. */
static int plain_columns(const skd_plane *light, int first, int step, uint8_t *low, uint8_t *high) {
    memset(low, 255, (size_t)light->width);
    memset(high, 0, (size_t)light->width);
    int left = light->width; /* columns that may still be plain */
    for (int y = 0; y < light->height; y++) {
        const uint8_t *levels = light->bytes + y * light->stride + first;
        for (int column = 0; column < left; column++) {
            uint8_t level = levels[column * step];
            low[column] = level < low[column] ? level : low[column];
            high[column] = level > high[column] ? level : high[column];
            if (most(high[column], high[0]) - least(low[column], low[0]) > PLAIN) {
                left = column;
            }
        }
    }
    return left;
}

/* Cuts off plain margins, except for a narrow rim. An image that is plain all over stays whole. */
static skd_rectangle trimmed(const skd_plane *light, uint8_t *low, uint8_t *high) {
    int width = light->width, height = light->height;
    skd_rectangle whole = {0, 0, width, height};
    int top = plain_rows(light, 0, 1);
    int bottom = top < height ? height - plain_rows(light, height - 1, -1) : 0;
    if (top >= bottom) {
        return whole;
    }
    skd_plane between = part(*light, 0, top, width, bottom);
    int left = plain_columns(&between, 0, 1, low, high);
    int right = left < width ? width - plain_columns(&between, width - 1, -1, low, high) : 0;
    if (left >= right) {
        return whole;
    }
    int rim = most(1, least(bottom - top, right - left) / RIM);
    return (skd_rectangle){
        most(left - rim, 0), most(top - rim, 0), least(right + rim, width), least(bottom + rim, height)};
}

/* Turn by 90 degrees counterclockwise. */
static skd_plane turned(const skd_plane *plane, uint8_t *to) {
    int width = plane->height, height = plane->width;
    for (int top = 0; top < height; top += TILE) {
        for (int left = 0; left < width; left += TILE) {
            for (int i = top; i < least(top + TILE, height); i++) {
                const uint8_t *from = plane->bytes + left * plane->stride + plane->width - 1 - i;
                for (int j = left; j < least(left + TILE, width); j++, from += plane->stride) {
                    to[(ptrdiff_t)i * width + j] = *from;
                }
            }
        }
    }
    return (skd_plane){to, width, width, height};
}

/* The luma of colours, or one of the channels. */
static skd_plane plane_of(const skd_pixels *pixels, int channel, uint8_t *to) {
    for (int y = 0; y < pixels->height; y++) {
        const uint8_t *from = pixels->bytes + y * pixels->stride;
        uint8_t *row = to + (ptrdiff_t)y * pixels->width;
        if (channel < 0) {
            for (int x = 0; x < pixels->width; x++) {
                row[x] = skd_luma(from[3 * x], from[3 * x + 1], from[3 * x + 2]);
            }
        } else {
            for (int x = 0; x < pixels->width; x++) {
                row[x] = from[3 * x + channel];
            }
        }
    }
    return (skd_plane){to, pixels->width, pixels->width, pixels->height};
}

int64_t skd_free_width(const scriptkd_info *info, int width, int height, int rows) {
    int64_t divisor = (int64_t)height * info->width_step;
    return (2 * (int64_t)width * rows + divisor) / (2 * divisor) * info->width_step; /* round half up, without a float */
}

/* Cut a line that is wider than the network's input into windows of one width, evenly spaced. */
static void cut_windows(skd_crops *crops, const scriptkd_info *info) {
    int64_t width = crops->planes[0].width, height = crops->planes[0].height, rows = crops->rows;
    if (info->width_min == info->width_max
        || skd_free_width(info, (int)width, (int)height, crops->rows) <= info->width_max) {
        return;
    }
    int64_t view = (2 * info->width_max * height + rows) / (2 * rows);
    view = view < 1 ? 1 : view;
    if (view >= width) {
        return;
    }
    int64_t gaps = (width + view - 1) / view - 1;
    gaps = gaps < SKD_MOST_WINDOWS ? gaps : SKD_MOST_WINDOWS - 1;
    for (int64_t i = 0; i <= gaps; i++) {
        crops->starts[i] = (int)((2 * i * (width - view) + gaps) / (2 * gaps));
    }
    crops->count = (int)gaps + 1;
    crops->view = (int)view;
}

scriptkd_status skd_crops_of(skd_memory *memory, const skd_pixels *pixels, const scriptkd_info *info, bool upright,
    skd_crops *crops, scriptkd_error *error) {
    bool any_crop = info->square_height > 0, gray = pixels->channels == 1;
    size_t size = (size_t)pixels->width * (size_t)pixels->height;
    skd_plane light = {pixels->bytes, pixels->stride, pixels->width, pixels->height};
    if (!gray && (any_crop || info->channels == 1)) {
        uint8_t *bytes = skd_allocate(memory, size, 1);
        if (bytes == NULL) {
            return skd_no_memory(error);
        }
        light = plane_of(pixels, -1, bytes);
    }
    for (int channel = 0; channel < info->channels; channel++) {
        crops->planes[channel] = light;
        if (!gray && info->channels == 3) {
            uint8_t *bytes = skd_allocate(memory, size, 1);
            if (bytes == NULL) {
                return skd_no_memory(error);
            }
            crops->planes[channel] = plane_of(pixels, channel, bytes);
        }
    }
    crops->count = 1;
    crops->starts[0] = 0;
    crops->view = light.width;
    crops->rows = info->height;
    crops->turned = 0;
    if (!any_crop) {
        return SCRIPTKD_OK;
    }
    uint8_t *low = skd_allocate(memory, (size_t)light.width, 1), *high = skd_allocate(memory, (size_t)light.width, 1);
    if (low == NULL || high == NULL) {
        return skd_no_memory(error);
    }
    skd_rectangle box = trimmed(&light, low, high);
    int width = box.right - box.left, height = box.bottom - box.top;
    bool tall = !upright && 2 * height >= 3 * width;
    for (int channel = 0; channel < info->channels; channel++) {
        skd_plane *plane = &crops->planes[channel];
        *plane = part(*plane, box.left, box.top, box.right, box.bottom);
        if (tall) {
            uint8_t *bytes = skd_allocate(memory, (size_t)width * (size_t)height, 1);
            if (bytes == NULL) {
                return skd_no_memory(error);
            }
            *plane = turned(plane, bytes);
        }
    }
    width = crops->planes[0].width;
    height = crops->planes[0].height;
    crops->turned = tall ? 90 : 0;
    crops->rows = 2 * width < 3 * height ? info->square_height : info->height;
    crops->view = width;
    cut_windows(crops, info);
    return SCRIPTKD_OK;
}
