/* Helpers of the tests: counting, files, PNG, SHA-256. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "internal.h"

extern int passed, failures;

/* Count a check. If it fails, print the message, which may hold a format, and its place. */
#define CHECK(holds, ...) check((holds), __FILE__, __LINE__, __VA_ARGS__)
void check(bool holds, const char *file, int line, const char *format, ...) SKD_PRINTF(4, 5);

/* Print "N passed, N failed" and return the exit status. */
int summary(void);

/* A path below the folder sdk/, which is every test's first argument. The text is valid for the next seven calls. */
extern const char *sdk;
const char *below_sdk(const char *name);

typedef struct content {
    uint8_t *bytes;
    size_t size;
} content;

/* A whole file; ends the program if it cannot be read. */
content read_file(const char *path);

/* Pixels of a PNG file, without gaps between rows. channels: 1, 3, 4 with alpha, or 0 for the file's own. The caller
 * frees them. `bytes` is NULL if libpng cannot decode the file. */
typedef struct png {
    uint8_t *bytes;
    int width, height, channels;
} png;
png read_png(const char *path, int channels);

void sha256(const void *bytes, size_t size, char hex[65]);

/* The JSON file of golden vectors, in `memory`. */
const skd_json *read_golden(skd_memory *memory);

/* A model file with other metadata; NULL for none. The caller frees it. */
content with_metadata(content model, const char *metadata);

/* A model file's metadata, with a final zero byte. The caller frees it. */
char *metadata_of(content model);

#endif
