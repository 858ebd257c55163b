/*
 * From a caller's image to opaque pixels: formats, regions, and the ground of transparent pictures, black or white,
 * whichever makes their content visible. These are sections 7 and 8 of the model contract.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LARGEST_SIDE 16384   /* pixels */
#define MOST_PIXELS 50000000 /* a word crop has thousands; more is a mistake or an attack */

#define VISIBLE 128   /* a pixel counts from this alpha on */
#define DARK 96       /* a pixel is dark below this luma */
#define LIGHT 160     /* a pixel is light from this luma on */
#define TWO_TONES 16  /* a picture has two tones if each has at least 1/16 of the visible pixels */
#define NEARLY_ALL 16 /* a plate has at most 1/16 invisible pixels, as at rounded corners */

/* The positions of the channels in a pixel's bytes. */
typedef struct layout {
    int size, red, green, blue, alpha; /* alpha: -1 if there is none */
} layout;

typedef enum ground { AS_STORED = -1, BLACK = 0, WHITE = 255 } ground;

static const layout *layout_of(scriptkd_format format) {
    static const layout layouts[] = {{1, 0, 0, 0, -1}, {3, 0, 1, 2, -1}, {3, 2, 1, 0, -1}, {4, 0, 1, 2, 3}, {4, 2, 1, 0, 3},
        {4, 1, 2, 3, 0}};
    return format < SCRIPTKD_GRAY || format > SCRIPTKD_ARGB ? NULL : &layouts[format - SCRIPTKD_GRAY];
}

static const uint8_t *row(const scriptkd_image *image, int y) {
    return image->pixels + y * image->stride;
}

scriptkd_status skd_check_size(double width, double height, scriptkd_error *error) {
    skd_text size = {.length = 0};
    skd_add_number(&size, width);
    skd_add(&size, "x");
    skd_add_number(&size, height);
    if (!(fmin(width, height) >= SKD_SMALLEST_SIDE)) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "%s pixels, but at least 2x2 are needed", size.bytes);
    }
    if (fmax(width, height) > LARGEST_SIDE) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "%s pixels, but at most 16,384 a side are allowed", size.bytes);
    }
    if (width * height > MOST_PIXELS) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "%s pixels, but at most 50 million are allowed", size.bytes);
    }
    return SCRIPTKD_OK;
}

static scriptkd_status check_image(const scriptkd_image *image, scriptkd_error *error) {
    const layout *pixel = layout_of(image->format);
    if (pixel == NULL) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR,
            "format must be one of scriptkd_format, from SCRIPTKD_GRAY (1) to SCRIPTKD_ARGB (6), not %d", (int)image->format);
    }
    scriptkd_status status = skd_check_size(image->width, image->height, error);
    if (status != SCRIPTKD_OK) {
        return status;
    }
    ptrdiff_t least = (ptrdiff_t)image->width * pixel->size;
    if (image->stride < least && image->stride > -least) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR,
            "stride must be at least %td bytes for %d pixels of %d, up or down, not %td", least, image->width, pixel->size,
            image->stride);
    }
    if (image->stride > PTRDIFF_MAX / LARGEST_SIDE || image->stride < -(PTRDIFF_MAX / LARGEST_SIDE)) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "stride is larger than memory: %td bytes", image->stride);
    }
    return image->pixels != NULL ? SCRIPTKD_OK
                                 : skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "pixels must be an address, not NULL");
}

/* Whether every pixel of a region is opaque. */
static bool opaque(const scriptkd_image *image, const layout *pixel, skd_rectangle region) {
    uint8_t all = 255;
    for (int y = region.top; y < region.bottom; y++) {
        const uint8_t *alpha = row(image, y) + region.left * pixel->size + pixel->alpha;
        for (int i = 0; i < region.right - region.left; i++) {
            all &= alpha[i * pixel->size];
        }
    }
    return all == 255;
}

/* How many pixels are dark, how many are light, how many there are, and the sum of their luma. */
typedef struct tones {
    int64_t dark, light, count, total;
} tones;

static void count_tone(tones *seen, const layout *pixel, const uint8_t *bytes) {
    int luma = skd_luma(bytes[pixel->red], bytes[pixel->green], bytes[pixel->blue]);
    seen->dark += luma < DARK;
    seen->light += luma >= LIGHT;
    seen->count++;
    seen->total += luma;
}

/* The rim: visible pixels beside an invisible one. Beyond the picture's edge nothing counts as invisible. */
static tones rim_of(const scriptkd_image *image, const layout *pixel, int least) {
    tones rim = {0, 0, 0, 0};
    ptrdiff_t across = pixel->size, down = image->stride;
    for (int y = 0; y < image->height; y++) {
        const uint8_t *bytes = row(image, y), *alpha = bytes + pixel->alpha;
        for (int x = 0; x < image->width; x++, bytes += across, alpha += across) {
            bool inner = (x == 0 || alpha[-across] >= least) && (x == image->width - 1 || alpha[across] >= least)
                && (y == 0 || alpha[-down] >= least) && (y == image->height - 1 || alpha[down] >= least);
            if (*alpha >= least && !inner) {
                count_tone(&rim, pixel, bytes);
            }
        }
    }
    return rim;
}

/*
 * The ground for a whole picture. A plate or page with words on it is laid on a ground like its rim. So is a word with
 * an outline. Ink alone, or a picture without a plain rim, such as a word with its shadow, is laid on the ground that
 * differs more from it. If the ground is nowhere visible, it is white. Alpha of 0 everywhere is ignored, because some
 * screenshots and bitmaps leave their fourth byte empty.
 */
static ground ground_of(const scriptkd_image *image, const layout *pixel) {
    int64_t size = (int64_t)image->width * image->height, visible = 0;
    int highest = 0;
    for (int y = 0; y < image->height; y++) {
        const uint8_t *alpha = row(image, y) + pixel->alpha;
        for (int x = 0; x < image->width; x++, alpha += pixel->size) {
            highest = *alpha > highest ? *alpha : highest;
            visible += *alpha >= VISIBLE;
        }
    }
    if (highest == 0) {
        return AS_STORED;
    }
    if (visible == size) {
        return WHITE;
    }
    int least = visible > 0 ? VISIBLE : 1; /* alpha */
    tones seen = {0, 0, 0, 0};
    for (int y = 0; y < image->height; y++) {
        const uint8_t *bytes = row(image, y);
        for (int x = 0; x < image->width; x++, bytes += pixel->size) {
            if (bytes[pixel->alpha] >= least) {
                count_tone(&seen, pixel, bytes);
            }
        }
    }
    bool two_tones = (seen.dark < seen.light ? seen.dark : seen.light) * TWO_TONES >= seen.count;
    if (two_tones || (size - seen.count) * NEARLY_ALL <= size) {
        tones rim = rim_of(image, pixel, least);
        if ((rim.dark > rim.light ? rim.dark : rim.light) * 4 >= rim.count * 3) {
            return rim.light >= rim.dark ? WHITE : BLACK;
        }
    }
    return seen.total > 128 * seen.count ? BLACK : WHITE;
}

/* Copy a region as R, G, B, laid on a ground. */
static void lay(const scriptkd_image *image, const layout *pixel, ground shade, skd_rectangle region, uint8_t *to) {
    for (int y = region.top; y < region.bottom; y++) {
        const uint8_t *from = row(image, y) + region.left * pixel->size;
        for (int x = region.left; x < region.right; x++, from += pixel->size, to += 3) {
            to[0] = from[pixel->red];
            to[1] = from[pixel->green];
            to[2] = from[pixel->blue];
            if (shade != AS_STORED) {
                unsigned alpha = from[pixel->alpha], rest = (unsigned)shade * (255 - alpha) + 127;
                for (int i = 0; i < 3; i++) {
                    to[i] = (uint8_t)((to[i] * alpha + rest) / 255);
                }
            }
        }
    }
}

/* A region's opaque pixels. They are the image's own if these are R, G, B or gray already. */
static scriptkd_status cut(skd_memory *memory, const scriptkd_image *image, skd_rectangle region, skd_pixels *pixels,
    scriptkd_error *error) {
    const layout *pixel = layout_of(image->format);
    pixels->width = region.right - region.left;
    pixels->height = region.bottom - region.top;
    pixels->channels = image->format == SCRIPTKD_GRAY ? 1 : 3;
    if (image->format == SCRIPTKD_GRAY || image->format == SCRIPTKD_RGB) {
        pixels->bytes = row(image, region.top) + region.left * pixel->size;
        pixels->stride = image->stride;
        return SCRIPTKD_OK;
    }
    uint8_t *copy = skd_allocate(memory, (size_t)pixels->width * (size_t)pixels->height, 3);
    if (copy == NULL) {
        return skd_no_memory(error);
    }
    bool as_stored = pixel->alpha < 0 || opaque(image, pixel, region);
    lay(image, pixel, as_stored ? AS_STORED : ground_of(image, pixel), region, copy);
    pixels->bytes = copy;
    pixels->stride = 3 * (ptrdiff_t)pixels->width;
    return SCRIPTKD_OK;
}

/* A box clipped to the image. */
static scriptkd_status clip(const scriptkd_box *box, const scriptkd_image *image, skd_rectangle *region, scriptkd_error *error) {
    skd_text shown = {.length = 0};
    const double numbers[] = {box->left, box->top, box->right, box->bottom};
    double sides[4];
    bool finite = true;
    for (int i = 0; i < 4; i++) {
        skd_add(&shown, i == 0 ? "(" : ", ");
        skd_add_number(&shown, numbers[i]);
        sides[i] = floor(numbers[i] + 0.5);
        finite = finite && isfinite(numbers[i]);
    }
    skd_add(&shown, ")");
    if (!finite) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "a region must not hold NaN or infinity: %s", shown.bytes);
    }
    if (sides[2] - sides[0] < SKD_SMALLEST_SIDE || sides[3] - sides[1] < SKD_SMALLEST_SIDE) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR,
            "the region %s is empty: right and bottom must exceed left and top by 2 or more", shown.bytes);
    }
    double left = fmax(sides[0], 0), top = fmax(sides[1], 0);
    double right = fmin(sides[2], image->width), bottom = fmin(sides[3], image->height);
    if (right <= left || bottom <= top) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "the region %s is outside the image of %dx%d pixels", shown.bytes,
            image->width, image->height);
    }
    *region = (skd_rectangle){(int)left, (int)top, (int)right, (int)bottom};
    return skd_check_size(right - left, bottom - top, error);
}

scriptkd_status skd_pixels_of(skd_memory *memory, const scriptkd_image *image, const scriptkd_options *options,
    skd_pixels *pixels, scriptkd_error *error) {
    scriptkd_status status = check_image(image, error);
    if (status != SCRIPTKD_OK) {
        return status;
    }
    if (options->corners == NULL) {
        skd_rectangle region = {0, 0, image->width, image->height};
        if (options->box != NULL && (status = clip(options->box, image, &region, error)) != SCRIPTKD_OK) {
            return status;
        }
        return cut(memory, image, region, pixels, error);
    }
    if (options->box != NULL) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "a region is a box or four corners, not both");
    }
    skd_quadrilateral shape;
    skd_pixels source;
    if ((status = skd_measure(options->corners, image->width, image->height, &shape, error)) != SCRIPTKD_OK
        || (status = cut(memory, image, shape.source, &source, error)) != SCRIPTKD_OK) {
        return status;
    }
    int width = shape.seen.right - shape.seen.left, height = shape.seen.bottom - shape.seen.top;
    uint8_t *flat = skd_allocate(memory, (size_t)width * (size_t)height, (size_t)source.channels);
    if (flat == NULL) {
        return skd_no_memory(error);
    }
    skd_rectify(&shape, &source, flat);
    *pixels = (skd_pixels){flat, (ptrdiff_t)width * source.channels, width, height, source.channels};
    return SCRIPTKD_OK;
}
