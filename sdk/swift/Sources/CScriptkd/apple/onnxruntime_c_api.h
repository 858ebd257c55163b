/* The C core includes <onnxruntime_c_api.h>. In Apple's xcframework, the framework's name precedes the header's name. */
#include <onnxruntime/onnxruntime_c_api.h>
