/* Errors, each with the other SDKs' message, and options. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Dark letters of no script on white, in gray. */
static scriptkd_image stripes(int width, int height) {
    uint8_t *pixels = malloc((size_t)width * (size_t)height);
    for (int i = 0; i < width * height; i++) {
        pixels[i] = i % width % 7 < 3 ? 50 : 255;
    }
    return (scriptkd_image){pixels, width, height, width, SCRIPTKD_GRAY};
}

static void check_message(scriptkd_status status, scriptkd_status wanted_status, const scriptkd_error *error, const char *wanted) {
    CHECK(status == wanted_status && strcmp(error->message, wanted) == 0, "status %d, '%s', not '%s'", (int)status,
        error->message, wanted);
}

/* Expect an error of identify. */
static void refused(const scriptkd_identifier *identifier, const scriptkd_image *image, const scriptkd_options *options,
    scriptkd_status wanted_status, const char *wanted) {
    scriptkd_error error;
    scriptkd_prediction *answer = (scriptkd_prediction *)&error;
    scriptkd_status status = scriptkd_identify(identifier, image, options, &answer, &error);
    CHECK(answer == NULL, "an answer beside an error");
    check_message(status, wanted_status, &error, wanted);
}

static scriptkd_prediction *answer_of(
    const scriptkd_identifier *identifier, const scriptkd_image *image, const scriptkd_options *options) {
    scriptkd_error error;
    scriptkd_prediction *answer = NULL;
    scriptkd_status status = scriptkd_identify(identifier, image, options, &answer, &error);
    check_message(status, SCRIPTKD_OK, &error, "");
    if (answer == NULL) {
        exit(summary());
    }
    return answer;
}

static bool same(const scriptkd_prediction *one, const scriptkd_prediction *other) {
    bool result = one->score_count == other->score_count && one->orientation == other->orientation
        && strcmp(one->script, other->script) == 0;
    for (size_t i = 0; result && i < one->score_count; i++) {
        result = strcmp(one->scores[i].name, other->scores[i].name) == 0 && one->scores[i].value == other->scores[i].value;
    }
    return result;
}

static void check_json(void) {
    static const char *const good[] = {"0", "-12", "0.5", "-1.5e+3", " [ ] ", "{}", "[1,{\"a\":[]}]", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u00e9\\ud83d\\uDE00 \xc3\xa9\"", "{\"a\":1,\"a\":2}", "10000000000000000000000000", "1e999", "null", "\ttrue\r\n"};
    static const char *const bad[] = {"", " ", "[", "]", "{", "{}}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}",
        "{,}", "'a'", "\"a", "\"a\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "01", "-", "+1", "1.", ".5", "1e", "1e+",
        "tru", "truee", "nul", "NaN", "Infinity", "-Infinity", "0x10", "1 1", "// a\n1", "\xc2\xa0" "1", "\"\\ud800\"",
        "\"\\udc00\"", "\"\\ud800\\u0041\"", "-01", "1.e5", "--1"};
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        bool fine = i < COUNT(good);
        const char *source = fine ? good[i] : bad[i - COUNT(good)];
        size_t size = strlen(source);
        char *exact = malloc(size + 1); /* exactly this size, so that the sanitizer sees a read beyond the end */
        memcpy(exact, source, size);
        skd_memory memory = {NULL};
        skd_text expected = {.length = 0};
        const skd_json *value = skd_json_read(&memory, exact, size, &expected);
        CHECK((value != NULL) == fine, "'%s': %s", source, expected.bytes);
        CHECK(fine ? expected.length == 0 : strstr(expected.bytes, " at character ") != NULL, "'%s': %s", source, expected.bytes);
        skd_release(&memory);
        free(exact);
    }
    static const struct { const char *source; double value; } numbers[] = {{"1.7339130661119733", 1.7339130661119733},
        {"0.1", 0.1}, {"-0", 0}, {"1e22", 1e22}, {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"1e-310", 1e-310}, {"0.000000000000000000000000000001", 1e-30}, {"1e999", INFINITY}, {"-2.5E+2", -250},
        {"0e99999999999", 0}, {"4.9e-324", 4.9e-324}};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        skd_memory memory = {NULL};
        skd_text expected = {.length = 0};
        const skd_json *value = skd_json_read(&memory, numbers[i].source, strlen(numbers[i].source), &expected);
        double wanted = numbers[i].value, got = value != NULL ? value->number : NAN;
        CHECK(got == wanted || fabs(got - wanted) <= 4e-16 * fabs(wanted), "%s is read as %.17g", numbers[i].source, got);
        skd_release(&memory);
    }
    skd_memory memory = {NULL};
    skd_text expected = {.length = 0};
    const char *text = "{\"a\":1,\"b\":[true],\"a\":\"x\\u0000\\u00e9\\ud83d\\ude00\"}";
    const skd_json *value = skd_json_read(&memory, text, strlen(text), &expected), *last = skd_json_member(value, "a");
    CHECK(last != NULL && last->length == 8 && memcmp(last->text, "x\0\xc3\xa9\xf0\x9f\x98\x80", 8) == 0, "the last name counts");
    char deep[1000];
    memset(deep, '[', sizeof(deep));
    expected.length = 0;
    CHECK(skd_json_read(&memory, deep, sizeof(deep), &expected) == NULL, "too deep");
    CHECK(strcmp(expected.bytes, "expected at most 64 levels at character 66") == 0, "%s", expected.bytes);
    skd_release(&memory);
}

/* The bundled model's metadata with one field replaced or added. The last of equal names counts in JSON. */
static char *with_field(const char *metadata, const char *field, const char *json) {
    size_t size = strlen(metadata) + strlen(field) + strlen(json) + 8;
    char *result = malloc(size);
    snprintf(result, size, "%.*s,\"%s\":%s}", (int)(strrchr(metadata, '}') - metadata), metadata, field, json);
    return result;
}

static void refused_metadata(content model, const char *metadata, const char *wanted) {
    content spoilt = with_metadata(model, metadata);
    scriptkd_error error;
    scriptkd_identifier *identifier;
    scriptkd_status status = scriptkd_open_memory(spoilt.bytes, spoilt.size, "spoilt.onnx", 1, &identifier, &error);
    CHECK(status == SCRIPTKD_MODEL_ERROR && identifier == NULL && strncmp(error.message, "spoilt.onnx: ", 13) == 0
            && strstr(error.message, wanted) != NULL && strchr(error.message, '\n') == NULL,
        "status %d, '%s', not '%s'", (int)status, error.message, wanted);
    scriptkd_close(identifier);
    free(spoilt.bytes);
}

static void check_metadata(content model) {
    static const struct { const char *field, *json, *message; } wrong[] = {
        {"format", "4", "its format is 4, but this scriptkd reads formats up to 3: update scriptkd"},
        {"format", "99999999999999999999", "its format is 99999999999999999999, but this scriptkd reads"},
        {"format", "\"1\"", "its metadata has no format version: '1'"},
        {"format", "0", "its metadata has no format version: 0"},
        {"format", "1.0", "its metadata has no format version: 1.0"},
        {"format", "null", "its metadata has no format version: null"},
        {"labels", "[]", "its labels must be a list of scripts, not []"},
        {"labels", "7", "its labels must be a list of scripts, not 7"},
        {"labels", "[{\"name\":\"Latin\"}]", "each of its labels must have a name and a code, not {\"name\":\"Latin\"}"},
        {"labels", "[\"Latin\"]", "each of its labels must have a name and a code, not 'Latin'"},
        {"labels", "[{\"name\":\"a\\u001b[2J\",\"code\":\"b\"}]", "the name and the code of each of its labels must be printable, not "},
        {"labels", "[{\"name\":\"a\\u0000\",\"code\":\"b\"}]", "the name and the code of each of its labels must be printable, not "},
        {"labels", "[{\"name\":\"a\",\"code\":\"b\\u2028\"}]", "the name and the code of each of its labels must be printable, not "},
        {"labels", "[{\"name\":\"a\",\"code\":\"b\"},{\"name\":\"a\",\"code\":\"c\"}]", "two of its labels have the same name"},
        {"labels", "[{\"name\":\"a\",\"code\":\"b\"}]",
            "the metadata has 1 labels, but the network answers 2 blank images with float32 of shape (2, 10), not float32 of shape (2, 1)"},
        {"preprocessing", "{\"channels\":1}",
            "pre-processing must have exactly the fields channels, height, width_min, width_max, width_step, square_height, not channels"},
        {"preprocessing", "null", "pre-processing must have exactly the fields channels, height, width_min, width_max, width_step, "
            "square_height, not null"},
        {"temperature", "0", "its temperature must lie in 0.001..1000, not 0"},
        {"temperature", "1e999", "its temperature must be a number, not 1e999"},
        {"temperature", "true", "its temperature must be a number, not true"},
        {"temperature", "\"hot\"", "its temperature must be a number, not 'hot'"},
        {"threshold", "1.5", "its threshold must lie in 0..1, not 1.5"},
        {"threshold", "-1", "its threshold must lie in 0..1, not -1"},
        {"input", "\"words\"", "its input must be 'pixels' or 'image', not 'words'"},
        {"input", "\"image\"", "but its metadata asks for [-1, -1, 3], -1 being any"},
        {"network", "null", "its network must be text, not null"},
        {"precision", "8", "its precision must be text, not 8"},
        {"provenance", "[]", "its provenance must be an object, not []"},
        {"orientation_temperature", "0", "its orientation_temperature must lie in 0.001..1000, not 0"},
        {"orientation_threshold", "null", "its orientation_threshold must be a number, not null"},
        {"format", "2", "its pre-processing must have square_height from format 3 on, not before; its is 2"}};
    static const char *const sides = "{\"channels\":%s,\"height\":%s,\"width_min\":%s,\"width_max\":384,\"width_step\":24%s}";
    static const struct { const char *channels, *height, *width_min, *rest, *message; } wrong_sides[] = {
        {"2", "48", "48", ",\"square_height\":64", "pre-processing: channels must be 1 (luma) or 3 (RGB), not 2"},
        {"1.0", "48", "48", ",\"square_height\":64", "pre-processing: channels must be an integer from 1 to 4096, not 1.0"},
        {"1", "0", "48", ",\"square_height\":64", "pre-processing: height must be an integer from 1 to 4096, not 0"},
        {"1", "4097", "48", ",\"square_height\":64", "pre-processing: height must be an integer from 1 to 4096, not 4097"},
        {"1", "true", "48", ",\"square_height\":64", "pre-processing: height must be an integer from 1 to 4096, not true"},
        {"1", "48", "4096", ",\"square_height\":64", "pre-processing: width_min (4096) must not exceed width_max (384)"},
        {"1", "48", "48", ",\"square_height\":0", "pre-processing: square_height must be an integer from 1 to 4096, not 0"},
        {"1", "48", "48", ",\"square_height\":null", "its pre-processing must have square_height from format 3 on, not before; its is 3"},
        {"1", "48", "48", ",\"square_height\":64,\"depth\":1", "not channels, height, width_min, width_max, width_step, square_height, depth"},
        {"3", "48", "48", ",\"square_height\":64", "the network's input has the shape [-1, 1, -1, -1], but its metadata asks for [-1, 3, -1, -1], -1 being any"}};
    char *metadata = metadata_of(model);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char *spoilt = with_field(metadata, wrong[i].field, wrong[i].json);
        refused_metadata(model, spoilt, wrong[i].message);
        free(spoilt);
    }
    for (size_t i = 0; i < COUNT(wrong_sides); i++) {
        char json[256];
        snprintf(json, sizeof(json), sides, wrong_sides[i].channels, wrong_sides[i].height, wrong_sides[i].width_min, wrong_sides[i].rest);
        char *spoilt = with_field(metadata, "preprocessing", json);
        refused_metadata(model, spoilt, wrong_sides[i].message);
        free(spoilt);
    }
    refused_metadata(model, NULL, "spoilt.onnx: an ONNX file without scriptkd's metadata; export it with scriptkd-export");
    refused_metadata(model, "[1]", "spoilt.onnx: its metadata is not a JSON object");
    refused_metadata(model, "not json", "spoilt.onnx: its metadata is not JSON: expected a value at character 1");
    refused_metadata(model, "{\"a\":\"\xff\"}", "spoilt.onnx: an ONNX file whose names or metadata are not UTF-8");
    char *later = with_field(metadata, "a field of a later version", "{}");
    content newer = with_metadata(model, later);
    scriptkd_error error;
    scriptkd_identifier *identifier;
    scriptkd_status status = scriptkd_open_memory(newer.bytes, newer.size, "newer", 2, &identifier, &error);
    check_message(status, SCRIPTKD_OK, &error, "");
    scriptkd_close(identifier);
    free(newer.bytes);
    free(later);
    free(metadata);
}

static void check_opening(content model) {
    static const struct { const char *path; scriptkd_status status; const char *message; } wrong[] = {
        {"no/such.onnx", SCRIPTKD_MODEL_ERROR, "no/such.onnx: no such model file"},
        {"/", SCRIPTKD_MODEL_ERROR, "/: a folder, not a model file"},
        {"/dev/null", SCRIPTKD_MODEL_ERROR, "/dev/null: no such model file"},
        {NULL, SCRIPTKD_ARGUMENT_ERROR, "path must be an address, not NULL"}};
    scriptkd_error error;
    scriptkd_identifier *identifier;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        check_message(scriptkd_open(wrong[i].path, 1, &identifier, &error), wrong[i].status, &error, wrong[i].message);
    }
    static const int threads[] = {0, -1, 257};
    for (size_t i = 0; i < COUNT(threads); i++) {
        char wanted[100];
        snprintf(wanted, sizeof(wanted), "threads must be an integer from 1 to 256, not %d", threads[i]);
        scriptkd_status status = scriptkd_open_memory(model.bytes, model.size, "it", threads[i], &identifier, &error);
        check_message(status, SCRIPTKD_ARGUMENT_ERROR, &error, wanted);
    }
    static const char start[] = "it: not an ONNX file that onnxruntime can load (";
    static const size_t sizes[] = {0, 5};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        scriptkd_status status = scriptkd_open_memory("hello", sizes[i], "it", 1, &identifier, &error);
        CHECK(status == SCRIPTKD_MODEL_ERROR && strncmp(error.message, start, strlen(start)) == 0, "%s", error.message);
    }
    scriptkd_status status = scriptkd_open_memory(model.bytes, model.size - 100, "a\nb", 1, &identifier, &error);
    CHECK(status == SCRIPTKD_MODEL_ERROR && strncmp(error.message, "a b: ", 5) == 0, "%s", error.message);
    CHECK(scriptkd_open("no/such.onnx", 1, &identifier, NULL) == SCRIPTKD_MODEL_ERROR, "without an error's place");
    scriptkd_close(NULL);
    scriptkd_prediction_free(NULL);
}

/* Append a field of a protobuf message, with its number and length, to `to`. */
static void put(content *to, int field, const void *bytes, size_t size) {
    to->bytes[to->size++] = (uint8_t)(field << 3 | 2);
    to->bytes[to->size++] = (uint8_t)size; /* below 128 */
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

/* A model whose weight is in another, existing file. Its ONNX messages are written by hand. */
static void check_external_data(void) {
    uint8_t space[6][256];
    content model = {space[0], 0}, graph = {space[1], 0}, node = {space[2], 0}, weight = {space[3], 0}, entry = {space[4], 0},
            output = {space[5], 0};
    put(&entry, 1, "location", 8);
    put(&entry, 2, "external.bin", 12);
    memcpy(weight.bytes, (uint8_t[]){0x08, 1, 0x10, 1, 0x70, 1}, 6); /* one side, of 1; float32; external */
    weight.size = 6;
    put(&weight, 8, "w", 1);
    put(&weight, 13, entry.bytes, entry.size);
    put(&node, 1, "w", 1);
    put(&node, 2, "logits", 6);
    put(&node, 4, "Neg", 3);
    put(&output, 1, "logits", 6);
    put(&output, 2, "\x0A\x02\x08\x01", 4); /* a tensor of float32 */
    put(&graph, 1, node.bytes, node.size);
    put(&graph, 2, "g", 1);
    put(&graph, 5, weight.bytes, weight.size);
    put(&graph, 12, output.bytes, output.size);
    memcpy(model.bytes, (uint8_t[]){0x08, 8, 0x42, 2, 0x10, 13}, 6); /* version 8, operators 13 */
    model.size = 6;
    put(&model, 7, graph.bytes, graph.size);
    FILE *file = fopen("external.bin", "wb"); /* in the current folder, where onnxruntime looks by default */
    fwrite("\0\0\0", 1, 4, file);
    fclose(file);
    scriptkd_error error;
    scriptkd_identifier *identifier;
    scriptkd_status status = scriptkd_open_memory(model.bytes, model.size, "it", 1, &identifier, &error);
    check_message(status, SCRIPTKD_MODEL_ERROR, &error,
        "it: it keeps data in another file (ONNX's external data); a model is one file");
    remove("external.bin");
}

static void check_images(const scriptkd_identifier *identifier) {
    static const struct { int width, height; const char *message; } wrong[] = {
        {1, 20, "1x20 pixels, but at least 2x2 are needed"}, {0, 0, "0x0 pixels, but at least 2x2 are needed"},
        {-5, 20, "-5x20 pixels, but at least 2x2 are needed"},
        {16385, 2, "16385x2 pixels, but at most 16,384 a side are allowed"},
        {16000, 16000, "16000x16000 pixels, but at most 50 million are allowed"}};
    uint8_t pixels[1000] = {0};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        scriptkd_image image = {pixels, wrong[i].width, wrong[i].height, wrong[i].width, SCRIPTKD_GRAY};
        refused(identifier, &image, NULL, SCRIPTKD_IMAGE_ERROR, wrong[i].message);
    }
    scriptkd_image image = {pixels, 10, 10, 29, SCRIPTKD_RGB};
    refused(identifier, &image, NULL, SCRIPTKD_ARGUMENT_ERROR,
        "stride must be at least 30 bytes for 10 pixels of 3, up or down, not 29");
    image.stride = -29;
    refused(identifier, &image, NULL, SCRIPTKD_ARGUMENT_ERROR,
        "stride must be at least 30 bytes for 10 pixels of 3, up or down, not -29");
    image.format = (scriptkd_format)7;
    refused(identifier, &image, NULL, SCRIPTKD_ARGUMENT_ERROR,
        "format must be one of scriptkd_format, from SCRIPTKD_GRAY (1) to SCRIPTKD_ARGB (6), not 7");
    image = (scriptkd_image){NULL, 10, 10, 10, SCRIPTKD_GRAY};
    refused(identifier, &image, NULL, SCRIPTKD_ARGUMENT_ERROR, "pixels must be an address, not NULL");
    refused(identifier, NULL, NULL, SCRIPTKD_ARGUMENT_ERROR, "image must be an address, not NULL");
    refused(NULL, &image, NULL, SCRIPTKD_ARGUMENT_ERROR, "identifier must be an address, not NULL");
}

static void check_boxes(const scriptkd_identifier *identifier) {
    static const struct { scriptkd_box box; const char *message; } wrong[] = {
        {{0, 0, 0, 10}, "the region (0, 0, 0, 10) is empty: right and bottom must exceed left and top by 2 or more"},
        {{9, 9, 10, 10}, "the region (9, 9, 10, 10) is empty: right and bottom must exceed left and top by 2 or more"},
        {{9, 9, 0, 20}, "the region (9, 9, 0, 20) is empty: right and bottom must exceed left and top by 2 or more"},
        {{1.5, 0, 3.25, 9}, "the region (1.5, 0, 3.25, 9) is empty: right and bottom must exceed left and top by 2 or more"},
        {{-9, 0, 0, 5}, "the region (-9, 0, 0, 5) is outside the image of 40x25 pixels"},
        {{40, 0, 45, 5}, "the region (40, 0, 45, 5) is outside the image of 40x25 pixels"},
        {{0, 25, 40, 30}, "the region (0, 25, 40, 30) is outside the image of 40x25 pixels"},
        {{39, 0, 1e300, 5}, "1x5 pixels, but at least 2x2 are needed"},
        {{0, 0, NAN, 5}, "a region must not hold NaN or infinity: (0, 0, nan, 5)"},
        {{-INFINITY, 0, 4, 5}, "a region must not hold NaN or infinity: (-inf, 0, 4, 5)"}};
    scriptkd_image image = stripes(40, 25);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        scriptkd_options options = {.box = &wrong[i].box};
        refused(identifier, &image, &options, SCRIPTKD_IMAGE_ERROR, wrong[i].message);
    }
    static const struct { scriptkd_point at[4]; const char *message; } corners[] = {
        {{{0, 0}, {0, 10}, {10, 10}, {10, 0}}, "the corners ((0, 0), (0, 10), (10, 10), (10, 0)) do not go clockwise around a convex "
            "quadrilateral: top left, top right, bottom right, bottom left"},
        {{{50, 0}, {60, 0}, {60, 10}, {50, 10}}, "the region ((50, 0), (60, 0), (60, 10), (50, 10)) is outside the image of 40x25 pixels"},
        {{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, "1x1 pixels, but at least 2x2 are needed"},
        {{{0, 0}, {99999, 0}, {99999, 9}, {0, 9}}, "99999x9 pixels, but at most 16,384 a side are allowed"},
        {{{0, 0}, {1e300, 0}, {1e300, 9}, {0, 9}}, "the corners ((0, 0), (1e+300, 0), (1e+300, 9), (0, 9)) do not go clockwise around a "
            "convex quadrilateral: top left, top right, bottom right, bottom left"},
        {{{0, 0}, {9, 0}, {9, NAN}, {0, 9}}, "a region must not hold NaN or infinity: ((0, 0), (9, 0), (9, nan), (0, 9))"}};
    for (size_t i = 0; i < COUNT(corners); i++) {
        scriptkd_options options = {.corners = corners[i].at};
        refused(identifier, &image, &options, SCRIPTKD_IMAGE_ERROR, corners[i].message);
    }
    static const scriptkd_box box = {0, 0, 9, 9};
    scriptkd_options both = {.box = &box, .corners = corners[1].at};
    refused(identifier, &image, &both, SCRIPTKD_ARGUMENT_ERROR, "a region is a box or four corners, not both");

    /* A region equals the same part cut out, is clipped to the image, and straight corners are a box. */
    scriptkd_image word = {image.pixels + 40 * 4 + 6, 31, 18, 40, SCRIPTKD_GRAY};
    static const scriptkd_box boxes[] = {{6, 4, 37, 22}, {5.5, 3.7, 36.6, 22.4}}, outer = {-5, -70, 999, 1e9};
    static const scriptkd_point square[4] = {{6, 4}, {37, 4}, {37, 22}, {6, 22}};
    scriptkd_prediction *cut = answer_of(identifier, &word, NULL);
    for (int i = 0; i < 3; i++) {
        scriptkd_options options = {.box = i < 2 ? &boxes[i] : NULL, .corners = i < 2 ? NULL : square};
        scriptkd_prediction *region = answer_of(identifier, &image, &options);
        CHECK(same(cut, region), "region %d is not what is cut out", i);
        scriptkd_prediction_free(region);
    }
    scriptkd_prediction_free(cut);
    scriptkd_options all = {.box = &outer};
    scriptkd_prediction *whole = answer_of(identifier, &image, NULL), *clipped = answer_of(identifier, &image, &all);
    CHECK(same(whole, clipped), "a region that reaches over the edge");
    scriptkd_prediction_free(whole);
    scriptkd_prediction_free(clipped);
    free((void *)image.pixels);
}

static void check_choices(const scriptkd_identifier *identifier) {
    scriptkd_image image = stripes(90, 30);
    scriptkd_prediction *answer = answer_of(identifier, &image, NULL);
    double sum = 0;
    for (size_t i = 0; i < answer->score_count; i++) {
        sum += answer->scores[i].value;
        CHECK(i == 0 || answer->scores[i].value <= answer->scores[i - 1].value, "not best first");
    }
    CHECK(fabs(sum - 1) < 1e-12 && answer->score == answer->scores[0].value && answer->best == answer->scores[0].name, "scores");

    static const double all = 1, none = 0, wrong[] = {-0.1, 1.5, NAN};
    scriptkd_options options = {.threshold = &all};
    scriptkd_prediction *unsure = answer_of(identifier, &image, &options);
    CHECK(strcmp(unsure->script, "unknown") == 0 && strcmp(unsure->code, "Zyyy") == 0, "%s", unsure->script);
    CHECK(strcmp(unsure->best, answer->best) == 0 && unsure->score == answer->score, "the best guess is given");
    CHECK(unsure->share_count == 1 && strcmp(unsure->shares[0].name, "unknown") == 0 && unsure->shares[0].value == 1, "shares");
    scriptkd_prediction_free(unsure);
    options.threshold = &none;
    scriptkd_prediction *sure = answer_of(identifier, &image, &options);
    CHECK(strcmp(sure->script, answer->best) == 0 && strcmp(sure->code, answer->scores[0].code) == 0, "%s", sure->script);
    scriptkd_prediction_free(sure);
    static const char *const messages[] = {"threshold must be a number from 0 to 1, not -0.1",
        "threshold must be a number from 0 to 1, not 1.5", "threshold must be a number from 0 to 1, not nan"};
    for (int i = 0; i < 3; i++) {
        options.threshold = &wrong[i];
        refused(identifier, &image, &options, SCRIPTKD_ARGUMENT_ERROR, messages[i]);
    }

    /* By code, by name in any case, by alias; the scores are scaled. */
    static const char *const two[] = {"Taml", " bengali\n"}, *const one[] = {"Hindi"}, *const klingon[] = {"Klingon"};
    scriptkd_options allowed = {.allow = two, .allow_count = 2};
    scriptkd_prediction *among = answer_of(identifier, &image, &allowed);
    double first = 0, second = 0;
    for (size_t i = 0; i < answer->score_count; i++) {
        first = strcmp(answer->scores[i].name, among->scores[0].name) == 0 ? answer->scores[i].value : first;
        second = strcmp(answer->scores[i].name, among->scores[1].name) == 0 ? answer->scores[i].value : second;
    }
    CHECK(among->score_count == 2 && fabs(among->score - first / (first + second)) < 1e-12, "among two: %g", among->score);
    scriptkd_prediction_free(among);
    scriptkd_options denied = {.deny = one, .deny_count = 1};
    scriptkd_prediction *without = answer_of(identifier, &image, &denied);
    CHECK(without->score_count == answer->score_count - 1, "%zu", without->score_count);
    for (size_t i = 0; i < without->score_count; i++) {
        CHECK(strcmp(without->scores[i].name, "Devanagari") != 0, "what is denied is not answered");
    }
    scriptkd_prediction_free(without);
#define LABELS "Arabic, Bengali, Devanagari, Gujarati, Gurmukhi, Kannada, Latin, Oriya, Tamil, Telugu"
    scriptkd_options left = {.allow = one, .allow_count = 1, .deny = one, .deny_count = 1};
    refused(identifier, &image, &left, SCRIPTKD_ARGUMENT_ERROR, "allow and deny leave no script to answer; the model knows " LABELS);
    scriptkd_options empty = {.allow = one, .allow_count = 0};
    refused(identifier, &image, &empty, SCRIPTKD_ARGUMENT_ERROR, "allow and deny leave no script to answer; the model knows " LABELS);
    scriptkd_options strange = {.deny = klingon, .deny_count = 1};
    refused(identifier, &image, &strange, SCRIPTKD_ARGUMENT_ERROR, "deny: the model does not know the script 'Klingon', but " LABELS);
    scriptkd_options nowhere = {.allow_count = 1};
    refused(identifier, &image, &nowhere, SCRIPTKD_ARGUMENT_ERROR, "allow is NULL, but allow_count is not 0");

    scriptkd_options upright = {.upright = true};
    scriptkd_image tall = stripes(20, 90);
    scriptkd_prediction *standing = answer_of(identifier, &tall, &upright);
    CHECK(standing->orientation == 0 && standing->orientation_score == 1, "upright: %d", standing->orientation);
    scriptkd_prediction_free(standing);
    scriptkd_prediction_free(answer);
    free((void *)tall.pixels);
    free((void *)image.pixels);
}

/* Formats 1 and 2 tell no orientation and no shares. A network that takes whole images refuses the option upright. */
static void check_formats(void) {
    scriptkd_error error;
    scriptkd_identifier *older, *whole;
    scriptkd_image line = stripes(900, 30);
    scriptkd_options upright = {.upright = true};
    scriptkd_status status = scriptkd_open(below_sdk("scriptkd_sdk/models/upright.onnx"), 1, &older, &error);
    check_message(status, SCRIPTKD_OK, &error, "");
    const scriptkd_info *info = scriptkd_model_info(older);
    CHECK(info->format == 1 && info->label_count == 10 && info->height == 48 && info->square_height == 0, "format 1");
    CHECK(info->provenance[0] == '{' && info->provenance[strlen(info->provenance) - 1] == '}', "%s", info->provenance);
    scriptkd_prediction *answer = answer_of(older, &line, &upright);
    CHECK(answer->orientation == SCRIPTKD_NO_ORIENTATION && answer->orientation_score == -1, "%d", answer->orientation);
    CHECK(answer->share_count == 1 && answer->shares[0].name == answer->script && answer->shares[0].value == 1, "shares");
    scriptkd_close(older); /* the prediction stays */
    CHECK(strlen(answer->script) > 2, "%s", answer->script);
    scriptkd_prediction_free(answer);

    status = scriptkd_open(below_sdk("web/test/models/any-size.onnx"), 1, &whole, &error);
    check_message(status, SCRIPTKD_OK, &error, "");
    CHECK(scriptkd_model_info(whole)->any_size, "a network that takes whole images");
    refused(whole, &line, &upright, SCRIPTKD_ARGUMENT_ERROR,
        "this model turns tall crops inside its graph (--any-size), so it takes no upright=True");
    answer = answer_of(whole, &line, NULL);
    CHECK(answer->score_count == 3, "%zu", answer->score_count);
    scriptkd_prediction_free(answer);
    scriptkd_close(whole);
    free((void *)line.pixels);
}

int main(int count, char **arguments) {
    sdk = count > 1 ? arguments[1] : sdk;
    const char *path = below_sdk("scriptkd_sdk/models/student.onnx");
    content model = read_file(path);
    scriptkd_error error;
    scriptkd_identifier *identifier;
    if (scriptkd_open(path, 1, &identifier, &error) != SCRIPTKD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    CHECK(strcmp(getenv("ORT_DISABLE_TELEMETRY"), count > 2 ? arguments[2] : "1") == 0, "%s", getenv("ORT_DISABLE_TELEMETRY"));
    check_json();
    check_opening(model);
    check_metadata(model);
    check_external_data();
    check_images(identifier);
    check_boxes(identifier);
    check_choices(identifier);
    check_formats();
    scriptkd_close(identifier);
    free(model.bytes);
    return summary();
}
