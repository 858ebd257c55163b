/* The golden vectors, which every SDK must reproduce: sdk/contract/golden/README.md. */

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define UNSTABLE 0.1 /* how much the scores of unstable vectors may differ */

/* The same opaque picture in another format, with gaps between the rows, and bottom up for odd vectors. */
typedef struct form {
    uint8_t *memory;
    scriptkd_image image;
} form;

static form as_format(const png *picture, scriptkd_format format, bool bottom_up) {
    static const char *const orders[] = {"g", "rgb", "bgr", "rgba", "bgra", "argb"};
    const char *order = orders[format - SCRIPTKD_GRAY];
    ptrdiff_t size = (ptrdiff_t)strlen(order), stride = picture->width * size + 5;
    form result = {calloc((size_t)stride * (size_t)picture->height, 1), {NULL, picture->width, picture->height, 0, format}};
    result.image.stride = bottom_up ? -stride : stride;
    result.image.pixels = result.memory + (bottom_up ? (picture->height - 1) * stride : 0);
    for (int y = 0; y < picture->height; y++) {
        uint8_t *to = result.memory + (bottom_up ? picture->height - 1 - y : y) * stride;
        const uint8_t *from = picture->bytes + (ptrdiff_t)y * picture->width * picture->channels;
        for (int x = 0; x < picture->width; x++, from += picture->channels) {
            for (const char *each = order; *each != '\0'; each++) {
                int channel = *each == 'g' && size > 1 ? 1 : *each == 'b' ? 2 : *each == 'a' ? 3 : 0;
                *to++ = channel < picture->channels ? from[channel] : channel == 3 ? 255 : from[0];
            }
        }
    }
    return result;
}

static char *string_of(const skd_json *object, const char *name) {
    return (char *)skd_json_member(object, name)->text;
}

static int int_of(const skd_json *object, const char *name) {
    return (int)skd_json_member(object, name)->number;
}

static const skd_json *item(const skd_json *list, int index) {
    const skd_json *each = list->first;
    for (; index > 0; index--) {
        each = each->next;
    }
    return each;
}

/* The SHA-256 of an input, with 0 in place of values that depend on a float's last bits. */
static void check_hash(const char *what, uint8_t *input, size_t size, const skd_json *ties, const skd_json *wanted) {
    char hex[65];
    for (const skd_json *tie = ties->first; tie != NULL; tie = tie->next) {
        input[(size_t)tie->number] = 0;
    }
    sha256(input, size, hex);
    CHECK(skd_json_is(wanted, hex), "%s: another network input: %s, not %s", what, hex, wanted->text);
}

static void check_inputs(const skd_json *golden, const skd_json *vector, const scriptkd_image *image) {
    const skd_json *preprocessings = skd_json_member(golden, "preprocessings");
    for (const skd_json *wanted = skd_json_member(vector, "inputs")->first; wanted != NULL; wanted = wanted->next) {
        char what[256];
        snprintf(what, sizeof(what), "%s for %s", string_of(vector, "name"), wanted->name);
        const skd_json *how = skd_json_member(preprocessings, wanted->name);
        const skd_json *square = skd_json_member(how, "square_height");
        scriptkd_info info = {.channels = int_of(how, "channels"), .height = int_of(how, "height"),
            .width_min = int_of(how, "width_min"), .width_max = int_of(how, "width_max"),
            .width_step = int_of(how, "width_step"), .square_height = square != NULL ? (int)square->number : 0};
        skd_memory memory = {NULL};
        scriptkd_error error = {""};
        scriptkd_options options = {.upright = false};
        skd_pixels pixels;
        skd_crops crops;
        skd_input input;
        bool ready = skd_pixels_of(&memory, image, &options, &pixels, &error) == SCRIPTKD_OK
            && skd_crops_of(&memory, &pixels, &info, false, &crops, &error) == SCRIPTKD_OK
            && skd_input_of(&memory, &crops, &info, &input, &error) == SCRIPTKD_OK;
        CHECK(ready, "%s: %s", what, error.message);
        if (ready) {
            size_t size = (size_t)(input.shape[1] * input.shape[2] * input.shape[3]);
            uint8_t *bytes = (uint8_t *)input.bytes;
            CHECK(input.shape[3] == int_of(wanted, "width"), "%s: width %d", what, (int)input.shape[3]);
            if (square == NULL) {
                CHECK(input.shape[0] == 1, "%s: %d windows", what, (int)input.shape[0]);
                check_hash(what, bytes, size, skd_json_member(wanted, "ties"), skd_json_member(wanted, "sha256"));
            } else {
                CHECK(crops.rows == int_of(wanted, "rows"), "%s: rows %d", what, crops.rows);
                CHECK(crops.turned == int_of(wanted, "turned"), "%s: turned %d", what, crops.turned);
                const skd_json *hash = skd_json_member(wanted, "windows")->first;
                int count = 0;
                for (; hash != NULL && count < crops.count; hash = hash->next, count++, bytes += size) {
                    check_hash(what, bytes, size, item(skd_json_member(wanted, "ties"), count), hash);
                }
                CHECK(hash == NULL && count == crops.count, "%s: %d windows", what, crops.count);
            }
        }
        skd_release(&memory);
    }
}

/* Returns the largest difference from the expected scores. */
static double check_answer(const scriptkd_identifier *identifier, const skd_json *vector, const skd_json *model,
    const scriptkd_image *image) {
    char what[256];
    snprintf(what, sizeof(what), "%s by %s", string_of(vector, "name"), model->name);
    bool unstable = false;
    for (const skd_json *each = skd_json_member(model, "unstable")->first; each != NULL; each = each->next) {
        unstable = unstable || skd_json_is(each, string_of(vector, "name"));
    }
    double tolerance = unstable ? UNSTABLE : skd_json_member(model, "tolerance")->number, distance = 0;
    scriptkd_error error = {""};
    scriptkd_prediction *answer;
    scriptkd_identify(identifier, image, NULL, &answer, &error);
    CHECK(answer != NULL, "%s: %s", what, error.message);
    if (answer == NULL) {
        return 0;
    }
    const scriptkd_info *info = scriptkd_model_info(identifier);
    const skd_json *wanted = skd_json_member(skd_json_member(vector, "scores"), model->name)->first;
    double best = -1;
    const char *first = NULL;
    for (size_t label = 0; label < info->label_count; label++, wanted = wanted->next) {
        if (wanted->number > best) {
            best = wanted->number;
            first = info->labels[label].name;
        }
        for (size_t i = 0; i < answer->score_count; i++) {
            if (strcmp(answer->scores[i].name, info->labels[label].name) == 0) {
                distance = fmax(distance, fabs(answer->scores[i].value - wanted->number));
            }
        }
    }
    CHECK(wanted == NULL && answer->score_count == info->label_count, "%s: %zu scores", what, answer->score_count);
    CHECK(distance <= tolerance, "%s: off by %g", what, distance);
    CHECK(unstable || strcmp(first, answer->best) == 0, "%s: %s, not %s", what, answer->best, first);
    const skd_json *sure = skd_json_member(skd_json_member(vector, "orientation_score"), model->name);
    const skd_json *orientation = skd_json_member(skd_json_member(vector, "orientation"), model->name);
    double off = fabs(answer->orientation_score - (sure->kind == SKD_NULL ? -1 : sure->number));
    CHECK(off <= tolerance, "%s: orientation off by %g", what, off);
    if (!unstable) {
        int degrees = orientation->kind == SKD_NULL ? SCRIPTKD_NO_ORIENTATION : (int)orientation->number;
        CHECK(answer->orientation == degrees, "%s: orientation %d, not %d", what, answer->orientation, degrees);
        const skd_json *shares = skd_json_member(skd_json_member(vector, "shares"), model->name), *share = shares->first;
        for (size_t i = 0; i < answer->share_count; i++, share = share != NULL ? share->next : NULL) {
            const skd_json *value = skd_json_member(shares, answer->shares[i].name);
            CHECK(share != NULL && value != NULL && fabs(value->number - answer->shares[i].value) <= 1e-6, "%s: share of %s",
                what, answer->shares[i].name);
        }
        CHECK(share == NULL, "%s: %zu shares", what, answer->share_count);
        distance = fmax(distance, off);
    } else {
        distance = 0;
    }
    scriptkd_prediction_free(answer);
    return distance;
}

/* A file with transparency. Laid on its ground, it must be within one level of the binding pixels, in all formats with
 * alpha. */
static void check_transparent(const skd_json *vector) {
    const skd_json *name = skd_json_member(vector, "file");
    if (name == NULL || (strstr(name->text, "png-rgba") == NULL && strstr(name->text, "png-gray-alpha") == NULL)) {
        return;
    }
    char path[512];
    snprintf(path, sizeof(path), "contract/golden/%s", name->text);
    png file = read_png(below_sdk(path), 4);
    snprintf(path, sizeof(path), "contract/golden/%s", string_of(vector, "pixels"));
    png wanted = read_png(below_sdk(path), 3);
    CHECK(file.bytes != NULL && file.width == wanted.width, "%s", name->text);
    for (scriptkd_format format = SCRIPTKD_RGBA; format <= SCRIPTKD_ARGB; format++) {
        form given = as_format(&file, format, format == SCRIPTKD_BGRA);
        skd_memory memory = {NULL};
        scriptkd_error error = {""};
        scriptkd_options options = {.upright = false};
        skd_pixels pixels;
        scriptkd_status status = skd_pixels_of(&memory, &given.image, &options, &pixels, &error);
        int off = status == SCRIPTKD_OK ? 0 : 255;
        for (int i = 0; status == SCRIPTKD_OK && i < wanted.width * wanted.height * 3; i++) {
            int y = i / (3 * wanted.width), x = i % (3 * wanted.width);
            int difference = abs(pixels.bytes[y * pixels.stride + x] - wanted.bytes[i]);
            off = difference > off ? difference : off;
        }
        CHECK(off <= 1, "%s: in format %d off by %d levels %s", name->text, (int)format, off, error.message);
        skd_release(&memory);
        free(given.memory);
    }
    free(file.bytes);
    free(wanted.bytes);
}

static void check_refused(void) {
    const char *folder = "contract/golden/refused";
    DIR *names = opendir(below_sdk(folder));
    int models = 0, images = 0, undecoded = 0;
    scriptkd_identifier *identifier = NULL;
    scriptkd_error error;
    scriptkd_open(below_sdk("scriptkd_sdk/models/student.onnx"), 1, &identifier, &error);
    for (struct dirent *each = readdir(names); each != NULL; each = readdir(names)) {
        char path[2048];
        snprintf(path, sizeof(path), "%s/%s", below_sdk(folder), each->d_name);
        const char *ending = strrchr(each->d_name, '.');
        if (ending != NULL && strcmp(ending, ".onnx") == 0) {
            scriptkd_identifier *none;
            scriptkd_status status = scriptkd_open(path, 1, &none, &error);
            CHECK(status == SCRIPTKD_MODEL_ERROR && none == NULL && strncmp(error.message, path, strlen(path)) == 0, "%s: %s",
                path, error.message);
            printf("  %s\n", error.message + strlen(below_sdk(folder)) + 1);
            models++;
        } else if (ending != NULL && strcmp(ending, ".png") == 0) {
            png picture = read_png(path, 3);
            if (picture.bytes == NULL) { /* libpng refuses it, and this SDK takes only pixels */
                undecoded++;
                continue;
            }
            scriptkd_image image = {picture.bytes, picture.width, picture.height, 3 * (ptrdiff_t)picture.width, SCRIPTKD_RGB};
            scriptkd_prediction *answer;
            scriptkd_status status = scriptkd_identify(identifier, &image, NULL, &answer, &error);
            CHECK(status == SCRIPTKD_IMAGE_ERROR && answer == NULL, "%s: %s", path, error.message);
            printf("  %s: %s\n", each->d_name, error.message);
            free(picture.bytes);
            images++;
        }
    }
    closedir(names);
    scriptkd_close(identifier);
    CHECK(models >= 5, "only %d refused models", models);
    CHECK(images >= 1, "only %d refused images", images);
    printf("refused: %d models, %d images; %d PNG that libpng itself refuses; JPEG not decoded here\n", models, images, undecoded);
}

int main(int count, char **arguments) {
    sdk = count > 1 ? arguments[1] : sdk;
    skd_memory memory = {NULL};
    const skd_json *golden = read_golden(&memory), *models = skd_json_member(golden, "models");
    enum { MOST_MODELS = 8 };
    scriptkd_identifier *identifiers[MOST_MODELS];
    double largest[MOST_MODELS] = {0};
    int model_count = 0, vectors = 0;
    for (const skd_json *model = models->first; model != NULL && model_count < MOST_MODELS; model = model->next) {
        scriptkd_error error;
        const char *path = below_sdk(string_of(model, "file"));
        content file = read_file(path);
        char hex[65];
        sha256(file.bytes, file.size, hex);
        CHECK(skd_json_is(skd_json_member(model, "sha256"), hex), "%s: not the golden vectors' model; make golden", path);
        free(file.bytes);
        if (scriptkd_open(path, 1, &identifiers[model_count++], &error) != SCRIPTKD_OK) {
            printf("%s\n", error.message);
            return 1;
        }
    }
    for (const skd_json *vector = skd_json_member(golden, "vectors")->first; vector != NULL; vector = vector->next) {
        char path[512], hex[65];
        snprintf(path, sizeof(path), "contract/golden/%s", string_of(vector, "pixels"));
        png picture = read_png(below_sdk(path), int_of(vector, "channels"));
        size_t size = (size_t)picture.width * (size_t)picture.height * (size_t)picture.channels;
        sha256(picture.bytes, size, hex);
        CHECK(skd_json_is(skd_json_member(vector, "pixels_sha256"), hex), "%s: libpng reads other pixels", path);
        /* The formats alternate, so that each gets pictures of all kinds. */
        scriptkd_format format = (scriptkd_format)(SCRIPTKD_RGB + vectors % 5);
        form other = as_format(&picture, format, vectors % 2 == 1);
        scriptkd_image plain = {picture.bytes, picture.width, picture.height, (ptrdiff_t)picture.width * picture.channels,
            picture.channels == 1 ? SCRIPTKD_GRAY : SCRIPTKD_RGB};
        check_inputs(golden, vector, &plain);
        check_inputs(golden, vector, &other.image);
        const skd_json *model = models->first;
        for (int i = 0; i < model_count; i++, model = model->next) {
            largest[i] = fmax(largest[i], check_answer(identifiers[i], vector, model, &plain));
            largest[i] = fmax(largest[i], check_answer(identifiers[i], vector, model, &other.image));
        }
        check_transparent(vector);
        if (strcmp(string_of(vector, "name"), "tamil-00-rgb") == 0) { /* for the projects that use the installed library */
            FILE *file = fopen("golden.ppm", "wb");
            fprintf(file, "P6 %d %d 255\n", picture.width, picture.height);
            fwrite(picture.bytes, 1, size, file);
            fclose(file);
        }
        free(other.memory);
        free(picture.bytes);
        vectors++;
    }
    CHECK(vectors >= 200, "only %d vectors", vectors);
    check_refused();
    const skd_json *model = models->first;
    for (int i = 0; i < model_count; i++, model = model->next) {
        printf("%d vectors, %s: largest difference from the golden scores %.1e\n", vectors, model->name, largest[i]);
        scriptkd_close(identifiers[i]);
    }
    skd_release(&memory);
    return summary();
}
