/*
 * A fuzzer for libFuzzer. Its bytes become a model's metadata, a picture with options, or both. The sanitizers must
 * find nothing, errors must have one sentence on one line, and answers must be probabilities.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static scriptkd_identifier *identifiers[2]; /* tiny networks, for crops and for whole images */
static content model;                       /* the first one's file */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    sdk = getenv("SCRIPTKD_SDK") != NULL ? getenv("SCRIPTKD_SDK") : sdk;
    const char *names[] = {"web/test/models/any-crop.onnx", "web/test/models/any-size.onnx"};
    model = read_file(below_sdk(names[0]));
    for (int i = 0; i < 2; i++) {
        scriptkd_error error;
        if (scriptkd_open(below_sdk(names[i]), 1, &identifiers[i], &error) != SCRIPTKD_OK) {
            printf("%s\n", error.message);
            exit(1);
        }
    }
    return 0;
}

static void expect(bool holds) {
    if (!holds) {
        abort();
    }
}

static void expect_sentence(const scriptkd_error *error) {
    size_t length = strlen(error->message);
    expect(length > 0 && length < SCRIPTKD_MESSAGE_SIZE);
    for (size_t i = 0; i < length;) {
        uint32_t character;
        size_t size = skd_utf8(error->message + i, length - i, &character);
        expect(size > 0 && skd_printable(character));
        i += size;
    }
}

/* The remaining bytes. */
typedef struct bytes {
    const uint8_t *at;
    size_t left;
} bytes;

static int take(bytes *from, int below) {
    if (from->left == 0) {
        return 0;
    }
    from->left--;
    return *from->at++ % below;
}

/* A number that is often unusual: huge, tiny, with a fraction, or NaN. */
static double take_number(bytes *from) {
    static const double odd[] = {0, -1, 1e9, -1e300, NAN, INFINITY, 0.5, 16384};
    int kind = take(from, 256);
    return kind < 16 ? odd[kind % 8] : kind - 64 + take(from, 256) / 64.0;
}

/* A picture made from the bytes of `from`, with a stride, in a block of memory that ends where the picture ends. */
static scriptkd_image take_picture(bytes *from, uint8_t **memory) {
    static const int sizes[] = {1, 3, 3, 4, 4, 4};
    scriptkd_format format = (scriptkd_format)(SCRIPTKD_GRAY + take(from, 6));
    int width = take(from, 32) + 1, height = take(from, 24) + 1, gap = take(from, 4), up = take(from, 2);
    if (up == 1 && take(from, 32) == 0) { /* a line */
        width *= 40;
    }
    ptrdiff_t stride = (ptrdiff_t)width * sizes[format - SCRIPTKD_GRAY] + gap;
    size_t size = (size_t)(stride * height - gap);
    *memory = malloc(size);
    memset(*memory, 200, size);
    for (size_t at = 0; from->left > 0 && at < size; at += from->left) {
        memcpy(*memory + at, from->at, from->left < size - at ? from->left : size - at);
    }
    return (scriptkd_image){*memory + (up ? (height - 1) * stride : 0), width, height, up ? -stride : stride, format};
}

static void identify(const scriptkd_identifier *identifier, bytes from) {
    static const char *const names[] = {"Latin", "Taml", "hindi", "Klingon", NULL, "", " arab ", "\xff\n"};
    const char *allow[2], *deny[2];
    scriptkd_box box;
    scriptkd_point corners[4];
    double threshold;
    scriptkd_options options = {.upright = take(&from, 4) == 0};
    int chosen = take(&from, 64);
    if (chosen & 1) {
        box = (scriptkd_box){take_number(&from), take_number(&from), take_number(&from), take_number(&from)};
        options.box = &box;
    } else if (chosen & 2) {
        for (int i = 0; i < 4; i++) {
            corners[i] = (scriptkd_point){take_number(&from), take_number(&from)};
        }
        options.corners = corners;
    }
    if (chosen & 4) {
        threshold = take_number(&from);
        options.threshold = &threshold;
    }
    for (int i = 0; (chosen & 24) == 24 && i < 2; i++) {
        allow[i] = names[take(&from, 8)];
        deny[i] = names[take(&from, 8)];
        options.allow = allow;
        options.deny = deny;
        options.allow_count = options.deny_count = (size_t)take(&from, 3);
    }
    uint8_t *memory;
    scriptkd_image image = take_picture(&from, &memory);
    scriptkd_error error;
    scriptkd_prediction *answer;
    if (scriptkd_identify(identifier, &image, &options, &answer, &error) != SCRIPTKD_OK) {
        expect(answer == NULL);
        expect_sentence(&error);
    } else {
        double sum = 0, shares = 0;
        for (size_t i = 0; i < answer->score_count; i++) {
            sum += answer->scores[i].value;
        }
        for (size_t i = 0; i < answer->share_count; i++) {
            shares += answer->shares[i].value;
        }
        expect(fabs(sum - 1) < 1e-9 && fabs(shares - 1) < 1e-9 && error.message[0] == '\0');
        expect(answer->score >= 0 && answer->score <= 1 && answer->orientation % 90 == (answer->orientation < 0 ? -1 : 0));
    }
    scriptkd_prediction_free(answer);
    free(memory);
}

/* The metadata alone, and the input that it makes of a picture. */
static void read_metadata(const uint8_t *data, size_t size) {
    char *exact = malloc(size);
    memcpy(exact, data, size);
    skd_memory memory = {NULL};
    scriptkd_info info;
    scriptkd_error error = {""};
    scriptkd_status status = skd_model_info(&memory, exact, size, &info, &error);
    if (status != SCRIPTKD_OK) {
        expect_sentence(&error);
    } else {
        bytes from = {data, size};
        uint8_t *pixels;
        scriptkd_image image = take_picture(&from, &pixels);
        scriptkd_options options = {.upright = false};
        skd_pixels opaque;
        skd_crops crops;
        skd_input input;
        bool small = info.height <= 128 && info.square_height <= 128 && info.width_max <= 512; /* to be fast */
        if (small && skd_pixels_of(&memory, &image, &options, &opaque, &error) == SCRIPTKD_OK
            && skd_crops_of(&memory, &opaque, &info, false, &crops, &error) == SCRIPTKD_OK) {
            status = skd_input_of(&memory, &crops, &info, &input, &error);
            expect(status == SCRIPTKD_OK && input.shape[3] >= info.width_min && input.shape[3] <= info.width_max);
        }
        free(pixels);
    }
    skd_release(&memory);
    free(exact);
}

/* A whole model file, damaged or with the given metadata. */
static void open_model(const uint8_t *data, size_t size, bool damage) {
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    content file = with_metadata(model, damage ? NULL : text);
    for (size_t i = 0; damage && i + 1 < size; i += 2) {
        file.bytes[data[i] % file.size] = data[i + 1];
    }
    scriptkd_error error;
    scriptkd_identifier *identifier;
    if (scriptkd_open_memory(file.bytes, file.size, "fuzz", 1, &identifier, &error) != SCRIPTKD_OK) {
        expect(identifier == NULL);
        expect_sentence(&error);
    }
    scriptkd_close(identifier);
    free(file.bytes);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) {
        return 0;
    }
    if (data[0] < 2) { /* seldom, as it takes as long as a hundred other inputs */
        open_model(data + 1, size - 1, data[0] == 1);
    } else if (data[0] < 96) {
        read_metadata(data + 1, size - 1);
    } else {
        identify(identifiers[data[0] % 2], (bytes){data + 1, size - 1});
    }
    return 0;
}
