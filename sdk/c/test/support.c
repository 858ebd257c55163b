#include "support.h"

#include <png.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int passed, failures;
const char *sdk = "sdk";

void check(bool holds, const char *file, int line, const char *format, ...) {
    if (holds) {
        passed++;
        return;
    }
    failures++;
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

int summary(void) {
    printf("%d passed, %d failed\n", passed, failures);
    return failures > 0 || passed == 0;
}

const char *below_sdk(const char *name) {
    static char paths[8][1024];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", sdk, name);
    return path;
}

content read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    content result = {NULL, 0};
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    result.size = (size_t)ftell(file);
    rewind(file);
    result.bytes = malloc(result.size + 1);
    if (fread(result.bytes, 1, result.size, file) != result.size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return result;
}

png read_png(const char *path, int channels) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    png result = {NULL, 0, 0, 0};
    if (!png_image_begin_read_from_file(&image, path)) {
        return result;
    }
    bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
    channels = channels != 0 ? channels : colour ? 3 : 1;
    image.format = channels == 4 ? PNG_FORMAT_RGBA : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    result = (png){malloc(PNG_IMAGE_SIZE(image)), (int)image.width, (int)image.height, channels};
    if (!png_image_finish_read(&image, NULL, result.bytes, 0, NULL)) {
        free(result.bytes);
        result.bytes = NULL;
    }
    return result;
}

static uint32_t turn(uint32_t word, int by) {
    return word >> by | word << (32 - by);
}

/* FIPS 180-4. Its constants are the fractions of square and cube roots of the first primes. */
static void sha256_block(uint32_t state[8], const uint8_t *block) {
    static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1,
        0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
        0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
        0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
        0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
        0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 64; i++) {
        uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += s[i];
    }
}

void sha256(const void *bytes, size_t size, char hex[65]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t whole = size / 64 * 64, rest = size - whole;
    for (size_t i = 0; i < whole; i += 64) {
        sha256_block(state, (const uint8_t *)bytes + i);
    }
    uint8_t last[128] = {0};
    memcpy(last, (const uint8_t *)bytes + whole, rest);
    last[rest] = 0x80;
    size_t end = rest < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++) {
        last[end - 1 - (size_t)i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
    }
    for (size_t i = 0; i < end; i += 64) {
        sha256_block(state, last + i);
    }
    for (int i = 0; i < 8; i++) {
        snprintf(hex + 8 * i, 9, "%08x", state[i]);
    }
}

const skd_json *read_golden(skd_memory *memory) {
    content file = read_file(below_sdk("contract/golden/golden.json"));
    char *copy = skd_allocate(memory, file.size, 1);
    memcpy(copy, file.bytes, file.size);
    free(file.bytes);
    skd_text expected = {.length = 0};
    const skd_json *result = skd_json_read(memory, copy, file.size, &expected);
    if (result == NULL) {
        printf("golden.json: %s\n", expected.bytes);
        exit(1);
    }
    return result;
}

/* An ONNX file is a protobuf message. Each field 14 holds a metadata property, with key (1) and value (2). */
static uint64_t read_number(const uint8_t *bytes, size_t *at) {
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t next = bytes[(*at)++];
        number |= (uint64_t)(next & 0x7F) << shift;
        if (next < 0x80) {
            return number;
        }
    }
}

static size_t write_text(uint8_t *to, int field, const void *text, size_t size) {
    size_t at = 0;
    to[at++] = (uint8_t)(field << 3 | 2);
    size_t length = size;
    for (; length > 0x7F; length >>= 7) {
        to[at++] = (uint8_t)((length & 0x7F) | 0x80);
    }
    to[at++] = (uint8_t)length;
    memcpy(to + at, text, size);
    return at + size;
}

/* The model without scriptkd's metadata property, whose position is returned. */
static content without_metadata(content model, content *property) {
    content result = {malloc(model.size + 1), 0};
    for (size_t at = 0; at < model.size;) {
        size_t start = at;
        uint64_t tag = read_number(model.bytes, &at);
        if ((tag & 7) == 0) {
            read_number(model.bytes, &at);
        } else {
            size_t length = (size_t)read_number(model.bytes, &at);
            if (tag >> 3 == 14 && memcmp(model.bytes + at + 2, "scriptkd", 8) == 0) {
                *property = (content){model.bytes + at, length};
                at += length;
                continue;
            }
            at += length;
        }
        memcpy(result.bytes + result.size, model.bytes + start, at - start);
        result.size += at - start;
    }
    return result;
}

content with_metadata(content model, const char *metadata) {
    content property = {NULL, 0}, bare = without_metadata(model, &property);
    size_t size = metadata != NULL ? strlen(metadata) : 0;
    content result = {malloc(bare.size + size + 64), bare.size};
    memcpy(result.bytes, bare.bytes, bare.size);
    free(bare.bytes);
    if (metadata != NULL) {
        uint8_t *entry = malloc(size + 32);
        size_t length = write_text(entry, 1, "scriptkd", 8);
        length += write_text(entry + length, 2, metadata, size);
        result.size += write_text(result.bytes + result.size, 14, entry, length);
        free(entry);
    }
    return result;
}

char *metadata_of(content model) {
    content property = {NULL, 0};
    free(without_metadata(model, &property).bytes);
    size_t at = 10 + 1; /* the key with its tag and length, and the value's tag */
    size_t size = (size_t)read_number(property.bytes, &at);
    char *result = malloc(size + 1);
    memcpy(result, property.bytes + at, size);
    result[size] = '\0';
    return result;
}
