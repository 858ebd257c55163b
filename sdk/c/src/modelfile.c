/* Reads a model file's metadata: sections 1 and 4 of the model contract. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define FORMAT 3          /* the newest format of metadata that this version reads */
#define ANY_CROP 3        /* from this format on, a network takes any crop and tells orientation */
#define LARGEST_SIDE 4096 /* of a network's input: a model file that asks for more is broken and would need gigabytes */

/* A sentence about a field: `before`, then the value as messages show it. */
static scriptkd_status wrong(scriptkd_error *error, const char *before, const skd_json *value) {
    skd_text text = {.length = 0};
    skd_add(&text, "%s", before);
    skd_json_show(&text, value);
    return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s", text.bytes);
}

static scriptkd_status side(const skd_json *fields, const char *name, int *result, scriptkd_error *error) {
    const skd_json *value = skd_json_member(fields, name);
    if (value->kind != SKD_NUMBER || !value->integer || !(value->number >= 1 && value->number <= LARGEST_SIDE)) {
        skd_text text = {.length = 0};
        skd_add(&text, "pre-processing: %s must be an integer from 1 to %d, not ", name, LARGEST_SIDE);
        return wrong(error, text.bytes, value);
    }
    *result = (int)value->number;
    return SCRIPTKD_OK;
}

static scriptkd_status preprocessing(const skd_json *fields, scriptkd_info *info, scriptkd_error *error) {
    static const char *const names[] = {"channels", "height", "width_min", "width_max", "width_step", "square_height"};
    int *const places[] = {
        &info->channels, &info->height, &info->width_min, &info->width_max, &info->width_step, &info->square_height};
    const int required = 5, known = 6;
    bool fits = fields != NULL && fields->kind == SKD_OBJECT;
    for (int i = 0; fits && i < required; i++) {
        fits = skd_json_member(fields, names[i]) != NULL;
    }
    skd_text given = {.length = 0};
    for (const skd_json *each = fits || (fields != NULL && fields->kind == SKD_OBJECT) ? fields->first : NULL; each != NULL;
         each = each->next) {
        bool found = false;
        for (int i = 0; i < known; i++) {
            found = found || (each->name_length == strlen(names[i]) && strcmp(each->name, names[i]) == 0);
        }
        fits = fits && found;
        skd_add(&given, "%s%s", given.length > 0 ? ", " : "", each->name);
    }
    if (!fits) {
        if (given.length == 0) {
            skd_json_show(&given, fields);
        }
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "pre-processing must have exactly the fields channels, height, width_min, width_max, width_step, "
            "square_height, not %s", given.bytes);
    }
    const skd_json *square = skd_json_member(fields, "square_height");
    int count = square == NULL || square->kind == SKD_NULL ? required : known;
    for (int i = 0; i < count; i++) {
        scriptkd_status status = side(fields, names[i], places[i], error);
        if (status != SCRIPTKD_OK) {
            return status;
        }
    }
    if (info->channels != 1 && info->channels != 3) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "pre-processing: channels must be 1 (luma) or 3 (RGB), not %d",
            info->channels);
    }
    if (info->width_min > info->width_max) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "pre-processing: width_min (%d) must not exceed width_max (%d)", info->width_min, info->width_max);
    }
    return SCRIPTKD_OK;
}

static scriptkd_status text(const skd_json *fields, const char *name, const char **result, scriptkd_error *error) {
    const skd_json *value = skd_json_member(fields, name);
    if (value == NULL || value->kind != SKD_STRING) {
        skd_text before = {.length = 0};
        skd_add(&before, "its %s must be text, not ", name);
        return wrong(error, before.bytes, value);
    }
    *result = value->text;
    return SCRIPTKD_OK;
}

static scriptkd_status number(const skd_json *fields, const char *name, double low, double high, const char *range,
    double *result, scriptkd_error *error) {
    const skd_json *value = skd_json_member(fields, name);
    bool is_number = value != NULL && value->kind == SKD_NUMBER && isfinite(value->number);
    if (!is_number || value->number < low || value->number > high) {
        skd_text before = {.length = 0};
        skd_add(&before, is_number ? "its %s must lie in %s, not " : "its %s must be a number, not ", name, range);
        return wrong(error, before.bytes, value);
    }
    *result = value->number;
    return SCRIPTKD_OK;
}

static scriptkd_status temperature(const skd_json *fields, const char *name, double *result, scriptkd_error *error) {
    return number(fields, name, 1e-3, 1e3, "0.001..1000", result, error);
}

static scriptkd_status threshold(const skd_json *fields, const char *name, double *result, scriptkd_error *error) {
    return number(fields, name, 0, 1, "0..1", result, error);
}

static bool printable(const skd_json *value) {
    for (size_t from = 0; from < value->length;) {
        uint32_t character;
        size_t size = skd_utf8(value->text + from, value->length - from, &character);
        if (size == 0 || !skd_printable(character)) {
            return false;
        }
        from += size;
    }
    return true;
}

static int by_text(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static scriptkd_status labels(skd_memory *memory, const skd_json *values, scriptkd_info *info, scriptkd_error *error) {
    if (values == NULL || values->kind != SKD_ARRAY || values->first == NULL) {
        return wrong(error, "its labels must be a list of scripts, not ", values);
    }
    size_t count = 0;
    for (const skd_json *each = values->first; each != NULL; each = each->next) {
        count++;
    }
    scriptkd_script *result = skd_allocate(memory, count, sizeof(*result));
    const char **names = skd_allocate(memory, count, sizeof(*names));
    if (result == NULL || names == NULL) {
        return skd_no_memory(error);
    }
    count = 0;
    for (const skd_json *each = values->first; each != NULL; each = each->next) {
        const skd_json *name = skd_json_member(each, "name"), *code = skd_json_member(each, "code");
        if (name == NULL || name->kind != SKD_STRING || code == NULL || code->kind != SKD_STRING) {
            return wrong(error, "each of its labels must have a name and a code, not ", each);
        }
        /* Labels are printed unescaped: a line break would break a table, and an escape sequence could control a
         * terminal. */
        if (!printable(name) || !printable(code)) {
            return wrong(error, "the name and the code of each of its labels must be printable, not ", each);
        }
        result[count] = (scriptkd_script){name->text, code->text};
        names[count++] = name->text;
    }
    qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            return skd_fail(error, SCRIPTKD_MODEL_ERROR, "two of its labels have the same name");
        }
    }
    info->labels = result;
    info->label_count = count;
    return SCRIPTKD_OK;
}

static scriptkd_status provenance(skd_memory *memory, const skd_json *value, scriptkd_info *info, scriptkd_error *error) {
    if (value != NULL && value->kind != SKD_OBJECT) {
        return wrong(error, "its provenance must be an object, not ", value);
    }
    const char *source = value == NULL ? "{}" : value->source;
    size_t length = value == NULL ? 2 : value->source_length;
    char *copy = skd_allocate(memory, length + 1, 1);
    if (copy == NULL) {
        return skd_no_memory(error);
    }
    memcpy(copy, source, length);
    copy[length] = '\0';
    info->provenance = copy;
    return SCRIPTKD_OK;
}

scriptkd_status skd_model_info(
    skd_memory *memory, const char *metadata, size_t size, scriptkd_info *info, scriptkd_error *error) {
    uint32_t character;
    for (size_t from = 0, step; from < size; from += step) {
        step = skd_utf8(metadata + from, size - from, &character);
        if (step == 0) {
            return skd_fail(error, SCRIPTKD_MODEL_ERROR, "an ONNX file whose names or metadata are not UTF-8");
        }
    }
    skd_text expected = {.length = 0};
    const skd_json *fields = skd_json_read(memory, metadata, size, &expected);
    if (fields == NULL) {
        return expected.length == 0
            ? skd_no_memory(error)
            : skd_fail(error, SCRIPTKD_MODEL_ERROR, "its metadata is not JSON: %s", expected.bytes);
    }
    if (fields->kind != SKD_OBJECT) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "its metadata is not a JSON object");
    }
    const skd_json *format = skd_json_member(fields, "format");
    if (format == NULL || format->kind != SKD_NUMBER || !format->integer || format->number < 1) {
        return wrong(error, "its metadata has no format version: ", format);
    }
    if (format->number > FORMAT) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "its format is %.*s, but this scriptkd reads formats up to %d: update scriptkd",
            format->source_length > 200 ? 200 : (int)format->source_length, format->source, FORMAT);
    }
    *info = (scriptkd_info){.format = (int)format->number};
    scriptkd_status status = provenance(memory, skd_json_member(fields, "provenance"), info, error);
    if (status != SCRIPTKD_OK) {
        return status;
    }
    const skd_json *input = skd_json_member(fields, "input");
    info->any_size = skd_json_is(input, "image");
    if (input != NULL && !info->any_size && !skd_json_is(input, "pixels")) {
        return wrong(error, "its input must be 'pixels' or 'image', not ", input);
    }
    if ((status = preprocessing(skd_json_member(fields, "preprocessing"), info, error)) != SCRIPTKD_OK) {
        return status;
    }
    bool any_crop = info->format >= ANY_CROP;
    if (any_crop != (info->square_height > 0)) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "its pre-processing must have square_height from format %d on, not before; its is %d", ANY_CROP, info->format);
    }
    if ((status = text(fields, "network", &info->network, error)) != SCRIPTKD_OK
        || (status = labels(memory, skd_json_member(fields, "labels"), info, error)) != SCRIPTKD_OK
        || (status = temperature(fields, "temperature", &info->temperature, error)) != SCRIPTKD_OK
        || (status = threshold(fields, "threshold", &info->threshold, error)) != SCRIPTKD_OK
        || (status = text(fields, "precision", &info->precision, error)) != SCRIPTKD_OK || !any_crop) {
        return status;
    }
    status = temperature(fields, "orientation_temperature", &info->orientation_temperature, error);
    return status != SCRIPTKD_OK
        ? status
        : threshold(fields, "orientation_threshold", &info->orientation_threshold, error);
}

int skd_heights(const scriptkd_info *info, int heights[2]) {
    int other = info->square_height;
    bool two = other > 0 && other != info->height;
    heights[0] = two && other < info->height ? other : info->height;
    heights[1] = two && other < info->height ? info->height : other;
    return two ? 2 : 1;
}
