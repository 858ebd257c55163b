/* The functions of scriptkd.h: the way from pixels to the answer. */

#define _XOPEN_SOURCE 700 /* setenv, S_IFMT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

#define MOST_THREADS 256
#define MOST_BYTES 2147483648.0 /* of a file: ONNX's limit */

struct scriptkd_identifier {
    skd_network *network;
    scriptkd_info info;
    skd_memory memory; /* holds what `info` points to */
};

#if !defined(_WIN32)
/* onnxruntime's telemetry writes a device id and a queue of events and looks up a host to send them to. It reads the variable
 * when its environment is made. Setting it here, while this library is loaded, races with no thread of a program that links it. */
__attribute__((constructor)) static void telemetry_off(void) {
    setenv("ORT_DISABLE_TELEMETRY", "1", 0);
}
#endif

static void clear(scriptkd_error *error) {
    if (error != NULL) {
        error->message[0] = '\0';
    }
}

static scriptkd_status check_address(const void *address, const char *argument, scriptkd_error *error) {
    return address != NULL
        ? SCRIPTKD_OK
        : skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "%s must be an address, not NULL", argument);
}

static scriptkd_status check_threads(int threads, scriptkd_error *error) {
    if (threads < 1 || threads > MOST_THREADS) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "threads must be an integer from 1 to %d, not %d", MOST_THREADS, threads);
    }
    return SCRIPTKD_OK;
}

scriptkd_status scriptkd_open_memory(const void *content, size_t size, const char *name, int threads,
    scriptkd_identifier **identifier, scriptkd_error *error) {
    *identifier = NULL;
    clear(error);
    scriptkd_status status;
    if ((status = check_threads(threads, error)) != SCRIPTKD_OK
        || (status = check_address(content, "content", error)) != SCRIPTKD_OK
        || (status = check_address(name, "name", error)) != SCRIPTKD_OK) {
        return status;
    }
    scriptkd_identifier *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        return skd_no_memory(error);
    }
    scriptkd_error reason = {""};
    status = skd_network_open(
        content, size, threads, &result->network, &result->memory, &result->info, &reason);
    if (status != SCRIPTKD_OK) {
        scriptkd_close(result);
        return skd_fail(error, status, "%s: %s", name, reason.message);
    }
    *identifier = result;
    return SCRIPTKD_OK;
}

/* A file's content, which the caller frees. */
static scriptkd_status read_file(const char *path, void **content, size_t *size, scriptkd_error *error) {
    struct stat about;
    if (stat(path, &about) != 0) {
        return errno == ENOENT || errno == ENOTDIR
            ? skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: no such model file", path)
            : skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    }
    if ((about.st_mode & S_IFMT) == S_IFDIR) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: a folder, not a model file", path);
    }
    if ((about.st_mode & S_IFMT) != S_IFREG) { /* reading a pipe might never end */
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: no such model file", path);
    }
    if ((double)about.st_size > MOST_BYTES) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: a file of more than 2 GB, which no model file can be", path);
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    }
    *content = malloc((size_t)about.st_size + 1);
    if (*content == NULL) {
        fclose(file);
        return skd_no_memory(error);
    }
    *size = fread(*content, 1, (size_t)about.st_size, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) {
        free(*content);
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s: cannot be read", path);
    }
    return SCRIPTKD_OK;
}

scriptkd_status scriptkd_open(const char *path, int threads, scriptkd_identifier **identifier, scriptkd_error *error) {
    *identifier = NULL;
    clear(error);
    void *content = NULL;
    size_t size = 0;
    scriptkd_status status;
    if ((status = check_threads(threads, error)) != SCRIPTKD_OK
        || (status = check_address(path, "path", error)) != SCRIPTKD_OK
        || (status = read_file(path, &content, &size, error)) != SCRIPTKD_OK) {
        return status;
    }
    status = scriptkd_open_memory(content, size, path, threads, identifier, error);
    free(content);
    return status;
}

void scriptkd_close(scriptkd_identifier *identifier) {
    if (identifier != NULL) {
        skd_network_close(identifier->network);
        skd_release(&identifier->memory);
        free(identifier);
    }
}

const scriptkd_info *scriptkd_model_info(const scriptkd_identifier *identifier) {
    return &identifier->info;
}

/* The input of a network that does the pre-processing itself: [height, width, 3]. */
static scriptkd_status whole_image(skd_memory *memory, const skd_pixels *pixels, skd_input *input, scriptkd_error *error) {
    uint8_t *bytes = skd_allocate(memory, (size_t)pixels->width * (size_t)pixels->height, 3);
    if (bytes == NULL) {
        return skd_no_memory(error);
    }
    *input = (skd_input){bytes, {pixels->height, pixels->width, 3}, 3};
    for (int y = 0; y < pixels->height; y++) {
        const uint8_t *from = pixels->bytes + y * pixels->stride;
        for (int x = 0; x < pixels->width; x++, from += pixels->channels, bytes += 3) {
            for (int i = 0; i < 3; i++) {
                bytes[i] = from[pixels->channels == 1 ? 0 : i];
            }
        }
    }
    return SCRIPTKD_OK;
}

static scriptkd_status identify(const scriptkd_identifier *identifier, skd_memory *memory, const scriptkd_image *image,
    const scriptkd_options *options, scriptkd_prediction **prediction, scriptkd_error *error) {
    const scriptkd_info *info = &identifier->info;
    if (options->upright && info->any_size && info->square_height > 0) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR,
            "this model turns tall crops inside its graph (--any-size), so it takes no upright=True");
    }
    skd_decision decision;
    skd_pixels pixels;
    skd_crops crops = {.turned = 0};
    skd_input input;
    skd_logits logits;
    scriptkd_status status = skd_decision_of(memory, info, options, &decision, error);
    if (status != SCRIPTKD_OK || (status = skd_pixels_of(memory, image, options, &pixels, error)) != SCRIPTKD_OK) {
        return status;
    }
    if (info->any_size) {
        status = whole_image(memory, &pixels, &input, error);
    } else if ((status = skd_crops_of(memory, &pixels, info, options->upright, &crops, error)) == SCRIPTKD_OK) {
        status = skd_input_of(memory, &crops, info, &input, error);
    }
    if (status != SCRIPTKD_OK
        || (status = skd_network_run(identifier->network, info, memory, &input, &logits, error)) != SCRIPTKD_OK) {
        return status;
    }
    return skd_decide(memory, info, &decision, &logits, crops.turned, options->upright, prediction, error);
}

scriptkd_status scriptkd_identify(const scriptkd_identifier *identifier, const scriptkd_image *image,
    const scriptkd_options *options, scriptkd_prediction **prediction, scriptkd_error *error) {
    static const scriptkd_options nothing = {.box = NULL};
    skd_memory memory = {NULL};
    *prediction = NULL;
    clear(error);
    scriptkd_status status;
    if ((status = check_address(identifier, "identifier", error)) != SCRIPTKD_OK
        || (status = check_address(image, "image", error)) != SCRIPTKD_OK) {
        return status;
    }
    status = identify(identifier, &memory, image, options != NULL ? options : &nothing, prediction, error);
    skd_release(&memory);
    return status;
}
