/* Rectifies the four corners of a word in perspective: section 7 of the model contract. */

#include <math.h>

#include "internal.h"

#define SHOWN 80        /* characters of corners in a message */
#define MOST_CORNERS 32 /* of a polygon: a cut turns n corners into at most n + n / 2, and four cuts 4 into 19 */

/* The map from the unit square to a quadrilateral with corners in order (Heckbert, Fundamentals of Texture Mapping,
 * 1989). */
static bool square_to_corners(const scriptkd_point at[4], double m[3][3]) {
    double x1 = at[1].x - at[2].x, x2 = at[3].x - at[2].x, x3 = at[0].x - at[1].x + at[2].x - at[3].x;
    double y1 = at[1].y - at[2].y, y2 = at[3].y - at[2].y, y3 = at[0].y - at[1].y + at[2].y - at[3].y;
    double area = x1 * y2 - x2 * y1;
    double g = (x3 * y2 - x2 * y3) / area, h = (x1 * y3 - x3 * y1) / area;
    const double rows[3][3] = {{at[1].x - at[0].x + g * at[1].x, at[3].x - at[0].x + h * at[3].x, at[0].x},
        {at[1].y - at[0].y + g * at[1].y, at[3].y - at[0].y + h * at[3].y, at[0].y}, {g, h, 1}};
    bool finite = true;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            m[i][j] = rows[i][j];
            finite = finite && isfinite(rows[i][j]);
        }
    }
    return finite;
}

static scriptkd_point apply(double m[3][3], double x, double y) {
    double w = m[2][0] * x + m[2][1] * y + m[2][2];
    return (scriptkd_point){(m[0][0] * x + m[0][1] * y + m[0][2]) / w, (m[1][0] * x + m[1][1] * y + m[1][2]) / w};
}

/* The inverse up to a factor, which does not change a map of the plane. */
static void adjugate(double m[3][3], double result[3][3]) {
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            result[i][j] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
        }
    }
}

/* Clip a convex polygon at one side of the image: sign * (x or y) <= sign * limit stays. Returns the number of corners. */
static int clip(scriptkd_point *polygon, int count, bool vertical, double sign, double limit) {
    scriptkd_point kept[MOST_CORNERS];
    int to = 0;
    for (int i = 0; i < count; i++) {
        scriptkd_point one = polygon[i], other = polygon[(i + 1) % count];
        double before = sign * (limit - (vertical ? one.y : one.x)), after = sign * (limit - (vertical ? other.y : other.x));
        if (before >= 0) {
            kept[to++] = one;
        }
        if ((before > 0 && after < 0) || (before < 0 && after > 0)) {
            double part = before / (before - after);
            kept[to++] = (scriptkd_point){one.x + part * (other.x - one.x), one.y + part * (other.y - one.y)};
        }
    }
    for (int i = 0; i < to; i++) {
        polygon[i] = kept[i];
    }
    return to;
}

static int rounded(double value, int most) {
    return (int)fmin(fmax(floor(value + 0.5), 0), most);
}

/* The bounding box of mapped points, with a margin, clipped to an image. */
static skd_rectangle around(
    const scriptkd_point *points, int count, double wide, double high, int margin, int width, int height) {
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int i = 0; i < count; i++) {
        left = fmin(left, points[i].x * wide);
        right = fmax(right, points[i].x * wide);
        top = fmin(top, points[i].y * high);
        bottom = fmax(bottom, points[i].y * high);
    }
    return (skd_rectangle){rounded(left - margin, width), rounded(top - margin, height), rounded(right + margin, width),
        rounded(bottom + margin, height)};
}

scriptkd_status skd_measure(
    const scriptkd_point corners[4], int width, int height, skd_quadrilateral *shape, scriptkd_error *error) {
    skd_text shown = {.length = 0};
    bool finite = true;
    for (int i = 0; i < 4; i++) {
        skd_add(&shown, i == 0 ? "((" : ", (");
        skd_add_number(&shown, corners[i].x);
        skd_add(&shown, ", ");
        skd_add_number(&shown, corners[i].y);
        skd_add(&shown, i == 3 ? "))" : ")");
        finite = finite && isfinite(corners[i].x) && isfinite(corners[i].y);
    }
    const char *rest = shown.length > SHOWN ? "..." : "";
    int length = shown.length > SHOWN ? SHOWN - 3 : SHOWN;
    if (!finite) {
        return skd_fail(
            error, SCRIPTKD_IMAGE_ERROR, "a region must not hold NaN or infinity: %.*s%s", length, shown.bytes, rest);
    }
    /* Corners that are equal in float32 count as one, as in the Python SDK. */
    double across[4], down[4];
    for (int i = 0; i < 4; i++) {
        const scriptkd_point *one = &corners[i], *other = &corners[(i + 1) % 4];
        across[i] = (double)(float)(other->x - 0.5) - (double)(float)(one->x - 0.5);
        down[i] = (double)(float)(other->y - 0.5) - (double)(float)(one->y - 0.5);
    }
    for (int i = 0; i < 4; i++) { /* around a convex shape all corners turn the same way: clockwise, as y points down */
        if (!(across[i] * down[(i + 1) % 4] - down[i] * across[(i + 1) % 4] > 0)) {
            return skd_fail(error, SCRIPTKD_IMAGE_ERROR,
                "the corners %.*s%s do not go clockwise around a convex quadrilateral: top left, top right, "
                "bottom right, bottom left", length, shown.bytes, rest);
        }
    }
    shape->width = floor((hypot(across[0], down[0]) + hypot(across[2], down[2])) / 2 + 0.5);
    shape->height = floor((hypot(across[1], down[1]) + hypot(across[3], down[3])) / 2 + 0.5);
    scriptkd_status status = skd_check_size(shape->width, shape->height, error);
    if (status != SCRIPTKD_OK) {
        return status;
    }
    if (!square_to_corners(corners, shape->matrix)) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "the corners %.*s%s are too close to a line to be rectified", length,
            shown.bytes, rest);
    }
    scriptkd_point within[MOST_CORNERS] = {corners[0], corners[1], corners[2], corners[3]};
    int count = clip(within, 4, false, 1, width);
    count = clip(within, count, true, 1, height);
    count = clip(within, count, false, -1, 0);
    count = clip(within, count, true, -1, 0);
    double area = 0;
    for (int i = 0; i < count; i++) {
        const scriptkd_point *one = &within[i], *other = &within[(i + 1) % count];
        area += one->x * other->y - other->x * one->y;
    }
    if (!(area > 0)) {
        return skd_fail(error, SCRIPTKD_IMAGE_ERROR, "the region %.*s%s is outside the image of %dx%d pixels", length,
            shown.bytes, rest, width, height);
    }
    double inverse[3][3];
    adjugate(shape->matrix, inverse);
    for (int i = 0; i < count; i++) {
        within[i] = apply(inverse, within[i].x, within[i].y);
    }
    shape->seen = around(within, count, shape->width, shape->height, 0, (int)shape->width, (int)shape->height);
    /* Where the visible part lies in the image, with the fraction of a pixel that rounding added. */
    const skd_rectangle *seen = &shape->seen;
    scriptkd_point rim[4] = {{seen->left, seen->top}, {seen->right, seen->top}, {seen->right, seen->bottom},
        {seen->left, seen->bottom}};
    for (int i = 0; i < 4; i++) {
        rim[i] = apply(shape->matrix, rim[i].x / shape->width, rim[i].y / shape->height);
    }
    shape->source = around(rim, 4, 1, 1, 2, width, height);
    return skd_check_size(shape->seen.right - shape->seen.left, shape->seen.bottom - shape->seen.top, error);
}

/* Bilinear interpolation with repeated edges. Corners lie between pixels, whose centres are at halves. */
void skd_rectify(const skd_quadrilateral *shape, const skd_pixels *source, uint8_t *flat) {
    double matrix[3][3];
    for (int i = 0; i < 9; i++) {
        matrix[i / 3][i % 3] = shape->matrix[i / 3][i % 3];
    }
    for (int y = shape->seen.top; y < shape->seen.bottom; y++) {
        for (int x = shape->seen.left; x < shape->seen.right; x++) {
            scriptkd_point at = apply(matrix, (x + 0.5) / shape->width, (y + 0.5) / shape->height);
            double column = fmin(fmax(at.x - 0.5 - shape->source.left, 0), source->width - 1);
            double row = fmin(fmax(at.y - 0.5 - shape->source.top, 0), source->height - 1);
            int left = (int)column, top = (int)row;
            ptrdiff_t next = left + 1 < source->width ? source->channels : 0;
            ptrdiff_t below = top + 1 < source->height ? source->stride : 0;
            const uint8_t *from = source->bytes + top * source->stride + left * source->channels;
            for (int channel = 0; channel < source->channels; channel++, from++) {
                double upper = from[0] + (column - left) * (from[next] - from[0]);
                double lower = from[below] + (column - left) * (from[below + next] - from[below]);
                *flat++ = (uint8_t)(upper + (row - top) * (lower - upper) + 0.5);
            }
        }
    }
}
