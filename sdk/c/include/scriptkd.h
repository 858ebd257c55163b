/*
 * scriptkd: which script is a cropped word image written in?
 *
 *     scriptkd_error error;
 *     scriptkd_identifier *identifier;
 *     if (scriptkd_open("student.onnx", 1, &identifier, &error) != SCRIPTKD_OK) { puts(error.message); return 1; }
 *
 *     scriptkd_image image = {pixels, width, height, 3 * width, SCRIPTKD_RGB};
 *     scriptkd_prediction *answer;
 *     if (scriptkd_identify(identifier, &image, NULL, &answer, &error) != SCRIPTKD_OK) { puts(error.message); return 1; }
 *     printf("%s %s %f\n", answer->script, answer->code, answer->score);
 *     scriptkd_prediction_free(answer);
 *     scriptkd_close(identifier);
 *
 * Many threads may use one identifier at once, as it never changes after it is opened. Opening takes tens of
 * milliseconds, so reuse an identifier. The only global state is the environment variable ORT_DISABLE_TELEMETRY. If it
 * is not set, loading this library sets it to 1 (not on Windows). Otherwise onnxruntime's telemetry would write files
 * and look up a host.
 *
 * All texts are UTF-8 and end with a zero byte. Functions never print.
 */
#ifndef SCRIPTKD_H
#define SCRIPTKD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(_WIN32)
#define SCRIPTKD_API __attribute__((visibility("default")))
#else
#define SCRIPTKD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a call succeeded, or the kind of its error. */
typedef enum scriptkd_status {
    SCRIPTKD_OK = 0,
    SCRIPTKD_IMAGE_ERROR = 1,    /* an image or a region that cannot be used */
    SCRIPTKD_MODEL_ERROR = 2,    /* a model file that is missing, broken or not written for this version */
    SCRIPTKD_ARGUMENT_ERROR = 3, /* another wrong argument */
    SCRIPTKD_MEMORY_ERROR = 4    /* there is not enough memory */
} scriptkd_status;

#define SCRIPTKD_MESSAGE_SIZE 1024 /* bytes */

/* One sentence on one line for the user: what was given and what is allowed. Empty on success. */
typedef struct scriptkd_error {
    char message[SCRIPTKD_MESSAGE_SIZE];
} scriptkd_error;

/* The order of a pixel's bytes in memory. Colours are not multiplied by alpha. Android's Bitmap.getPixels gives
 * SCRIPTKD_BGRA on all processors. Bitmap.copyPixelsToBuffer gives RGBA, but multiplied by alpha. */
typedef enum scriptkd_format {
    SCRIPTKD_GRAY = 1,
    SCRIPTKD_RGB = 2,
    SCRIPTKD_BGR = 3,
    SCRIPTKD_RGBA = 4,
    SCRIPTKD_BGRA = 5,
    SCRIPTKD_ARGB = 6
} scriptkd_format;

/* Pixels of 8 bits a channel, already upright according to EXIF. They are only read, and only during the call. */
typedef struct scriptkd_image {
    const uint8_t *pixels; /* the first byte of the top row */
    int width;             /* in pixels, 2 to 16384; at most 50 million pixels in all */
    int height;
    ptrdiff_t stride; /* bytes from a row to the row below it; negative if the image is stored bottom up */
    scriptkd_format format;
} scriptkd_image;

/* A box in pixels from the image's top left corner, right and bottom exclusive; fractions are rounded. */
typedef struct scriptkd_box {
    double left, top, right, bottom;
} scriptkd_box;

typedef struct scriptkd_point {
    double x, y;
} scriptkd_point;

/* A call's options. All zero, as {0}, or NULL instead of options, means the defaults. */
typedef struct scriptkd_options {
    /* Identify this part only. The part outside the image is cut off. */
    const scriptkd_box *box;
    /* Or identify the word with these four corners, after rectification: its top left, top right, bottom right, bottom
     * left. */
    const scriptkd_point *corners;
    /* 0 to 1; if the best score is lower, the answer is "unknown". NULL is the model's own threshold. */
    const double *threshold;
    /* Scripts by name, ISO 15924 code or alias, in any case. The answer is one of `allow` (NULL: all that the model
     * knows) and none of `deny`. The scores sum to 1 over the allowed scripts. So allow every script that can occur. */
    const char *const *allow;
    size_t allow_count;
    const char *const *deny;
    size_t deny_count;
    /* Whether the letters stand upright, as in a scanned page. Then nothing is turned, and the orientation is 0. */
    bool upright;
} scriptkd_options;

typedef struct scriptkd_script {
    const char *name; /* such as "Devanagari" */
    const char *code; /* ISO 15924, such as "Deva" */
} scriptkd_script;

typedef struct scriptkd_score {
    const char *name;
    const char *code;
    double value; /* 0 to 1 */
} scriptkd_score;

#define SCRIPTKD_NO_ORIENTATION (-1)

/* The script of one image. The caller owns it. It holds all its texts. */
typedef struct scriptkd_prediction {
    const char *script; /* the best script, or "unknown" if its score is below the threshold */
    const char *code;   /* its ISO 15924 code, or "Zyyy" if the script is "unknown" */
    double score;       /* the best script's probability, 0 to 1, also if the answer is "unknown" */
    const char *best;   /* the best script, whatever the threshold */
    /* The letters' clockwise rotation from upright in degrees: 0, 90 (a word reads from top to bottom), 180 or 270.
     * Turning the picture counterclockwise by as much makes the word upright. Upright letters one below the other are
     * orientation 0. SCRIPTKD_NO_ORIENTATION if the model cannot tell, and for models of formats 1 and 2. */
    int orientation;
    double orientation_score;     /* the orientation's probability, 0 to 1; -1 for models of formats 1 and 2 */
    const scriptkd_score *scores; /* every allowed script's probability, best first; the sum is 1 */
    size_t score_count;
    /* Each script's share of the windows that a line is cut into, in descending order. Windows whose score is below the
     * threshold count as "unknown". For an image with one window, the answer has the share 1. */
    const scriptkd_score *shares;
    size_t share_count;
} scriptkd_prediction;

/* A model file's metadata: sections 1 and 4 of the model contract. */
typedef struct scriptkd_info {
    int format;                    /* 1, 2 or 3 */
    const char *network;           /* the architecture, for people */
    const char *precision;         /* of weights and computation, for people */
    const char *provenance;        /* recipe, seed and more, for people: a JSON object */
    const scriptkd_script *labels; /* in the order of the logits */
    size_t label_count;
    int channels;      /* of the network's input: 1 (luma) or 3 (RGB) */
    int height;        /* its rows, in pixels */
    int square_height; /* its rows for crops less than 1.5 times as wide as high; 0 for formats 1 and 2 */
    int width_min;     /* its columns follow the aspect ratio, in multiples of the step, within the limits */
    int width_max;
    int width_step;
    bool any_size;      /* whether the network takes whole images and pre-processes them itself */
    double temperature; /* divides the logits before the softmax */
    double threshold;   /* if the best score is lower, the answer is "unknown" */
    double orientation_temperature; /* the same for the orientation; 0 for formats 1 and 2 */
    double orientation_threshold;
} scriptkd_info;

typedef struct scriptkd_identifier scriptkd_identifier;

/*
 * Open a model file. A model file is a program: a network with a loop may run for any length of time, even while it is
 * opened. So open only files from sources that you trust.
 *
 * path: the file's. threads: how many threads one call may use, 1 to 256; more than one helps only large networks.
 * identifier: set to the new identifier, which scriptkd_close frees, or to NULL. error: set to the error; may be NULL.
 * Returns SCRIPTKD_MODEL_ERROR for a file that is missing, not ONNX, not scriptkd's, newer than this version, or whose
 * network does not fit its metadata.
 */
SCRIPTKD_API scriptkd_status scriptkd_open(
    const char *path, int threads, scriptkd_identifier **identifier, scriptkd_error *error);

/* Open a model from a file's content in memory, which may be freed afterwards. name: the model's name in errors. */
SCRIPTKD_API scriptkd_status scriptkd_open_memory(const void *content, size_t size, const char *name, int threads,
    scriptkd_identifier **identifier, scriptkd_error *error);

/* Free an identifier, which no thread may be using. NULL is allowed. Predictions stay valid. */
SCRIPTKD_API void scriptkd_close(scriptkd_identifier *identifier);

/* The model file's metadata, which is valid as long as the identifier. */
SCRIPTKD_API const scriptkd_info *scriptkd_model_info(const scriptkd_identifier *identifier);

/*
 * Tell the script of one image.
 *
 * options: may be NULL. prediction: set to the answer, which scriptkd_prediction_free frees, or to NULL.
 * error: what was wrong; may be NULL.
 */
SCRIPTKD_API scriptkd_status scriptkd_identify(const scriptkd_identifier *identifier, const scriptkd_image *image,
    const scriptkd_options *options, scriptkd_prediction **prediction, scriptkd_error *error);

/* Free a prediction. NULL is allowed. */
SCRIPTKD_API void scriptkd_prediction_free(scriptkd_prediction *prediction);

#ifdef __cplusplus
}
#endif
#endif
