/* The network, by onnxruntime's C API: opens a model file, checks it against its metadata, and runs it. */

#include <math.h>
#include <onnxruntime_c_api.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define OLDEST_API 17 /* onnxruntime 1.17, which has all that is used here */
#define METADATA_KEY "scriptkd"
#define INPUT "image"

/* onnxruntime looks here for external data. A path below a file never exists. The default would be the current folder. */
#define EXTERNAL_FOLDER "session.model_external_initializers_file_folder_path"
#define NOWHERE "/dev/null/external data"

static const char *const OUTPUTS[] = {"logits", "orientation"};

struct skd_network {
    const OrtApi *api;
    OrtEnv *environment;
    OrtSession *session;
    OrtMemoryInfo *memory;
};

static size_t outputs_of(const scriptkd_info *info) {
    return info->square_height > 0 ? 2 : 1;
}

/* Whether a call failed. The first line of its message goes to `reason`. */
static bool failed(const OrtApi *api, OrtStatus *status, skd_text *reason) {
    if (status == NULL) {
        return false;
    }
    const char *text = api->GetErrorMessage(status);
    text += strspn(text, "\r\n\t ");
    size_t length = strcspn(text, "\r\n");
    reason->length = 0;
    skd_add(reason, "%.*s", length > 200 ? 200 : (int)length, text);
    api->ReleaseStatus(status);
    return true;
}

/* Whether a text mentions external data, in any case. Most messages name the folder that we set. */
static bool speaks_of_external_data(const char *text) {
    static const char *const words[] = {"external data", "external tensors"};
    for (; *text != '\0'; text++) {
        for (int i = 0; i < 2; i++) {
            size_t at = 0;
            while (words[i][at] != '\0' && (text[at] | 0x20) == words[i][at]) {
                at++;
            }
            if (words[i][at] == '\0') {
                return true;
            }
        }
    }
    return false;
}

typedef struct type_name {
    const char *onnx, *numpy;
} type_name;

static type_name name_of(ONNXTensorElementDataType type) {
    static const type_name names[] = {{"undefined", "undefined"}, {"float", "float32"}, {"uint8", "uint8"}, {"int8", "int8"},
        {"uint16", "uint16"}, {"int16", "int16"}, {"int32", "int32"}, {"int64", "int64"}, {"string", "object"},
        {"bool", "bool"}, {"float16", "float16"}, {"double", "float64"}, {"uint32", "uint32"}, {"uint64", "uint64"}};
    size_t index = (size_t)type;
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : (type_name){"of another type", "another type"};
}

static void add_shape(skd_text *text, const int64_t *shape, size_t sides, const char *brackets) {
    skd_add(text, "%c", brackets[0]);
    for (size_t i = 0; i < sides; i++) {
        skd_add(text, "%s%lld", i > 0 ? ", " : "", (long long)shape[i]);
    }
    skd_add(text, "%c", brackets[1]);
}

static scriptkd_status new_session(
    skd_network *network, const void *content, size_t size, int threads, scriptkd_error *error) {
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    OrtSessionOptions *options = NULL;
    if (failed(api, api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "scriptkd", &network->environment), &reason)
        || failed(api, api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &network->memory), &reason)
        || failed(api, api->CreateSessionOptions(&options), &reason)) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "cannot be opened (%s)", reason.bytes);
    }
    bool broken = failed(api, api->SetIntraOpNumThreads(options, threads), &reason)
        || failed(api, api->SetInterOpNumThreads(options, 1), &reason)
        || failed(api, api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL), &reason) /* others come as errors */
        || failed(api, api->AddSessionConfigEntry(options, EXTERNAL_FOLDER, NOWHERE), &reason)
        || failed(api, api->CreateSessionFromArray(network->environment, content, size, options, &network->session), &reason);
    api->ReleaseSessionOptions(options);
    if (!broken) {
        return SCRIPTKD_OK;
    }
    return speaks_of_external_data(reason.bytes)
        ? skd_fail(error, SCRIPTKD_MODEL_ERROR, "it keeps data in another file (ONNX's external data); a model is one file")
        : skd_fail(error, SCRIPTKD_MODEL_ERROR, "not an ONNX file that onnxruntime can load (%s)", reason.bytes);
}

static scriptkd_status read_info(
    const skd_network *network, skd_memory *memory, scriptkd_info *info, scriptkd_error *error) {
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    OrtAllocator *allocator = NULL;
    OrtModelMetadata *metadata = NULL;
    char *text = NULL;
    bool broken = failed(api, api->GetAllocatorWithDefaultOptions(&allocator), &reason)
        || failed(api, api->SessionGetModelMetadata(network->session, &metadata), &reason)
        || failed(api, api->ModelMetadataLookupCustomMetadataMap(metadata, allocator, METADATA_KEY, &text), &reason);
    api->ReleaseModelMetadata(metadata);
    if (broken) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "cannot be opened (%s)", reason.bytes);
    }
    if (text == NULL) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "an ONNX file without scriptkd's metadata; export it with scriptkd-export");
    }
    size_t size = strlen(text);
    char *copy = skd_allocate(memory, size + 1, 1); /* error messages point into this copy */
    if (copy != NULL) {
        memcpy(copy, text, size + 1);
    }
    allocator->Free(allocator, text);
    return copy != NULL ? skd_model_info(memory, copy, size, info, error) : skd_no_memory(error);
}

typedef OrtStatus *(ORT_API_CALL *name_getter)(const OrtSession *, size_t, OrtAllocator *, char **);

/* Add names as a list. Returns a bit for each wanted name that is among them. */
static unsigned list_names(const skd_network *network, name_getter get, size_t count, const char *const *wanted,
    size_t wanted_count, skd_text *text) {
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    OrtAllocator *allocator = NULL;
    unsigned found = 0;
    skd_add(text, "[");
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;
        if (!failed(api, api->GetAllocatorWithDefaultOptions(&allocator), &reason)
            && !failed(api, get(network->session, i, allocator, &name), &reason)) {
            skd_add(text, "%s'%s'", i > 0 ? ", " : "", name);
            for (size_t j = 0; j < wanted_count; j++) {
                found |= strcmp(name, wanted[j]) == 0 ? 1u << j : 0;
            }
            allocator->Free(allocator, name);
        }
    }
    skd_add(text, "]");
    return found;
}

static scriptkd_status check_names(const skd_network *network, const scriptkd_info *info, scriptkd_error *error) {
    const OrtApi *api = network->api;
    size_t inputs = 0, outputs = 0;
    skd_text reason = {.length = 0}, names = {.length = 0};
    if (failed(api, api->SessionGetInputCount(network->session, &inputs), &reason)
        || failed(api, api->SessionGetOutputCount(network->session, &outputs), &reason)) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "cannot be opened (%s)", reason.bytes);
    }
    static const char *const input[] = {INPUT};
    size_t wanted = outputs_of(info);
    bool fits = list_names(network, api->SessionGetInputName, inputs, input, 1, &names) == 1 && inputs == 1;
    skd_add(&names, " and ");
    fits = list_names(network, api->SessionGetOutputName, outputs, OUTPUTS, wanted, &names) == (1u << wanted) - 1 && fits;
    return fits ? SCRIPTKD_OK
                : skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network must have the one input 'image' and the output %s, not %s",
                      wanted == 2 ? "'logits' and 'orientation'" : "'logits'", names.bytes);
}

static scriptkd_status check_input(const skd_network *network, const scriptkd_info *info, scriptkd_error *error) {
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    OrtTypeInfo *type = NULL;
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t sides = 0;
    int64_t shape[8] = {0};
    bool broken = failed(api, api->SessionGetInputTypeInfo(network->session, 0, &type), &reason)
        || failed(api, api->CastTypeInfoToTensorInfo(type, &tensor), &reason);
    if (!broken && tensor != NULL) {
        broken = failed(api, api->GetTensorElementType(tensor, &element), &reason)
            || failed(api, api->GetDimensionsCount(tensor, &sides), &reason)
            || failed(api, api->GetDimensions(tensor, shape, sides < 8 ? sides : 8), &reason);
    }
    bool is_tensor = tensor != NULL;
    api->ReleaseTypeInfo(type);
    if (broken) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "cannot be opened (%s)", reason.bytes);
    }
    if (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network's input must be tensor(uint8), not %s%s%s",
            is_tensor ? "tensor(" : "", is_tensor ? name_of(element).onnx : "no tensor", is_tensor ? ")" : "");
    }
    int heights[2];
    int64_t expected[4] = {-1, info->channels, skd_heights(info, heights) == 1 ? heights[0] : -1,
        info->width_min == info->width_max ? info->width_max : -1};
    size_t wanted = 4;
    if (info->any_size) {
        wanted = 3;
        expected[0] = expected[1] = -1;
        expected[2] = 3;
    }
    bool fits = sides == wanted;
    for (size_t i = 0; fits && i < sides; i++) {
        fits = shape[i] < 0 || shape[i] == expected[i]; /* a dynamic dimension takes any size */
    }
    if (fits) {
        return SCRIPTKD_OK;
    }
    skd_text text = {.length = 0};
    skd_add(&text, "the network's input has the shape ");
    add_shape(&text, shape, sides < 8 ? sides : 8, "[]");
    skd_add(&text, ", but its metadata asks for ");
    add_shape(&text, expected, wanted, "[]");
    return skd_fail(error, SCRIPTKD_MODEL_ERROR, "%s, -1 being any", text.bytes);
}

/* Copy an output, float32 [count, classes], to `memory`. A count of 0 means any, and is then set. */
static scriptkd_status read_output(const skd_network *network, const OrtValue *value, size_t *count, size_t classes,
    const char *what, skd_memory *memory, const float **result, scriptkd_error *error) {
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    OrtTensorTypeAndShapeInfo *info = NULL;
    ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t sides = 0;
    int64_t shape[8] = {0};
    bool broken = failed(api, api->GetTensorTypeAndShape(value, &info), &reason)
        || failed(api, api->GetTensorElementType(info, &element), &reason)
        || failed(api, api->GetDimensionsCount(info, &sides), &reason)
        || failed(api, api->GetDimensions(info, shape, sides < 8 ? sides : 8), &reason);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (broken) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network does not run (%s)", reason.bytes);
    }
    bool fits = element == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT && sides == 2 && shape[0] > 0 && shape[1] == (int64_t)classes;
    if (fits && *count == 0) {
        *count = (size_t)shape[0];
    }
    if (!fits || shape[0] != (int64_t)*count) {
        size_t wanted = *count > 0 ? *count : 1;
        skd_text given = {.length = 0};
        add_shape(&given, shape, sides < 8 ? sides : 8, "()");
        return skd_fail(error, SCRIPTKD_MODEL_ERROR,
            "the metadata has %zu %s, but the network answers %zu blank images with %s of shape %s, not float32 of shape "
            "(%zu, %zu)", classes, what, wanted, name_of(element).numpy, given.bytes, wanted, classes);
    }
    float *copy = skd_allocate(memory, *count * classes, sizeof(float));
    void *data = NULL;
    if (copy == NULL) {
        return skd_no_memory(error);
    }
    if (failed(api, api->GetTensorMutableData((OrtValue *)value, &data), &reason)) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network does not run (%s)", reason.bytes);
    }
    memcpy(copy, data, *count * classes * sizeof(float));
    *result = copy;
    return SCRIPTKD_OK;
}

/* when: describes the input in errors. */
static scriptkd_status run(const skd_network *network, const scriptkd_info *info, skd_memory *memory, const skd_input *input,
    const char *when, skd_logits *logits, scriptkd_error *error) {
    static const char *const names[] = {INPUT};
    const OrtApi *api = network->api;
    skd_text reason = {.length = 0};
    size_t size = 1, outputs = outputs_of(info);
    for (int i = 0; i < input->sides; i++) {
        size *= (size_t)input->shape[i];
    }
    OrtValue *image = NULL, *answers[2] = {NULL, NULL};
    bool broken = failed(api, api->CreateTensorWithDataAsOrtValue(network->memory, (void *)input->bytes, size, input->shape,
                                  (size_t)input->sides, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, &image), &reason)
        || failed(api, api->Run(network->session, NULL, names, (const OrtValue *const *)&image, 1, OUTPUTS, outputs, answers),
            &reason);
    scriptkd_status status = broken
        ? skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network does not run%s (%s)", when, reason.bytes)
        : SCRIPTKD_OK;
    /* A network of format 3 that takes whole images cuts them into windows itself. */
    logits->windows = !info->any_size ? (size_t)input->shape[0] : outputs == 2 ? 0 : 1;
    logits->orientation = NULL;
    if (status == SCRIPTKD_OK) {
        status = read_output(
            network, answers[0], &logits->windows, info->label_count, "labels", memory, &logits->scripts, error);
    }
    if (status == SCRIPTKD_OK && outputs == 2) {
        status = read_output(network, answers[1], &logits->windows, 4, "ways up", memory, &logits->orientation, error);
    }
    for (size_t i = 0; i < outputs; i++) {
        api->ReleaseValue(answers[i]);
    }
    api->ReleaseValue(image);
    return status;
}

/* Run the network on a blank input and check its outputs. */
static scriptkd_status run_blank(
    const skd_network *network, const scriptkd_info *info, skd_input input, scriptkd_error *error) {
    skd_memory memory = {NULL};
    skd_logits logits;
    size_t size = 1;
    for (int i = 0; i < input.sides; i++) {
        size *= (size_t)input.shape[i];
    }
    uint8_t *bytes = skd_allocate(&memory, size, 1);
    scriptkd_status status = SCRIPTKD_MEMORY_ERROR;
    if (bytes == NULL) {
        skd_no_memory(error);
    } else {
        memset(bytes, 0, size);
        input.bytes = bytes;
        status = run(network, info, &memory, &input, " on a blank image", &logits, error);
    }
    if (status == SCRIPTKD_OK) {
        bool finite = true;
        for (size_t i = 0; i < logits.windows * info->label_count; i++) {
            finite = finite && isfinite(logits.scripts[i]);
        }
        for (size_t i = 0; logits.orientation != NULL && i < logits.windows * 4; i++) {
            finite = finite && isfinite(logits.orientation[i]);
        }
        if (!finite) {
            status = skd_fail(error, SCRIPTKD_MODEL_ERROR, "the network answers a blank image with NaN or infinity");
        }
    }
    skd_release(&memory);
    return status;
}

/* Check the inputs and outputs against the metadata, then run the network on blank images. */
static scriptkd_status check_network(const skd_network *network, const scriptkd_info *info, scriptkd_error *error) {
    scriptkd_status status = check_names(network, info, error);
    if (status != SCRIPTKD_OK || (status = check_input(network, info, error)) != SCRIPTKD_OK) {
        return status;
    }
    if (info->any_size) {
        status = run_blank(network, info, (skd_input){NULL, {1, 9, 3}, 3}, error);
        return status != SCRIPTKD_OK ? status : run_blank(network, info, (skd_input){NULL, {16, 2, 3}, 3}, error);
    }
    /* Two images at each limit of the width reveal a batch size or a width that the export fixed. */
    int heights[2], count = skd_heights(info, heights);
    for (int i = 0; i < count; i++) {
        skd_input input = {NULL, {2, info->channels, heights[i], info->width_min}, 4};
        if ((status = run_blank(network, info, input, error)) != SCRIPTKD_OK) {
            return status;
        }
        input.shape[3] = info->width_max;
        if (info->width_max > info->width_min && (status = run_blank(network, info, input, error)) != SCRIPTKD_OK) {
            return status;
        }
    }
    return SCRIPTKD_OK;
}

scriptkd_status skd_network_open(const void *content, size_t size, int threads, skd_network **network, skd_memory *memory,
    scriptkd_info *info, scriptkd_error *error) {
    const OrtApi *api = OrtGetApiBase()->GetApi(OLDEST_API);
    if (api == NULL) {
        return skd_fail(error, SCRIPTKD_MODEL_ERROR, "cannot be opened (onnxruntime is %s, but 1.%d or a newer one is needed)",
            OrtGetApiBase()->GetVersionString(), OLDEST_API);
    }
    skd_network *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        return skd_no_memory(error);
    }
    result->api = api;
    *network = result; /* the caller closes it, also after an error */
    scriptkd_status status = new_session(result, content, size, threads, error);
    if (status != SCRIPTKD_OK || (status = read_info(result, memory, info, error)) != SCRIPTKD_OK) {
        return status;
    }
    return check_network(result, info, error);
}

void skd_network_close(skd_network *network) {
    if (network != NULL) {
        network->api->ReleaseSession(network->session);
        network->api->ReleaseMemoryInfo(network->memory);
        network->api->ReleaseEnv(network->environment);
        free(network);
    }
}

scriptkd_status skd_network_run(const skd_network *network, const scriptkd_info *info, skd_memory *memory,
    const skd_input *input, skd_logits *logits, scriptkd_error *error) {
    return run(network, info, memory, input, "", logits, error);
}
