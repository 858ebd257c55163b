# Finds onnxruntime's header and library: onnxruntime::onnxruntime. If they are in a separate folder with include/ and
# lib/, pass -Donnxruntime_ROOT=FOLDER.
find_path(onnxruntime_INCLUDE_DIR onnxruntime_c_api.h PATH_SUFFIXES onnxruntime onnxruntime/core/session)
find_library(onnxruntime_LIBRARY onnxruntime)
mark_as_advanced(onnxruntime_INCLUDE_DIR onnxruntime_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(onnxruntime
  REQUIRED_VARS onnxruntime_LIBRARY onnxruntime_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "name its folder, which holds include/ and lib/, by -Donnxruntime_ROOT=FOLDER")

if(onnxruntime_FOUND AND NOT TARGET onnxruntime::onnxruntime)
  add_library(onnxruntime::onnxruntime UNKNOWN IMPORTED)
  set_target_properties(onnxruntime::onnxruntime PROPERTIES
    IMPORTED_LOCATION "${onnxruntime_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${onnxruntime_INCLUDE_DIR}")
endif()
