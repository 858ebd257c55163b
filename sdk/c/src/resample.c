/* From crops to the network's input: section 3 of the model contract. A triangle filter resamples first rows, then
 * columns. */

#include <math.h>
#include <string.h>

#include "internal.h"

#define HALF (0.5f + 1 / 512.0f) /* above 1/2, so that rounding seldom depends on a sum's last bit; exact in binary */

/* The triangle filter from inputs to outputs: each output's first input and weights. */
typedef struct filter {
    int outputs;
    int longest; /* the most weights of an output, and the stride of the table */
    int *starts;
    int *counts;
    float *weights;
} filter;

static bool make_filter(skd_memory *memory, int inputs, int outputs, filter *result) {
    double scale = (double)inputs / outputs, support = fmax(scale, 1);
    result->outputs = outputs;
    result->longest = (int)(2 * support) + 2;
    result->starts = skd_allocate(memory, (size_t)outputs, sizeof(int));
    result->counts = skd_allocate(memory, (size_t)outputs, sizeof(int));
    result->weights = skd_allocate(memory, (size_t)outputs * (size_t)result->longest, sizeof(float));
    double *row = skd_allocate(memory, (size_t)result->longest, sizeof(double));
    if (result->starts == NULL || result->counts == NULL || result->weights == NULL || row == NULL) {
        return false;
    }
    for (int i = 0; i < outputs; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int start = centre > support ? (int)(centre - support) : 0;
        int stop = (int)(centre + support) + 1;
        int count = (stop < inputs ? stop : inputs) - start;
        for (int j = 0; j < count; j++) {
            row[j] = fmax(1 - fabs(start + j + 0.5 - centre) / support, 0);
            sum += row[j];
        }
        result->starts[i] = start;
        result->counts[i] = count;
        for (int j = 0; j < count; j++) {
            result->weights[i * result->longest + j] = (float)(row[j] / sum);
        }
    }
    return true;
}

/* Rows: whole lines are added in a loop so simple that a compiler vectorizes it. */
static void down(const uint8_t *bytes, ptrdiff_t stride, int width, const filter *rows, float *restrict sums) {
    for (int i = 0; i < rows->outputs; i++, sums += width) {
        memset(sums, 0, (size_t)width * sizeof(float));
        for (int j = 0; j < rows->counts[i]; j++) {
            const uint8_t *restrict line = bytes + (rows->starts[i] + j) * stride;
            float weight = rows->weights[i * rows->longest + j];
            for (int x = 0; x < width; x++) {
                sums[x] += weight * (float)line[x];
            }
        }
    }
}

static void across(const float *line, const filter *columns, uint8_t *to) {
    for (int i = 0; i < columns->outputs; i++) {
        const float *from = line + columns->starts[i], *weights = columns->weights + i * columns->longest;
        float sum = 0;
        for (int j = 0; j < columns->counts[i]; j++) {
            sum += weights[j] * from[j];
        }
        /* The values are positive, so the cast is a floor. A weighted mean of bytes exceeds 255 by float error at most. */
        to[i] = (uint8_t)fminf(sum + HALF, 255);
    }
}

scriptkd_status skd_input_of(
    skd_memory *memory, const skd_crops *crops, const scriptkd_info *info, skd_input *input, scriptkd_error *error) {
    int height = crops->planes[0].height, view = crops->view, rows = crops->rows;
    int64_t wanted = skd_free_width(info, view, height, rows);
    int columns = wanted < info->width_min ? info->width_min : wanted > info->width_max ? info->width_max : (int)wanted;
    filter by_rows, by_columns;
    if (!make_filter(memory, height, rows, &by_rows) || !make_filter(memory, view, columns, &by_columns)) {
        return skd_no_memory(error);
    }
    size_t plane = (size_t)rows * (size_t)columns;
    uint8_t *bytes = skd_allocate(memory, (size_t)crops->count * (size_t)info->channels, plane);
    float *sums = skd_allocate(memory, (size_t)rows * (size_t)view, sizeof(float));
    if (bytes == NULL || sums == NULL) {
        return skd_no_memory(error);
    }
    *input = (skd_input){bytes, {crops->count, info->channels, rows, columns}, 4};
    for (int window = 0; window < crops->count; window++) {
        for (int channel = 0; channel < info->channels; channel++) {
            const skd_plane *from = &crops->planes[channel];
            down(from->bytes + crops->starts[window], from->stride, view, &by_rows, sums);
            for (int y = 0; y < rows; y++, bytes += columns) {
                across(sums + (ptrdiff_t)y * view, &by_columns, bytes);
            }
        }
    }
    return SCRIPTKD_OK;
}
