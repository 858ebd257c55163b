/*
 * Declarations that the files of the C core share. An image passes pixels.c -> crops.c -> resample.c -> network.c ->
 * decision.c, called by identifier.c. A model file passes network.c -> json.c -> modelfile.c.
 */
#ifndef SCRIPTKD_INTERNAL_H
#define SCRIPTKD_INTERNAL_H

#include "scriptkd.h"

/* errors.c: sentences */

/* A growing text that is truncated at the size of an error's message. */
typedef struct skd_text {
    char bytes[SCRIPTKD_MESSAGE_SIZE];
    size_t length;
} skd_text;

#if defined(__GNUC__)
#define SKD_PRINTF(text, arguments) __attribute__((format(printf, text, arguments)))
#else
#define SKD_PRINTF(text, arguments)
#endif

void skd_add(skd_text *text, const char *format, ...) SKD_PRINTF(2, 3);
void skd_add_number(skd_text *text, double value);

/* Write a sentence to an error, NULL or not, and return the status, so that a caller can `return skd_fail(...)`. */
scriptkd_status skd_fail(scriptkd_error *error, scriptkd_status status, const char *format, ...) SKD_PRINTF(3, 4);
scriptkd_status skd_no_memory(scriptkd_error *error);

/* The number of bytes of the first character in UTF-8 text of at least one byte; 0 if it is not UTF-8. */
size_t skd_utf8(const char *text, size_t size, uint32_t *character);

/* Whether a character is printable: it neither breaks a line nor controls a terminal, and is no unusual space. */
bool skd_printable(uint32_t character);

/* memory.c: one call's allocations, freed together */

typedef struct skd_block skd_block;

typedef struct skd_memory {
    skd_block *last;
} skd_memory;

/* count * size uninitialized bytes; NULL if memory is short. */
void *skd_allocate(skd_memory *memory, size_t count, size_t size);
void skd_release(skd_memory *memory);

/* json.c: a reader of JSON (RFC 8259) */

typedef enum skd_kind {
    SKD_NULL, SKD_FALSE, SKD_TRUE, SKD_NUMBER, SKD_STRING, SKD_ARRAY, SKD_OBJECT
} skd_kind;

typedef struct skd_json skd_json;

struct skd_json {
    skd_kind kind;
    bool integer;             /* of a number: whether it has neither a fraction nor an exponent */
    double number;            /* infinite beyond what a double holds */
    const char *text;         /* of a string, in UTF-8; a zero byte follows, and may be in it */
    size_t length;            /* of the string, in bytes */
    const char *name;         /* of an object's member, as `text` */
    size_t name_length;       /* in bytes */
    const char *source;       /* the value's JSON text */
    size_t source_length;     /* in bytes */
    const skd_json *first;    /* of an array or object: its values */
    const skd_json *next;     /* the value after it in the same array or object */
};

/* Read UTF-8 text. On failure NULL is returned, and `expected` says what was expected at which character, counted from
 * 1. `expected` is empty if memory is short. */
const skd_json *skd_json_read(skd_memory *memory, const char *source, size_t size, skd_text *expected);

/* The member of an object; the last of equal names, as in Python. NULL if there is none, or if `object` is no object. */
const skd_json *skd_json_member(const skd_json *object, const char *name);
bool skd_json_is(const skd_json *value, const char *text);

/* Add a value as messages show it: 'text' or its JSON text, truncated. NULL means no value. */
void skd_json_show(skd_text *message, const skd_json *value);

/* modelfile.c: a model file's metadata */

/* Read the metadata, with its texts in `memory`. `error` names the missing or wrong field. */
scriptkd_status skd_model_info(
    skd_memory *memory, const char *metadata, size_t size, scriptkd_info *info, scriptkd_error *error);

/* The heights that an input may have, ascending: one number, or two. Returns how many. */
int skd_heights(const scriptkd_info *info, int heights[2]);

/* pixels.c: from a caller's image to opaque pixels */

#define SKD_SMALLEST_SIDE 2 /* pixels */

typedef struct skd_rectangle {
    int left, top, right, bottom; /* right and bottom exclusive */
} skd_rectangle;

/* Opaque pixels: 1 channel is gray, 3 are R, G, B. */
typedef struct skd_pixels {
    const uint8_t *bytes;
    ptrdiff_t stride; /* bytes */
    int width, height, channels;
} skd_pixels;

scriptkd_status skd_check_size(double width, double height, scriptkd_error *error);

/* The pixels to identify. They point into the image if possible, otherwise into `memory`. */
scriptkd_status skd_pixels_of(skd_memory *memory, const scriptkd_image *image, const scriptkd_options *options,
    skd_pixels *pixels, scriptkd_error *error);

/* (299 R + 587 G + 114 B + 500) div 1000 of three bytes: the weights of ITU-R BT.601. */
static inline uint8_t skd_luma(uint8_t red, uint8_t green, uint8_t blue) {
    uint32_t sum = 299u * red + 587u * green + 114u * blue + 500u;
    return (uint8_t)((sum >> 3) * 134218u >> 24); /* divides by 8 and by 125; exact and within 32 bits up to 255,500 */
}

/* corners.c: four corners are rectified */

/* A quadrilateral and the visible part of its rectified rectangle. */
typedef struct skd_quadrilateral {
    double matrix[3][3]; /* from the unit square to the image */
    double width, height; /* of the whole rectified rectangle, in pixels */
    skd_rectangle seen;   /* the rectangle's part within the image */
    skd_rectangle source; /* the part of the image to sample from */
} skd_quadrilateral;

scriptkd_status skd_measure(
    const scriptkd_point corners[4], int width, int height, skd_quadrilateral *shape, scriptkd_error *error);

/* Rectify the shape from `source`, the pixels of its part of the image, to `flat`, [seen rows, seen columns, channels]. */
void skd_rectify(const skd_quadrilateral *shape, const skd_pixels *source, uint8_t *flat);

/* crops.c: margins trimmed, tall crops laid down, lines cut into windows */

#define SKD_MOST_WINDOWS 16

/* One byte for each pixel. */
typedef struct skd_plane {
    const uint8_t *bytes;
    ptrdiff_t stride; /* bytes */
    int width, height;
} skd_plane;

typedef struct skd_crops {
    skd_plane planes[3]; /* one for each channel of the network's input, which may be only one */
    int starts[SKD_MOST_WINDOWS]; /* the first column of each window */
    int count;           /* of the windows */
    int view;            /* their width, in pixels */
    int rows;            /* of the network's input */
    int turned;          /* the crop's counterclockwise rotation in degrees: 0 or 90 */
} skd_crops;

scriptkd_status skd_crops_of(skd_memory *memory, const skd_pixels *pixels, const scriptkd_info *info, bool upright,
    skd_crops *crops, scriptkd_error *error);

/* The input's width for a crop, before it is clamped to the limits: the nearest multiple of the step. */
int64_t skd_free_width(const scriptkd_info *info, int width, int height, int rows);

/* resample.c: from crops to the network's input */

/* Bytes with a shape. */
typedef struct skd_input {
    const uint8_t *bytes;
    int64_t shape[4]; /* [windows, channels, rows, columns], or [height, width, 3] */
    int sides;        /* 4 or 3 */
} skd_input;

scriptkd_status skd_input_of(
    skd_memory *memory, const skd_crops *crops, const scriptkd_info *info, skd_input *input, scriptkd_error *error);

/* decision.c: from the network's logits to the answer */

/* The network's answer to one image. */
typedef struct skd_logits {
    size_t windows;
    const float *scripts;     /* [windows, labels] */
    const float *orientation; /* [windows, 4]; NULL for formats 1 and 2 */
} skd_logits;

/* The scripts that may be answered, and the threshold. */
typedef struct skd_decision {
    size_t *allowed; /* the labels, in their order */
    size_t count;
    double threshold;
} skd_decision;

scriptkd_status skd_decision_of(skd_memory *memory, const scriptkd_info *info, const scriptkd_options *options,
    skd_decision *decision, scriptkd_error *error);
scriptkd_status skd_decide(skd_memory *memory, const scriptkd_info *info, const skd_decision *decision,
    const skd_logits *logits, int turned, bool upright, scriptkd_prediction **prediction, scriptkd_error *error);

/* network.c: onnxruntime */

typedef struct skd_network skd_network;

/* Open a model, read its metadata, and run the network on blank images to check it against the metadata. */
scriptkd_status skd_network_open(const void *content, size_t size, int threads, skd_network **network,
    skd_memory *memory, scriptkd_info *info, scriptkd_error *error);
void skd_network_close(skd_network *network);

/* Run the network; the logits are put into `memory`. */
scriptkd_status skd_network_run(const skd_network *network, const scriptkd_info *info, skd_memory *memory,
    const skd_input *input, skd_logits *logits, scriptkd_error *error);

#endif
